"""The doors: where something from outside comes in, and the kinds of hostile input that are tried on each.

A kind draws one case from a generator of random numbers, plants it in a folder of its own, stands in that folder, and
returns an Attempt. numpy draws, not hypothesis: a case is folders, FIFOs and processes, too dear to shrink, and is
found again by three numbers.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hostile import bundles, class_bundles, commands, curation, data, files, labels, parameters, photographs, verdicts
from hostile.contract import Attempt
from hostile.entering import staged, workspace
from hostile.labels import FORMATS, Planted
from hostile.values import JSON, WORDS, pick, spoiled
from vouch import io, paths
from vouch.commands import importing
from vouch.release.inference import answer
from vouch.release.opening import Bundle, open_bundle
from vouch.sources.descriptor import check_descriptor
from vouch.sources.merge import Merged, Taxonomy
from vouch.sources.tree import walk
from vouch.stages import ingest
from vouch.vision.images.source import File

Kind = Callable[[np.random.Generator, Path], Attempt]
Hazard = Callable[[np.random.Generator, Planted], tuple[Planted, str]]
TAXONOMY = Taxonomy(labels.CLASSES, ("session",), {"light": ("day",)})
RULES: dict[str, Any] = {"groups": {"session": {"value": "s1"}}, "strata": {"light": {"value": "day"}}}


@dataclass(frozen=True)
class Door:
    """Where something comes in, and how many cases of the fixed seed go through."""

    kinds: Mapping[str, Kind]
    cases: int


def _source(form: str, hazard: Hazard, rng: np.random.Generator, folder: Path) -> Attempt:
    """A source, as `vouch import` checks it before anything is written."""
    unlabelled = pick(rng, ("negative", "refuse"))
    planted = labels.plant(folder / "source", form, labels.photos(rng), unlabelled)
    planted, told = hazard(rng, planted)
    content = {"name": "mine", "format": form, "unlabelled": unlabelled, **RULES}
    words, sound = f"{form}, unlabelled {unlabelled}: {told}", told == files.SOUND
    return Attempt(words, lambda: _checked(planted.root, content), _right(planted, told), sound=sound)


def _checked(root: Path, content: dict[str, Any]) -> Merged:
    return importing.check("driver", walk(root), check_descriptor(content, "the case"), TAXONOMY).manifest


def _right(planted: Planted, told: str) -> Callable[[Any], str]:
    def right(manifest: Any) -> str:
        if told.startswith(files.MUST_REFUSE):
            return "accepted, where there is no right answer"
        return labels.fault(planted, manifest.samples, manifest.boxes)

    return right


def _rules(rng: np.random.Generator, folder: Path) -> Attempt:
    """Options of an import that are no names, patterns or numbers of their kind."""
    planted = labels.plant(folder / "source", "jsonl", labels.photos(rng), "negative")
    (planted.root / ("a" * 40 + "!.jpg")).write_bytes(b"x")
    manifest = planted.root / "manifest.jsonl"
    manifest.write_text(manifest.read_text() + json.dumps({"image": "a" * 40 + "!.jpg"}) + "\n")
    patterns = (
        "^(a+)+$",
        "^(a|aa)+$",
        "(a*)*b",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(",
        "(?P<x>",
        "a{99999999}",
        "(x)(y)",
        "()",
    )
    place = (
        {"pattern": pick(rng, patterns)}
        if rng.random() < 0.6
        else {
            pick(rng, ("level", "column", "value", "pattern", "x")): pick(
                rng, (*WORDS, 10**400, -(10**18), 0, None, 1.5, [], True)
            )
        }
    )
    content = {"name": "mine", "format": "jsonl", "unlabelled": "negative", **RULES, "groups": {"session": place}}
    if rng.random() < 0.2:
        content[pick(rng, tuple(content))] = pick(rng, (*WORDS, None, 1, []))
    sane = Planted(
        planted.root, "jsonl", "negative", planted.truth | {"a" * 40 + "!.jpg": ("negative", None, ())}, known=False
    )
    return Attempt(f"descriptor {content}"[:300], lambda: _checked(planted.root, content), _right(sane, ""))


def _ingest(hazard: Hazard, rng: np.random.Generator, folder: Path) -> Attempt:
    """A source in place, as the stage ingest reads it."""
    here = workspace(folder, "params.yaml")
    form = pick(rng, FORMATS)
    planted = labels.plant(here / "data/sources/driver/mine", form, labels.photos(rng), "negative")
    content = {"name": "mine", "format": form, "unlabelled": "negative", **RULES}
    content |= {"classes": list(labels.CLASSES)} if form == "yolo" else {}
    content |= {"annotations": ["instances.json"]} if form == "coco" else {}
    content |= {"manifest": "manifest.csv"} if form == "imagefolder" else {}
    (planted.root / "source.json").write_text(json.dumps(content))
    planted, told = hazard(rng, planted)
    return Attempt(
        f"{form}: {told}",
        _ingested,
        _right(planted, told),
        new=("here/.dvc", "here/data/manifests"),
        sound=told == files.SOUND,
    )


def _ingested() -> Merged:
    staged(ingest, "driver")
    samples, boxes = (io.read_table(paths.manifest("driver", table)) for table in ("samples", "boxes"))
    return Merged(samples, boxes, {})


def _descriptor(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    path = planted.root / "source.json"
    text, told = spoiled(rng, json.loads(path.read_text()))
    path.write_text(pick(rng, (*JSON, "", "{")) if rng.random() < 0.2 else text)
    return Planted(planted.root, planted.form, planted.unlabelled, planted.truth, known=False), f"source.json: {told}"


def _other_sources(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """What may lie beside the sources of a data set."""
    root = planted.root.parent
    name = pick(rng, (".mine.4711.part", ".driver.part", "README.md", "mine.4711.part", "x", "a.jpg", "link"))
    if name == "link":
        (root / name).symlink_to("mine")
    elif name == "a.jpg":
        (root / name).write_bytes(b"x")
    else:
        (root / name).mkdir()
        (root / name / "a.jpg").write_bytes(b"x")
    known = name.startswith(".")
    return planted, f"{name} lies beside it" if known else f"{files.MUST_REFUSE}: {name} lies beside it"


def _bundle(model: str, change: bundles.Change, rng: np.random.Generator, folder: Path) -> Attempt:
    """A bundle, opened and asked about a photograph."""
    here = workspace(folder, "models/driver/bundle", "models/roadwork/bundle", "new")
    bundle = here / "models" / model / "bundle"
    (here / "models" / ("roadwork" if model == "driver" else "driver") / "bundle").rename(bundle.with_name("other"))
    told = change(rng, bundle)

    def right(found: Any) -> str:
        checked, table = found
        return "opened, where it contradicts itself" if told.startswith("!") else _answer_fault(checked, table)

    def enter() -> tuple[Bundle, Any]:
        checked = open_bundle(bundle)
        return checked, answer(checked, [File(path) for path in sorted((here / "new").iterdir())]).rows

    return Attempt(f"{model}: {told}", enter, right, sound=told == bundles.SOUND)


def _answer_fault(checked: Bundle, table: Any) -> str:
    sure = table["confidence"].to_numpy(float)
    if not ((sure >= 0) & (sure <= 1)).all():
        return f"answers a confidence of {sure[~((sure >= 0) & (sure <= 1))][:3]}"
    strange = set(table["class_pred"].dropna()) - set(checked.classes)
    return f"answers the classes {strange}" if strange or len(set(checked.classes)) != len(checked.classes) else ""


def _product(kinds: Mapping[str, Any], function: Callable[..., Attempt], over: tuple[str, ...]) -> dict[str, Kind]:
    return {f"{one}, {name}": partial(function, one, kind) for name, kind in kinds.items() for one in over}


SPOILT: dict[str, Hazard] = {f"labels {number}": labels.spoil for number in (1, 2, 3, 4)}
IN_PLACE = files.HAZARDS | SPOILT | {"source.json": _descriptor, "beside": _other_sources}
DOORS: dict[str, Door] = {  # 0.1 s a case on one core, that of a source a fifth of it
    "source": Door(_product(files.HAZARDS | SPOILT, _source, FORMATS), 450),
    "options": Door({"rules": _rules}, 16),
    "ingest": Door({name: partial(_ingest, hazard) for name, hazard in IN_PLACE.items()}, 85),
    "photograph": Door(photographs.KINDS, 120),
    "dataset": Door(data.KINDS, 40),
    "params": Door(parameters.KINDS, 140),
    "verdict": Door(verdicts.KINDS, 70),
    "bundle": Door(_product(bundles.CHANGES, _bundle, ("driver", "roadwork")), 216),
    "command": Door(commands.KINDS, 260),
    "curation": Door({**curation.KINDS, **class_bundles.KINDS}, 110),
}
