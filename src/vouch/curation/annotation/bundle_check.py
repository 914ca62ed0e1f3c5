"""What keeps a reviewed bundle from becoming labels: every problem, of every photograph and every reviewer."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.optimize import linear_sum_assignment

from vouch import io
from vouch.curation.annotation.records import Box, Kept, Labels, Manifest, Review
from vouch.errors import Problem, so_many
from vouch.params import Section
from vouch.sources.tree import inside, photographs_below
from vouch.tasks import ByTask
from vouch.vision.boxes import iou_matrix

SLACK_PX = 1.0  # tools round to whole pixels


class Agreement(Section):
    """`curate.check`: when two reviewers say the same."""

    iou: Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class Findings:
    """What is wrong whatever is asked, and what a person may still be about to do: missing labels, disagreement."""

    problems: tuple[Problem, ...]
    unfinished: tuple[Problem, ...]


def photograph_problems(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Yield what is wrong with the files: missing, swapped under the same name, beyond the bundle, or unknown to it."""
    known = set()
    for page in manifest.photographs:
        path, place = folder / page.image, inside(page.image)
        known.add(page.image)
        if place is None or not place.startswith("images/"):
            yield Problem(page.image, "a path within the bundle", "one that leaves it", "bundle it again")
        elif path.is_symlink() and not manifest.linked:
            yield Problem(page.image, "a file of the bundle", "a link", "put the photograph there")
        elif not path.is_file():
            yield Problem(page.image, "a photograph", "no file", "bring it back")
        elif io.sha256(path) != page.sha256:
            yield Problem(page.image, f"sha256 {page.sha256}", "another photograph of this name", "bring it back")
    images = folder / "images"
    for path in photographs_below(images) if images.is_dir() else []:
        name = path.relative_to(folder).as_posix()
        if name not in known:
            yield Problem(name, "a photograph of manifest.json", "an unknown one", "remove it")


def label_findings(
    manifest: Manifest, reviews: Mapping[str, Review], *, min_side_px: float, agree_iou: float
) -> Findings:
    """Return what is wrong with the labels.

    Boxes lie in their picture and have sides of `min_side_px`, or else there is one class of the whole and no box;
    classes are the data set's; a negative has no box and no label of its class. Unfinished: a photograph that nobody
    labelled, and one of which two reviewers say different things: boxes of one class with an IoU of `agree_iou` are one
    object.
    """
    problems: list[Problem] = []
    unfinished: list[Problem] = []
    for page in manifest.photographs:
        said = {who: review[page.image] for who, review in reviews.items() if page.image in review}
        for who, labels in said.items():
            problems += WRONG[manifest.task](page, labels, f"{page.image} ({who})", manifest, min_side_px)
        if not said:
            unfinished.append(Problem(page.image, "a label", "nobody's", "label it, or take it out"))
        for (one, mine), (other, theirs) in combinations(said.items(), 2):
            if differ := _difference(mine, theirs, agree_iou):
                where = f"{page.image} ({one}, {other})"
                unfinished.append(Problem(where, "two reviewers who agree", differ, "let them settle it"))
    return Findings(tuple(problems), tuple(unfinished))


def _wrong_boxes(page: Kept, labels: Labels, where: str, manifest: Manifest, min_side_px: float) -> Iterator[Problem]:
    if labels.label is not None:
        yield Problem(where, "boxes", f"a class of the whole photograph: {labels.label}", "draw boxes instead")
    for place, box in enumerate(labels.boxes):
        yield from _wrong_box(page, box, f"{where}: box {place}", manifest, min_side_px)
    if page.negative and labels.boxes:
        got = f"{len(labels.boxes)} of {', '.join(sorted({box[0] for box in labels.boxes}))}"
        yield Problem(where, "a negative without boxes", got, "remove them, or correct the row")


def _wrong_label(page: Kept, labels: Labels, where: str, manifest: Manifest, min_side_px: float) -> Iterator[Problem]:
    if labels.boxes:
        got = so_many(len(labels.boxes), "box")
        yield Problem(where, "a class of the whole photograph", got, "choose its class instead")
    if labels.label is None:
        return
    if labels.label not in manifest.classes:
        yield Problem(where, "a class of the data set", labels.label, f"one of {', '.join(manifest.classes)}")
    elif page.negative and labels.label == page.name:
        yield Problem(where, f"a negative: not {page.name}", page.name, "correct the label, or the row")


Wrong = Callable[[Kept, Labels, str, Manifest, float], Iterator[Problem]]
WRONG: ByTask[Wrong] = ByTask(detect=_wrong_boxes, classify=_wrong_label, identify=_wrong_label)


def _wrong_box(page: Kept, box: Box, where: str, manifest: Manifest, min_side_px: float) -> Iterator[Problem]:
    name, x1, y1, x2, y2 = box
    shown = ", ".join(f"{corner:.1f}" for corner in box[1:])
    if name not in manifest.classes:
        yield Problem(where, "a class of the data set", name, f"one of {', '.join(manifest.classes)}")
    if not all(map(math.isfinite, box[1:])):
        yield Problem(where, "four numbers", shown, "draw it again")
        return
    if min(x1, y1) < -SLACK_PX or x2 > page.width + SLACK_PX or y2 > page.height + SLACK_PX:
        yield Problem(where, f"a box within {page.width} x {page.height} px", shown, "draw it again")
    if min(x2 - x1, y2 - y1) < min_side_px:
        yield Problem(where, f"sides of at least {min_side_px:g} px", shown, "draw it again, or remove it")


def _difference(mine: Labels, theirs: Labels, agree_iou: float) -> str:
    """Return in what two reviewers differ, '' in nothing."""
    if mine.label != theirs.label:
        return " and ".join(labels.label or "no class" for labels in (mine, theirs))
    alone = 0
    for name in sorted({box[0] for box in (*mine.boxes, *theirs.boxes)}):
        one, other = (_corners(labels, name) for labels in (mine, theirs))
        alike = iou_matrix(one, other)
        rows, columns = linear_sum_assignment(-alike)
        alone += len(one) + len(other) - 2 * int((alike[rows, columns] >= agree_iou).sum())
    return f"{so_many(alone, 'box')} of one alone" if alone else ""


def _corners(labels: Labels, name: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    held = [box[1:] for box in labels.boxes if box[0] == name and all(map(math.isfinite, box[1:]))]
    return np.array(held, np.float64).reshape(-1, 4)
