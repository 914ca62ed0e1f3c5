"""Photographs that a person might label next, wherever they come from, and what a label of each is worth."""

import math
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from vouch.curation.benchmark.rows import Rows
from vouch.curation.catalogue.suggestions import entropy
from vouch.curation.retraining.answers import Answers, Said, least_sure
from vouch.curation.retraining.choosing import NONE, Pool, Terms
from vouch.curation.retraining.review_queue import Queued
from vouch.curation.retraining.weakness import NOTHING, Share
from vouch.params import Section
from vouch.quality.duplicates import THUMBNAIL_BYTES

OPEN = ("suggested", "resolved")  # statuses of rows that nobody labelled or rejected
SILENT = "nothing found where a row names it"


class Gain(Section):
    """`curate.retrain`: what makes a label worth asking for."""

    unsure: Annotated[float, Field(ge=0, le=100)]
    weak: Annotated[float, Field(ge=0, le=100)]
    missed: Annotated[float, Field(ge=0, le=100)]
    diversity: Annotated[float, Field(ge=0, le=1)]
    class_share: Annotated[float, Field(gt=0, le=1)]
    stratum_share: Annotated[float, Field(gt=0, le=1)]
    per_group: Annotated[int, Field(ge=1)]
    level: Annotated[float, Field(gt=0.5, lt=1)]
    correlation: Annotated[float, Field(ge=0, le=1)]
    seed: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Unlabelled:
    """One photograph, what a table says of it, and what the model said."""

    photograph: str
    row_id: str = ""
    name: str = ""  # class that the row asks for; '' where nobody knows
    negative: bool = False
    strata: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    license: str = ""
    said: Said | None = None
    reason: str = ""

    @property
    def kind(self) -> tuple[str, bool]:
        """What a quota counts: the class asked for, else the class said; and whether nothing of it is to be seen."""
        return self.name or ("" if self.said is None else self.said.name), self.negative


def of_rows(rows: Rows, answers: Answers, labels: Mapping[str, str]) -> list[Unlabelled]:
    """Return the rows with a photograph that nobody labelled; `labels`: class of the model for the class of a row."""
    names = ("row_id", "class", "negative", "status", "photograph", "source", "license")
    columns = zip(*map(rows.column, names), rows.stated(rows.strata), rows.stated(rows.groups), strict=True)
    found = []
    for row_id, name, negative, status, photograph, source, license_, strata, groups in columns:
        if status in OPEN and photograph:
            label, said = labels.get(name, name), _said(answers, photograph)
            found.append(
                Unlabelled(
                    photograph,
                    row_id,
                    label,
                    negative == "true",
                    strata,
                    groups,
                    source,
                    license_,
                    said,
                    f"{status} row",
                )
            )
    return found


def of_files(photographs: Iterable[Path], answers: Answers) -> list[Unlabelled]:
    """Return photographs of which nobody says anything yet."""
    return [Unlabelled(one.as_posix(), said=_said(answers, one.as_posix()), reason="candidate") for one in photographs]


def of_queue(queued: Iterable[Queued]) -> list[Unlabelled]:
    """Return each photograph of a review queue once, by the answer of which its being right is the most open."""
    found: dict[str, Unlabelled] = {}
    for one in queued:
        said = Said(one.answer.said or "", one.answer.score, one.answer.box_xyxy, accepted=False)
        known = found.get(one.photograph.as_posix())
        if known is None or known.said is None or least_sure((known.said, said)) is said:
            reason = f"review queue: {one.answer.reason}"
            found[one.photograph.as_posix()] = Unlabelled(one.photograph.as_posix(), said=said, reason=reason)
    return list(found.values())


def unsure(one: Unlabelled) -> float:
    """Return how open the model's answer is, in bits.

    Where it says nothing, it is 1 bit where a row names something to be found (a miss, or a wrong row), and else 0.
    """
    if one.said is not None:
        return entropy(one.said.confidence)
    return 1.0 if one.name and not one.negative else 0.0


