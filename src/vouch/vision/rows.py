"""Answers become rows once, here: from the waist on, calibration and gates do not know what a network looks like."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import BundleError, DataError, Problem, refuse_any
from vouch.tables import DETECTION, GATE_LOGIT, LOGIT, ROWS, stratum_columns
from vouch.vision.boxes import Detections, match
from vouch.vision.identification import Identified


def detection_rows(
    samples: pd.DataFrame,
    boxes: pd.DataFrame,
    found: Iterable[tuple[Detections, tuple[int, int]]],
    classes: tuple[str, ...],
) -> pd.DataFrame:
    """Return the waist's rows: one per detection, one per missed truth, one per photograph where neither is.

    Parameters
    ----------
    samples : one row per photograph, in the order of `found`: sample_id, group, stratum_*
    boxes : labelled objects of those photographs, corners in [0, 1]
    found : detections in pixels, scores descending, and the photograph's (width, height)
    classes : name of each class id of `found`

    Returns
    -------
    Columns of `tables.ROWS` and `tables.DETECTION` and the strata, in photograph order.
    """
    truths = {sample_id: part for sample_id, part in boxes.groupby("sample_id", sort=False)}
    none = boxes.iloc[:0]
    carried = ["sample_id", "group", *stratum_columns(samples)]
    rows: list[dict[Any, Any]] = []
    for (sample, carry), (detections, size) in zip(
        zip(samples["sample_id"], samples[carried].to_dict("records"), strict=True), found, strict=True
    ):
        rows += [carry | row for row in _photograph_rows(detections, truths.get(sample, none), size, classes)]
    table = pd.DataFrame(rows, columns=[*carried, *ROWS[2:], *DETECTION])
    return table.astype(
        {"class_true": "str", "class_pred": "str", "score": "float64", "correct": "bool", "hits": "uint16"}
    )


def _photograph_rows(
    found: Detections, truths: pd.DataFrame, size: tuple[int, int], classes: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    truth_xyxy = truths[["x1", "y1", "x2", "y2"]].to_numpy(np.float64) * np.array([*size, *size], np.float64)
    names = truths["class_name"].to_numpy(object)
    # a truth whose class the network does not know gets id -1, which no detection has: it stays a miss
    ids = {name: index for index, name in enumerate(classes)}
    truth_ids = np.array([ids.get(name, -1) for name in names], np.int64)
    matches = match(found, truth_xyxy, truth_ids)
    for index in range(len(found.scores)):
        name = classes[found.class_ids[index]]
        hit = matches.truth[index] >= 0
        yield _row(name if hit else None, name, found.boxes_xyxy[index]) | {
            "score": float(found.scores[index]),
            "correct": bool(hit),
            "iou": float(matches.iou[index]),
            "hits": int(matches.hits[index]),
        }
    missed = np.setdiff1d(np.arange(len(names)), matches.truth)
    for index in missed:
        yield _row(names[index], None, truth_xyxy[index])
    if len(found.scores) == 0 and len(names) == 0:
        yield _row(None, None, np.full(4, np.nan))


def _row(class_true: str | None, class_pred: str | None, box_xyxy: Any) -> dict[str, Any]:
    corners = dict(zip(("x1", "y1", "x2", "y2"), (float(value) for value in box_xyxy), strict=True))
    empty = {"score": 0.0, "correct": False, "iou": 0.0, "hits": 0}
    return {"class_true": class_true, "class_pred": class_pred} | empty | corners


def classification_rows(
    samples: pd.DataFrame, answers: Iterable[NDArray[np.float64]], classes: tuple[str, ...]
) -> pd.DataFrame:
    """Return the waist's rows: one per photograph, with its label, the network's class and the logits.

    Parameters
    ----------
    samples : one row per photograph, in the order of `answers`: sample_id, group, label, stratum_*
    answers : float64 arrays, shape (classes,) or (classes + 1,): the last is the gate's logit
    classes : name of each logit

    Returns
    -------
    Columns of `tables.ROWS`, the strata, `logit_<class>` and, where there is a gate, `gate_logit`.

    Raises
    ------
    BundleError
        When the network gives another number of values than the classes ask for.
    DataError
        Listing every photograph for which the network gave a value that is not finite.
    """
    values = np.stack([*answers]) if len(samples) else np.empty((0, len(classes)))
    if values.shape[1] not in (len(classes), len(classes) + 1):
        expected = f"{len(classes)} classes, and perhaps a gate"
        raise BundleError([Problem("model.onnx: output", expected, f"{values.shape[1]} values", "export again")])
    broken = samples["sample_id"].iloc[np.flatnonzero(~np.isfinite(values).all(axis=1))]
    refuse_any(DataError, [Problem(name, "finite logits", "NaN or infinity", "train again") for name in broken])
    logits = values[:, : len(classes)]
    said = np.asarray(classes, dtype=object)[logits.argmax(axis=1)]
    table = samples[["sample_id", "group", *stratum_columns(samples)]].reset_index(drop=True)
    table = table.assign(
        class_true=samples["label"].to_numpy(dtype=object),
        class_pred=said,
        score=_largest_share(logits),
        correct=samples["label"].to_numpy(dtype=object) == said,
        **{LOGIT + name: logits[:, place] for place, name in enumerate(classes)},
    )
    if values.shape[1] > len(classes):
        table[GATE_LOGIT] = values[:, -1]
    return table.astype({"class_true": "str", "class_pred": "str", "score": "float64", "correct": "bool"})


def identification_rows(cut: pd.DataFrame, seen: Identified | None, known: Collection[str]) -> pd.DataFrame:
    """Return the waist's rows: one per crop, with its product, the nearest one that is known, and how near it is.

    Parameters
    ----------
    cut : table
        As `crops.crops` returns it.
    seen : Identified, optional
        Of these crops, in their order; none: nothing is said of any.
    known : collection of str
        Products that could have been said; a crop of any other has no true class.

    Returns
    -------
    Columns of `tables.ROWS`, the strata, `tables.IDENTIFICATION` and the crop's corners.
    """
    nothing = np.zeros(len(cut))
    said = np.full(len(cut), None, dtype=object) if seen is None else seen.product
    product = cut["product"].to_numpy(dtype=object)
    table = cut[["sample_id", "group", *stratum_columns(cut)]].assign(
        class_true=cut["product"].where(cut["product"].isin([*known]), None).to_numpy(dtype=object),
        class_pred=said,
        score=nothing if seen is None else seen.score,
        correct=product == said,
        similarity=nothing - 1 if seen is None else seen.similarity,
        margin=nothing if seen is None else seen.margin,
        product=product,
        **{name: cut[name] for name in DETECTION[:4]},
    )
    types = {"class_true": "str", "class_pred": "str", "product": "str", "score": "float64", "correct": "bool"}
    return table.astype(types)


def _largest_share(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest softmax of each row: exp(0) over the sum of exp(z - max z), class by class for speed."""
    columns = np.ascontiguousarray(logits.T)
    largest: NDArray[np.float64] = 1.0 / np.exp(columns - columns.max(axis=0)).sum(axis=0)
    return largest
