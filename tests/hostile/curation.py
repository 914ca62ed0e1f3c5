"""The door of `vouch curate`: packs of a town, tables and catalogues that people wrote, and bundles that came back."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hostile import labels
from hostile.contract import Attempt
from hostile.entering import typed, workspace
from hostile.ground import ROOT
from hostile.values import WORDS, noisy, pick, respelt, spoiled
from vouch.curation.annotation.bundle import Job, Page, texts
from vouch.io import sha256
from vouch.tasks import Task
from vouch.vision.images.decoding import read_header

PACK = {
    "format": 1,
    "municipality": "Town",
    "version": "1",
    "source": "a test",
    "licence": "CC0-1.0",
    "streams": [{"id": "metal", "name": "metal"}],
    "items": [
        {"name": "can", "stream": "metal", "synonyms": ["tin"], "formerly": ["beverage can"]},
        {"name": "lid", "stream": None, "prohibited": ["metal"]},
        {"name": "jar", "parent": "can", "stream": "metal"},
    ],
    "negatives": [{"name": "toy"}],
}
WANTED = "strata:\n  light:\n  - day\n  - night\nrows_per_class: 1\nrows_per_negative: 1\nrows_of:\n  jar: 2\n"
PEOPLE = ("row_id", "class", "negative", "stratum_light", "note")
ROWS = (
    "row_id,class,negative,stratum_light,photograph,url,source,license,status,note\n"
    "r1,jar,false,day,,,,,wanted,Kim's\n"
    'r2,jar,false,night,new/p0.jpg,,mine,CC0-1.0,suggested,"she said ""no"""\n'
    "r3,toy,true,day,,HTTPS://Example.org:443/a/../b.jpg,mine,CC0-1.0,labelled,- broken\n"
)
CATALOGUE = (
    "photograph,url,class,license,source,negative,stratum_light\n"
    "new/p0.jpg,,jar,CC0-1.0,Ann,false,day\nnew/p1.png,,jar,CC0-1.0,,,\n,https://example.org/toy.jpg,toy,MIT,,true,night\n"
)
MUST = "!"  # begins what was done where an answer would be wrong


def _pack(rng: np.random.Generator, folder: Path) -> Attempt:
    """A pack with one value replaced, removed, doubled or added, or with noise in its bytes."""
    workspace(folder, "params.yaml")
    _ground()
    text, told = (json.dumps(PACK), "sound") if rng.random() < 0.1 else spoiled(rng, PACK)
    content = text.encode("utf-8", "surrogatepass")
    Path("pack.json").write_bytes(noisy(rng, content) if told != "sound" and rng.random() < 0.2 else content)
    words = ["curate", "taxonomy", "--pack", "pack.json", "-o", "out.json"]
    return Attempt(
        f"pack: {told}", lambda: typed(*words), _taxonomy_fault, new=("here/out.json",), sound=told == "sound"
    )


def _taxonomy_fault(_: Any) -> str:
    items = json.loads(Path("out.json").read_text())["items"]
    ids = [one["id"] for one in items]
    return "" if len(set(ids)) == len(ids) else f"ids that stand twice: {ids}"


def _table(rng: np.random.Generator, folder: Path) -> Attempt:
    """A table in which a cell, a column or a line is another, or with noise in its bytes."""
    workspace(folder, "params.yaml", "new")
    _ground()
    text = ROWS
    for _ in range(int(rng.integers(3))):
        text = respelt(rng, text)
    content = text.encode("utf-8", "surrogatepass")
    content = noisy(rng, content) if rng.random() < 0.2 else content
    Path("rows.csv").write_bytes(content)
    wanted = ("--taxonomy", "taxonomy.json", "--wanted", "wanted.yaml")
    lines = (
        ("manifest", "rows.csv", *wanted),
        ("coverage", "rows.csv", *wanted),
        ("normalize", "rows.csv"),
        ("dedupe", "rows.csv"),
        ("suggest", "rows.csv", "--catalogue", "catalogue.csv"),
        ("resolve", "rows.csv", "--photographs", "new"),
    )
    words = pick(rng, lines)
    before, sound = content, text == ROWS == content.decode("utf-8", "replace")
    told = f"vouch curate {words[0]} on {ascii(text)[:200]}"
    right = lambda _: _people_fault(before, Path("rows.csv").read_bytes())  # noqa: E731
    return Attempt(told, lambda: typed("curate", *words), right, rewritten=("here/rows.csv",), sound=sound)


def _people_fault(before: bytes, after: bytes) -> str:
    """Say which cell of people is not what it was."""
    old, new = (list(csv.DictReader(io.StringIO(one.decode("utf-8-sig"), newline=""))) for one in (before, after))
    if len(new) < len(old):
        return f"{len(old) - len(new)} rows are gone"
    for first, second in zip(old, new, strict=False):
        changed = [name for name in PEOPLE if name in first and first[name] != second.get(name)]
        if changed:
            return f"{changed[0]} of {first['row_id']!r} was {first[changed[0]]!r}, and is {second.get(changed[0])!r}"
    return ""


