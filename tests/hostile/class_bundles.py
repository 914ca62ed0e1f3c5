"""Bundles of classes that came back: a CSV, Label Studio's choices or folders, with something wrong in them."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hostile import labels
from hostile.contract import Attempt
from hostile.curation import MUST, bundled
from hostile.entering import typed, workspace
from hostile.values import WORDS, noisy, pick, spoiled
from vouch.curation.annotation.bundle import LOCAL

CAN, JAR = labels.CLASSES
FOREIGN = ("sofa", "CAN", "can ", "no label")
Said = list[tuple[str, str]]  # photographs and their classes


def _bundle(rng: np.random.Generator, folder: Path) -> Attempt:
    """A sound review of two photographs, one with other classes, or one with noise in it; in each form."""
    workspace(folder)
    bundled("classify")
    said, told = _said(rng, [path.relative_to("out").as_posix() for path in sorted(Path("out/images").iterdir())])
    form = pick(rng, tuple(FORMS))
    if told == "noise":
        told = FORMS[form](rng, said, True)
    else:
        FORMS[form](rng, said, False)
    words = ["curate", "check", "out", *(["--strict"] if rng.random() < 0.5 else [])]
    right = lambda _: "accepted, where it must be refused" if told.startswith(MUST) else ""  # noqa: E731
    return Attempt(f"{form}: {told}", lambda: typed(*words), right, sound=told == "sound")


def _said(rng: np.random.Generator, images: list[str]) -> tuple[Said, str]:
    first, second = images
    cases = {
        "sound": [(first, CAN), (second, JAR)],
        "noise": [(first, CAN), (second, JAR)],
        f"{MUST}a class that the data set lacks": [(first, pick(rng, FOREIGN)), (second, JAR)],
        f"{MUST}two classes": [(first, CAN), (first, JAR)],
        f"{MUST}a photograph of no bundle": [("images/9_p9.jpg", CAN), (second, JAR)],
    }
    told = pick(rng, tuple(cases))
    return cases[told], told


def _table(rng: np.random.Generator, said: Said, noise: bool) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("image", "label"), *said])
    if noise:
        text.write(f"{said[0][0]},{pick(rng, WORDS)}\n")
    content = text.getvalue().encode("utf-8", "surrogatepass")
    labels.write(Path("out/reviews/ann.csv"), noisy(rng, content) if noise and rng.random() < 0.5 else content)
    return "noise"


def _choices(rng: np.random.Generator, said: Said, noise: bool) -> str:
    tasks = [
        {
            "data": {"image": LOCAL + image},
            "annotations": [{"result": [{"type": "choices", "value": {"choices": [name]}}]}],
        }
        for image, name in said
    ]
    text, told = spoiled(rng, tasks) if noise else (json.dumps(tasks), "")
    labels.write(Path("out/reviews/ann.json"), text.encode("utf-8", "surrogatepass"))
    return told


def _folders(rng: np.random.Generator, said: Said, noise: bool) -> str:
    for image, name in said:
        place = Path("out/reviews/ann", name, Path(image).name)
        place.parent.mkdir(parents=True, exist_ok=True)
        known = Path("out", image)
        shutil.copyfile(known if known.is_file() else Path("new/p0.jpg"), place)
    if noise:
        place.unlink()
        place.symlink_to(pick(rng, ("/dev/zero", "gone", "..", "../../../../params.yaml", place.name)))
        return f"{MUST}a link in the place of a photograph"
    return ""


FORMS: dict[str, Callable[[np.random.Generator, Said, bool], str]] = {
    "table": _table,
    "choices": _choices,
    "folders": _folders,
}
KINDS = {"bundle of classes": _bundle}
