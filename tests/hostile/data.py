"""The door of a whole data set: ingest, scan, validate and split on photographs and labels that do not fit together."""

import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hostile import ground, images, labels
from hostile.contract import Attempt, Refused, refusal_fault
from hostile.entering import staged, workspace
from hostile.values import noisy, pick, respelt
from vouch import io, paths
from vouch.quality.checks import WHOLE_DATASET
from vouch.stages import ingest, scan, split, validate

COUNT = 12
OUTPUTS = ("data/manifests", "data/quality", "data/splits", "metrics", "splits", ".dvc")


def _draw(change: Callable[..., str], rng: np.random.Generator, folder: Path) -> Attempt:
    workspace(folder, "params.yaml")
    held = [labels.replace(one, name=f"s{index}_{index}.png") for index, one in enumerate(labels.photos(rng, COUNT))]
    root = Path("data/sources/driver/mine")
    labels.plant(root, "jsonl", held, "negative")
    rules = {"groups": {"session": {"pattern": "^(s[0-9]+)_"}}, "strata": {"light": {"value": "day"}}}
    (root / "source.json").write_text(
        json.dumps({"name": "mine", "format": "jsonl", "unlabelled": "negative", **rules})
    )
    content = ground.parameters()
    severity = content["datasets"]["driver"]["validate"]["severity"]
    severity |= {check: "warn" for check in severity if check in LENIENT}
    ground.write_params(content)
    expected: dict[str, set[str]] = {}
    told = change(rng, root, expected)
    new = tuple(f"here/{name}" for name in OUTPUTS)
    return Attempt(told, _built, partial(_fault, expected), new=new, rewritten=("here/splits",))  # a lock grows


LOCK = "the lock"
LENIENT = (
    "size_mismatch",
    "box_outside",
    "wrong_extension",
    "missing_coverage",
    "few_groups",
    "empty_label",
)


def _built() -> Any:
    """Return what validate found, or the refusal of a stage: what the stages before it wrote stays."""
    try:
        for stage in (ingest, scan, validate, split):
            staged(stage, "driver")
    except Refused as refusal:
        return refusal
    return io.read_table(paths.quality("driver", "issues"))


def _fault(expected: dict[str, set[str]], issues: Any) -> str:
    if isinstance(issues, Refused):
        return refusal_fault(issues)
    samples = set(io.read_table(paths.manifest("driver", "samples"))["sample_id"])
    strange = set(issues["sample_id"]) - samples - {WHOLE_DATASET}
    if strange:
        return f"validate finds something in {sorted(strange)}, which are no photographs"
    lost = expected.pop(LOCK, set()) - set(rows(paths.split_lock("driver").read_bytes()))
    if lost:
        return f"split lost {sorted(lost)} of its lock"
    for check, names in expected.items():
        found = issues.loc[issues["check"] == check, "sample_id"].tolist()
        if sorted(found) != sorted(names):
            return f"{check} is told of {found}, and true of {sorted(names)}"
    return ""


def _sizes(rng: np.random.Generator, root: Path, expected: dict[str, set[str]]) -> str:
    """State another size than some photographs have, in some order of lines."""
    path = root / "manifest.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    wrong = {int(index) for index in rng.choice(COUNT, int(rng.integers(1, 4)), replace=False)}
    for index in wrong:
        lines[index][pick(rng, ("width", "height"))] += int(rng.integers(1, 9))
    expected["size_mismatch"] = {f"mine/{lines[index]['image']}" for index in wrong}
    path.write_text("".join(f"{json.dumps(lines[int(index)])}\n" for index in rng.permutation(COUNT)))
    return f"another size stated of {sorted(expected['size_mismatch'])}"


def _pictures(rng: np.random.Generator, root: Path, expected: dict[str, set[str]]) -> str:
    """Put a hostile picture in the place of one."""
    path = pick(rng, sorted(root.glob("*.png")))
    drawn = pick(rng, tuple(images.PICTURES.values()))(rng)
    path.write_bytes(drawn.content)
    return f"{path.name} is {drawn.told}"


def _lock(rng: np.random.Generator, root: Path, expected: dict[str, set[str]]) -> str:
    """Spoil the split lock that a run before left, of groups in the data or of others."""
    path = paths.split_lock("driver")
    path.parent.mkdir()
    splits = ("train", "val_select", "val_calib", "val_test")
    group = pick(rng, ("session=s", "s"))
    text = "group,split\n" + "".join(f"{group}{index},{pick(rng, splits)}\n" for index in range(8))
    changed = respelt(rng, text) if rng.random() < 0.6 else text
    path.write_bytes(noisy(rng, changed.encode("utf-8", "surrogatepass")))
    expected[LOCK] = set(rows(path.read_bytes()))
    return f"a lock of {path.read_bytes()[:80]!r}"


def rows(content: bytes) -> list[str]:
    """Return the rows of a lock, as they are compared."""
    return [repr(row) for row in csv.reader(content.decode("utf-8", "replace").splitlines())]


def _boxes(rng: np.random.Generator, root: Path, expected: dict[str, set[str]]) -> str:
    """Give some boxes corners that are none."""
    path = root / "manifest.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    line = pick(rng, [one for one in lines if one["boxes"]])
    key, value = pick(rng, ("x1", "y1", "x2", "y2")), pick(rng, (-1e308, 1e308, 1e300, -1, 0, 1e9, 0.0))
    pick(rng, line["boxes"])[key] = value
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return f"{key} {value} in {line['image']}"


KINDS = {
    "sizes": partial(_draw, _sizes),
    "pictures": partial(_draw, _pictures),
    "the lock": partial(_draw, _lock),
    "boxes": partial(_draw, _boxes),
}