def _catalogue(rng: np.random.Generator, folder: Path) -> Attempt:
    """A catalogue in which a cell, a column or a line is another; photographs elsewhere among them."""
    workspace(folder, "params.yaml", "new")
    _ground()
    text = respelt(rng, CATALOGUE)
    if rng.random() < 0.3:
        text = CATALOGUE.replace("new/p1.png", pick(rng, ("../x.png", "/etc/passwd", "new", "new/../../p.png", *WORDS)))
    Path("catalogue.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    before = Path("rows.csv").read_bytes()
    words = ("curate", "suggest", "rows.csv", "--catalogue", "catalogue.csv", "--license", "MIT")
    right = lambda _: _people_fault(before, Path("rows.csv").read_bytes())  # noqa: E731
    return Attempt(f"catalogue {ascii(text)[:200]}", lambda: typed(*words), right, rewritten=("here/rows.csv",))


def _bundle(rng: np.random.Generator, folder: Path) -> Attempt:
    """A bundle that came back from reviewers with something else in it than what they were to do."""
    workspace(folder)
    bundled("detect")
    _reviewed()
    change = pick(rng, tuple(CHANGES))
    told = CHANGES[change](rng)
    words = ["curate", "check", "out", *(["--strict"] if rng.random() < 0.5 else [])]
    right = lambda _: "accepted, where it must be refused" if told.startswith(MUST) else ""  # noqa: E731
    return Attempt(f"bundle: {change}: {told}", lambda: typed(*words), right, sound=change == "sound")


def bundled(task: Task) -> None:
    """Bundle two photographs of the ground, the second a negative."""
    pages = []
    for place, name in enumerate(("p0.jpg", "p1.png")):
        image, (width, height) = f"images/{place}_{name}", read_header(Path("new", name)).size
        Path("out/images").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path("new", name), Path("out", image))
        stated: dict[str, Any] = {"groups": {}, "strata": {}, "source": "", "license": "", "said": (), "name": ""}
        known = {"row_id": str(place), "negative": place == 1, "width": width, "height": height}
        pages.append(Page(image=image, sha256=sha256(Path("new", name)), photograph=f"new/{name}", **known, **stated))
    job = Job("driver", "driver", task, tuple(labels.CLASSES), False, tuple(pages))
    for name, text in texts(job).items():
        labels.write(Path("out", name), text.encode())


def _reviewed() -> None:
    content = json.loads(Path("out/annotations.json").read_text())
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 12, 12], "area": 144, "iscrowd": 0}
    content["annotations"].append(box)
    labels.write(Path("out/reviews/ann.json"), json.dumps(content).encode())


def _edit(path: str, change: Callable[[Any], object]) -> None:
    content = json.loads(Path(path).read_text())
    change(content)
    Path(path).write_text(json.dumps(content))


def _spoil(path: str) -> Callable[[np.random.Generator], str]:
    def change(rng: np.random.Generator) -> str:
        text, told = spoiled(rng, json.loads(Path(path).read_text()))
        content = text.encode("utf-8", "surrogatepass")
        Path(path).write_bytes(noisy(rng, content) if rng.random() < 0.2 else content)
        return told

    return change


def _image() -> Path:
    return sorted(Path("out/images").iterdir())[0]


def _swap(rng: np.random.Generator) -> str:
    shutil.copyfile("new/p1.png", _image())
    return f"{MUST}another photograph under the same name"


def _judging(rng: np.random.Generator) -> str:
    held = pick(rng, sorted(Path("data/sources/driver/mine").glob("*.png")))  # all of them are in val_calib
    shutil.copyfile(held, _image())
    digest, image = sha256(_image()), _image().relative_to("out").as_posix()

    def known(content: Any) -> None:
        for page in content["photographs"]:
            page.update(sha256=digest if page["image"] == image else page["sha256"])

    _edit("out/manifest.json", known)
    return f"{MUST}{held.name} lies in a validation split"


def _foreign(rng: np.random.Generator) -> str:
    _edit("out/reviews/ann.json", lambda content: content["categories"][0].update(name=pick(rng, ("sofa", "", "CAN"))))
    return f"{MUST}a class that the data set lacks"


def _leaving(rng: np.random.Generator) -> str:
    path = pick(rng, ("../../params.yaml", "/etc/passwd", "images/../../p.png", "..", "images/../images/../../x"))
    key = pick(rng, ("review", "manifest"))
    if key == "review":
        _edit("out/reviews/ann.json", lambda content: content["images"][0].update(file_name=path))
    else:
        _edit("out/manifest.json", lambda content: content["photographs"][0].update(image=path))
    return f"{MUST}{path} in the {key}"


def _boxed(rng: np.random.Generator) -> str:
    _edit("out/reviews/ann.json", lambda content: content["annotations"][0].update(image_id=2))
    return f"{MUST}a box on a negative"


def _linked(rng: np.random.Generator) -> str:
    image = _image()
    image.unlink()
    image.symlink_to(pick(rng, ("../../params.yaml", "/dev/zero", "gone", "../../new/p0.jpg")))
    return f"{MUST}a link in the place of a photograph"


CHANGES: dict[str, Callable[[np.random.Generator], str]] = {
    "sound": lambda rng: "nothing",
    "manifest": _spoil("out/manifest.json"),
    "review": _spoil("out/reviews/ann.json"),
    "more of the review": _spoil("out/reviews/ann.json"),
    "swapped": _swap,
    "judging": _judging,
    "foreign": _foreign,
    "leaving": _leaving,
    "boxed": _boxed,
    "linked": _linked,
}


def _ground() -> None:
    """Write what the commands take beside the case itself."""
    shutil.copytree(ROOT / "presets", "presets")
    Path("good.json").write_text(json.dumps(PACK))
    typed("curate", "taxonomy", "--pack", "good.json", "-o", "taxonomy.json")
    Path("wanted.yaml").write_text(WANTED)
    Path("rows.csv").write_text(ROWS)
    Path("catalogue.csv").write_text(CATALOGUE)


KINDS = {"pack": _pack, "table": _table, "more tables": _table, "catalogue": _catalogue, "bundle": _bundle}
