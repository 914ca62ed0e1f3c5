"""The door of params.yaml: documents, values, names and paths that nobody should have written."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hostile import ground
from hostile.contract import Attempt
from hostile.entering import staged, typed, workspace
from hostile.values import DOCUMENTS, HOLE, YAML, leaves, noisy, pick
from vouch.commands.drift import Params as Drift
from vouch.params import Section, load
from vouch.stages import gate, ingest, scan, split, validate

SECTIONS: tuple[tuple[type[Section], tuple[str, ...]], ...] = (
    (ingest.Params, ("datasets", "driver", "ingest")),
    (scan.Params, ("datasets", "driver", "scan")),
    (validate.Params, ("datasets", "driver", "validate")),
    (split.Params, ("datasets", "driver", "split")),
    (gate.Params, ("models", "driver", "gate")),
    (Drift, ("models", "driver", "drift")),
)
NUMBERS = (".nan", ".inf", "-.inf", "1e400", "1" + "0" * 400, "9" * 5000, "-1", "0", "1.5", "true", "'1'", "2020-99-99")
NAMES = (
    *(
        "$(touch${IFS}PWN)",
        "x; touch y; :",
        "`touch PWN`",
        "a|b",
        "a>b",
        "a&b",
        "a b",
        "A",
        "-a",
        "_a",
        ".a",
        "a.b",
        "a/b",
    ),
    *(
        "../a",
        "a" * 65,
        "é",
        "a\n",
        "${item}",
        "a'b",
        'a"b',
        "a\\b",
        "*",
        "~",
        "#",
        "a=b",
        "a:b",
        "a,b",
        "a@b",
        "",
        " ",
    ),
)
SOUND = ("a", "0", "a-b_c", "a" * 64, "driver2", "9-", "x__")
PATHS = (
    "../../x",
    "/etc",
    "a/../../b",
    "$(touch PWN)",
    "a; touch PWN",
    "`x`",
    "a b|c",
    "~",
    "~/x",
    "a\n",
    "",
    "a>b",
    "..",
    "-x",
)


def _loaded(names: tuple[tuple[type[Section], tuple[str, ...]], ...] = SECTIONS) -> list[Any]:
    return [load(section, *keys).model_dump() for section, keys in names]


def _fault(sections: Any) -> str:
    odd = [number for section in sections for number in _numbers(section) if not math.isfinite(number)]
    return f"accepted the number {odd[0]}" if odd else ""


def _numbers(content: Any) -> Iterator[float]:
    if isinstance(content, float):
        yield content
    parts = content.values() if isinstance(content, dict) else content if isinstance(content, list | tuple) else ()
    for part in parts:
        yield from _numbers(part)


def _documents(rng: np.random.Generator, folder: Path) -> Attempt:
    """The whole file is something else."""
    path = workspace(folder, "params.yaml") / "params.yaml"
    text = pick(rng, DOCUMENTS).encode() if rng.random() < 0.6 else noisy(rng, path.read_bytes())
    path.write_bytes(text)
    return Attempt(f"{text[:60]!r}", lambda: _loaded((pick(rng, SECTIONS),)), _fault)


def _replaced(rng: np.random.Generator, path: tuple[Any, ...], value: str) -> str:
    """Write params.yaml with one value replaced by YAML text; JSON is YAML too."""
    content = json.loads(json.dumps(ground.parameters()))
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = HOLE
    Path("params.yaml").write_text(json.dumps(content).replace(json.dumps(HOLE), value), encoding="utf-8")
    return f"{'.'.join(map(str, path))}: {value[:60]!r}"


def _values(rng: np.random.Generator, folder: Path) -> Attempt:
    """One value is something else."""
    workspace(folder, "params.yaml")
    section, keys = pick(rng, SECTIONS)
    content: Any = ground.parameters()
    for key in keys:
        content = content[key]
    told = _replaced(rng, (*keys, *pick(rng, leaves(content))), pick(rng, YAML))
    return Attempt(told, lambda: _loaded(((section, keys),)), _fault)


def _one_number(rng: np.random.Generator, folder: Path) -> Attempt:
    """One number is none, or one of hundreds of digits."""
    workspace(folder, "params.yaml")
    section, keys = pick(rng, (*SECTIONS[1:], *SECTIONS[4:], *SECTIONS[4:]))
    content: Any = ground.parameters()
    for key in keys:
        content = content[key]
    numbers = [path for path in leaves(content) if isinstance(_at(content, path), int | float)]
    told = _replaced(rng, (*keys, *pick(rng, numbers)), pick(rng, NUMBERS))
    return Attempt(told, lambda: _loaded(((section, keys),)), _fault)


def _at(content: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        content = content[key]
    return content


def _names(rng: np.random.Generator, folder: Path) -> Attempt:
    """A data set or model has a name that a shell, a path or YAML reads otherwise; whatever is run refuses it."""
    workspace(folder, "params.yaml", "metrics", "data/sources")
    sound = rng.random() < 0.2
    name = pick(rng, SOUND if sound else NAMES)
    content = ground.parameters()
    road = pick(rng, ("models", "datasets"))
    if road == "models":
        for listed in ("models", "detectors"):  # each model is on one road
            content["pipeline"][listed][name] = content["pipeline"][listed]["driver"]
    else:
        content["pipeline"]["datasets"].append(name)
    content[road][name] = content[road]["driver"]
    ground.write_params(content)
    return _attempt_to_run(rng, f"pipeline.{road}: {name!r}", sound=sound)


def _paths(rng: np.random.Generator, folder: Path) -> Attempt:
    """A path of `pipeline` leaves the repository, or is no plain path."""
    workspace(folder, "params.yaml", "metrics", "data/sources")
    content = ground.parameters()
    road, model, key = pick(
        rng, (("models", "driver", "baseline"), ("detectors", "driver", "start"), ("fine_tuned", "roadwork", "start"))
    )
    sound = rng.random() < 0.2
    value = pick(rng, ("models/x/bundle", "models/a_b-c.d/e") if sound else PATHS)
    content["pipeline"][road][model][key] = value
    ground.write_params(content)
    return _attempt_to_run(rng, f"pipeline.{road}.{model}.{key}: {value!r}", sound=sound)


def _attempt_to_run(rng: np.random.Generator, told: str, *, sound: bool) -> Attempt:
    Path("metrics/driver/comparison.json").write_text("{}")
    how = pick(rng, ("compare", "ingest", "gate"))
    runs = {"compare": lambda: typed("compare", "driver"), "ingest": lambda: staged(ingest, "driver")}
    enter = runs.get(how, lambda: staged(gate, *ground.gate_words("driver")))
    new, rewritten = ("here/.dvc", "here/data/manifests"), ("here/metrics",)
    return Attempt(f"{told}, by {how}", enter, lambda _: "" if sound else f"{how} ran", new, rewritten)


KINDS = {
    "documents": _documents,
    "values": _values,
    "more values": _values,
    "numbers": _one_number,
    "more numbers": _one_number,
    "names": _names,
    "paths": _paths,
}
