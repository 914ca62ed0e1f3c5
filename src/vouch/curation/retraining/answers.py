"""What a model says of photographs, and how sure it is: a table as `vouch predict --csv` writes it."""

import math
import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vouch.curation.benchmark import csv_text
from vouch.curation.benchmark.csv_text import Table
from vouch.curation.catalogue.suggestions import entropy
from vouch.errors import DataError, Problem, refuse_any
from vouch.sources.parsing import number

CORNERS = ("x1", "y1", "x2", "y2")
NEEDED = ("image", "class_pred", "confidence")
PHOTOGRAPH = ("photograph", "image", "url")  # columns, one of which a table of one's own must have
SURE = ("confidence", "score")  # and one of these, the first where both are there


@dataclass(frozen=True)
class Said:
    """One answer: a class, the calibrated probability that it is right, and a detector's box in pixels."""

    name: str
    confidence: float
    box_xyxy: tuple[float, float, float, float] | None
    accepted: bool


Answers = Mapping[str, Sequence[Said]]


def read_answers(path: Path) -> Answers:
    """Return what is said of each photograph, by its path in normal form, in the order of the table.

    The columns are `image`, `class_pred` and `confidence`; `accept`, and `x1`, `y1`, `x2`, `y2` where there are boxes.

    Raises
    ------
    DataError
        Listing everything: what `csv_text.read` refuses, a column that is missing, a confidence outside [0, 1], an
        `accept` that is neither true nor false, a corner that is no number.
    """
    table = csv_text.read(path)
    boxed = [name for name in CORNERS if name in table.columns]
    missing = [name for name in (*NEEDED, *(CORNERS if boxed else ())) if name not in table.columns]
    got, remedy = ", ".join(table.columns), "write it with `vouch predict M PHOTOGRAPHS --csv`"
    refuse_any(DataError, (Problem(f"{path}:1", f"a column {name}", got, remedy) for name in missing))
    found: dict[str, list[Said]] = defaultdict(list)
    problems: list[Problem] = []
    for index in range(len(table.records)):
        one = _said(table, index, boxed=bool(boxed))
        if isinstance(one, Problem):
            problems.append(one)
        else:
            found[posixpath.normpath(table.records[index].cells[table.columns.index("image")])].append(one)
    refuse_any(DataError, problems)
    return found


def read_scores(path: Path) -> Mapping[str, float]:
    """Return each photograph's or url's probability that the model is right: of several, the least sure one.

    The columns are `photograph`, `image` or `url`, and `confidence`, or else `score`; the others have no meaning here.

    Raises
    ------
    DataError
        Listing everything: what `csv_text.read` refuses, a column that is missing, a score outside [0, 1].
    """
    table = csv_text.read(path)
    named, sure = ([name for name in known if name in table.columns] for known in (PHOTOGRAPH, SURE))
    missing = [" or ".join(known) for known, found in ((PHOTOGRAPH, named), (SURE, sure)) if not found]
    got, remedy = ", ".join(table.columns), "rename the column that says it"
    refuse_any(DataError, (Problem(f"{path}:1", f"a column {one}", got, remedy) for one in missing))
    scores: dict[str, float] = {}
    problems: list[Problem] = []
    for index, (name, text) in enumerate(zip(table.column(named[0]), table.column(sure[0]), strict=True)):
        score = _probability(table, index, sure[0], text)
        if isinstance(score, Problem):
            problems.append(score)
            continue
        key = name if "://" in name else posixpath.normpath(name)
        scores[key] = max(scores.get(key, score), score, key=entropy)
    refuse_any(DataError, problems)
    return scores


def least_sure(said: Sequence[Said]) -> Said | None:
    """Return the answer whose being right is the most open, the first of equals; None where nothing is said."""
    return max(said, key=lambda one: entropy(one.confidence), default=None)


def _said(table: Table, index: int, *, boxed: bool) -> Said | Problem:
    cells = dict(zip(table.columns, table.records[index].cells, strict=True))
    sure = _probability(table, index, "confidence", cells["confidence"])
    if isinstance(sure, Problem):
        return sure
    box = None
    if boxed:
        corners = [number(cells[name]) for name in CORNERS]
        if any(corner is None or not math.isfinite(corner) for corner in corners):
            return Problem(f"{table.place(index)}: {', '.join(CORNERS)}", "four pixels", str(corners), "correct it")
        box = (float(corners[0] or 0), float(corners[1] or 0), float(corners[2] or 0), float(corners[3] or 0))
    accept = cells.get("accept", "True").lower()
    if accept not in ("true", "false"):
        return Problem(f"{table.place(index)}: accept", "True or False", cells["accept"], "correct it")
    return Said(cells["class_pred"], sure, box, accept == "true")


def _probability(table: Table, index: int, column: str, text: str) -> float | Problem:
    value = number(text)
    if value is None or not 0 <= value <= 1:
        return Problem(f"{table.place(index)}: {column}", "a number in [0, 1]", text, "correct it")
    return value