def pool_of(
    found: Sequence[Unlabelled],
    looks: NDArray[np.float32],
    classes: Mapping[str, Share],
    strata: Mapping[tuple[str, str], Share],
    gain: Gain,
    *,
    most: int,
) -> tuple[Pool, Terms]:
    """Return the arrays that `choosing.choose` takes.

    Parameters
    ----------
    looks : float32 (n, d), rows of length 1, of the same photographs
    classes, strata : what val_select says of each class, and of each value of each stratum
    most : labels that a person gives
    """
    kinds = sorted({one.kind for one in found})
    places = {name: place for place, name in enumerate(kinds)}
    unsaid = _unsaid(kinds, classes)
    weak = [gain.weak * _weakness(kind, classes, unsaid) for kind in kinds]
    value = [gain.unsure * unsure(one) + gain.missed * _missed(one, strata) for one in found]
    pool = Pool(
        value=np.array(value, np.float64),
        classes=np.array([places[one.kind] for one in found], np.int64),
        strata=_columns([one.strata for one in found], least=2),  # one value alone divides nothing
        groups=_columns([one.groups for one in found], least=1),
        looks=looks,
    )
    share = max(gain.class_share, 1 / max(len(kinds), 1))
    terms = Terms(
        weak=np.array(weak, np.float64),
        fair=most / max(len(kinds), 1),
        diversity=gain.diversity,
        per_class=math.ceil(share * most),
        per_stratum=math.ceil(gain.stratum_share * most),
        per_group=gain.per_group,
    )
    return pool, terms


def looks_of(thumbnails: Sequence[bytes]) -> NDArray[np.float32]:
    """Return thumbnails of luma as float32 rows of length 1 whose products are correlations; 0 for a plain one."""
    luma = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(len(thumbnails), THUMBNAIL_BYTES).astype(np.float32)
    if len(luma):
        luma -= luma.mean(axis=1, keepdims=True)
    length = np.linalg.norm(luma, axis=1, keepdims=True)
    length[length == 0] = np.inf
    looks: NDArray[np.float32] = (luma / length).astype(np.float32)
    return looks


def _unsaid(kinds: Iterable[tuple[str, bool]], classes: Mapping[str, Share]) -> float:
    """Return how weak the weakest class is that no photograph was given, by a row or by the model; 0 without one."""
    given = {name for name, negative in kinds if not negative}
    return max((1 - share.low for name, share in classes.items() if name not in given), default=0.0)


def _weakness(kind: tuple[str, bool], classes: Mapping[str, Share], unsaid: float) -> float:
    """Return how weak a class is; of what is none of it there is nothing to be found.

    Where nobody says anything, a class may be seen that the model never finds: without that, such a class would get no
    label however often it is there.
    """
    name, negative = kind
    if negative:
        return 0.0
    return 1 - classes.get(name, NOTHING).low if name else unsaid


def _said(answers: Answers, photograph: str) -> Said | None:
    return least_sure(answers.get(posixpath.normpath(photograph), ()))


def _missed(one: Unlabelled, strata: Mapping[tuple[str, str], Share]) -> float:
    known = [strata[item] for item in one.strata.items() if item in strata]
    return max((1 - share.low for share in known), default=0.0)


def _columns(stated: Sequence[Mapping[str, str]], *, least: int) -> NDArray[np.int64]:
    """Return a column of codes for each name of which at least so many values are stated, no code in two of them."""
    names = sorted({name for one in stated for name in one})
    columns, start = [], 0
    for name in names:
        codes = _codes([one.get(name) for one in stated])
        if codes.max(initial=NONE) >= least - 1:
            columns.append(np.where(codes == NONE, NONE, codes + start))
            start += int(codes.max()) + 1
    return np.stack(columns, axis=1) if columns else np.empty((len(stated), 0), np.int64)


def _codes(values: Sequence[object]) -> NDArray[np.int64]:
    places: dict[object, int] = {None: NONE}
    return np.array([places.setdefault(value, len(places) - 1) for value in values], np.int64)
