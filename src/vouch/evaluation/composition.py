"""A detector's boxes and an embedder's names become counts: what is on a photograph, and what the system said of it.

One object is one accepted detection, or one labelled box. The product of a detection is what the embedder accepts, else
`unknown`; that of a box is its label, `unknown` where the gallery does not hold it. Where nobody knows the product of a
box it is left out of the truth, and the detections on it are left out of what was said: whatever they are called,
nobody can say that it is wrong.
"""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.tables import COUNTS, UNKNOWN, products_of, stratum_columns
from vouch.vision.boxes import Detections, iou_matrix, match

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

CORNERS = ["x1", "y1", "x2", "y2"]
OVERLAP = 0.5  # IoU from which on a detection is on a box
OBJECTS = ("sample_id", "group", "class", "n_true", "n_pred", "row")  # one object of one side each, then stratum_*


def crops(detections: pd.DataFrame) -> pd.DataFrame:
    """Return the accepted detections with `crop_id`, "<sample_id>#<number>": what the embedder is to name.

    The number counts the accepted detections of a photograph from 0, best score first; of equal scores the earlier row.

    Parameters
    ----------
    detections : table
        Decided rows of a detector: `tables.ROWS`, `tables.DETECTION`, `accept`.
    """
    accepted = detections[detections["accept"].to_numpy(dtype=bool) & detections["class_pred"].notna().to_numpy()]
    ordered = accepted.iloc[np.argsort(-accepted["score"].to_numpy(dtype=np.float64), kind="stable")]
    numbers = ordered.groupby("sample_id", sort=False).cumcount().reindex(accepted.index)
    return accepted.assign(
        crop_id=[f"{name}#{number}" for name, number in zip(accepted["sample_id"], numbers, strict=True)]
    )


def objects(
    detections: pd.DataFrame,
    identifications: pd.DataFrame,
    boxes: pd.DataFrame,
    sizes: pd.DataFrame,
    *,
    products: Collection[str],
) -> pd.DataFrame:
    """Return one row per object, there (`n_true` 1) or said to be (`n_pred` 1), in order of photographs and products.

    Parameters
    ----------
    detections : table
        Decided rows of a detector on every photograph to be judged, those of no object too; corners in pixels.
    identifications : table
        `sample_id` (a `crop_id` of `crops`), `class_pred` and `accept`, one row for each crop.
    boxes : table
        `tables.BOXES`, corners in [0, 1]; the product is `product` where there is that column, else `class_name`. Boxes
        of other photographs are passed over.
    sizes : table
        `sample_id`, `width` and `height` of every photograph, pixels of the upright picture.
    products : names
        What the gallery holds.

    Returns
    -------
    table
        `OBJECTS` and `stratum_*`. `row` is the shelf row (Int64): a box's own, a detection's that of the box that it is
        on, else of the box whose middle is nearest in height; null where boxes state none.

    Raises
    ------
    DataError
        Naming every crop that is not identified, or twice, every identification of no crop, and every photograph
        without a size.
    """
    found = crops(detections)
    refuse_any(DataError, [*_unidentified(found, identifications), *_unsized(detections, sizes)])
    found, truths = _named(found, identifications), _truths(boxes, sizes, products)
    carried = ["sample_id", "group", *stratum_columns(detections)]
    rows: list[dict[Any, Any]] = []
    of_photograph = {name: part for name, part in found.groupby("sample_id", sort=False)}
    boxes_of = {name: part for name, part in truths.groupby("sample_id", sort=False)}
    for shared in detections[carried].drop_duplicates("sample_id").sort_values("sample_id").to_dict("records"):
        sample = shared["sample_id"]
        both = of_photograph.get(sample, found.iloc[:0]), boxes_of.get(sample, truths.iloc[:0])
        rows += [shared | row for row in _photograph(*both)]
    table = pd.DataFrame(rows, columns=[*OBJECTS, *stratum_columns(detections)])
    return table.astype({"n_true": np.int64, "n_pred": np.int64, "row": "Int64"})


def counts(found: pd.DataFrame) -> pd.DataFrame:
    """Return `tables.COUNTS` and `stratum_*` of objects, one row for each product of a photograph.

    A photograph on which nothing is and nothing was said has one row of `unknown`, 0 and 0.
    """
    return _summed(found)


def facings(found: pd.DataFrame) -> pd.DataFrame:
    """Return the same of every shelf row, called "<sample_id>#row<number>"; objects without a row are left out."""
    placed = found[found["row"].notna()]
    names = [f"{name}#row{row}" for name, row in zip(placed["sample_id"], placed["row"], strict=True)]
    return _summed(placed.assign(sample_id=names))


def _summed(found: pd.DataFrame) -> pd.DataFrame:
    keys = ["sample_id", "group", "class", *stratum_columns(found)]
    summed = found.groupby(keys, sort=True, dropna=False)[["n_true", "n_pred"]].sum().reset_index()
    some = (summed["n_true"] > 0) | (summed["n_pred"] > 0)
    kept = summed[some | ~summed["sample_id"].isin(summed["sample_id"][some])]
    return kept[[*COUNTS, *stratum_columns(found)]].reset_index(drop=True)


def _named(found: pd.DataFrame, identifications: pd.DataFrame) -> pd.DataFrame:
    """Return the crops with `product`: what the embedder accepts, else unknown."""
    said = identifications.set_index("sample_id").loc[found["crop_id"]]
    sure = said["accept"].to_numpy(dtype=bool) & said["class_pred"].notna().to_numpy()
    return found.assign(product=np.where(sure, said["class_pred"].to_numpy(object), UNKNOWN))


def _unidentified(found: pd.DataFrame, identifications: pd.DataFrame) -> Iterator[Problem]:
    named = identifications["sample_id"]
    for name in sorted(set(found["crop_id"]) - set(named)):
        yield Problem(f"identification of {name}", "a row", "none", "identify every accepted detection")
    for name in sorted(set(named) - set(found["crop_id"])):
        yield Problem(
            f"identification of {name}", "an accepted detection of that number", "none", "identify these again"
        )
    for name in sorted(set(named[named.duplicated()])):
        yield Problem(f"identification of {name}", "one row", "several", "identify these again")


def _unsized(detections: pd.DataFrame, sizes: pd.DataFrame) -> Iterator[Problem]:
    for name in sorted(set(detections["sample_id"]) - set(sizes["sample_id"])):
        yield Problem(str(name), "the size of the photograph", "none", "scan the data set again")


def _truths(boxes: pd.DataFrame, sizes: pd.DataFrame, products: Collection[str]) -> pd.DataFrame:
    """Return boxes of photographs that have a size, corners in pixels, with the product each counts as, or null."""
    named = products_of(boxes).to_numpy(dtype=object)
    known = pd.notna(named)
    counted = [name if name in products else UNKNOWN for name in named[known]]
    product = np.full(len(boxes), None, dtype=object)
    product[known] = counted
    placed = boxes["row"] if "row" in boxes else pd.array([pd.NA] * len(boxes), dtype="Int64")
    table = boxes[["sample_id", *CORNERS]].assign(product=product, row=placed)
    table = table.merge(sizes[["sample_id", "width", "height"]], on="sample_id", how="inner")
    scale = table[["width", "height", "width", "height"]].to_numpy(dtype=np.float64)
    table[CORNERS] = table[CORNERS].to_numpy(dtype=np.float64) * scale
    return table


def _photograph(found: pd.DataFrame, truths: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the objects of one photograph, or one of nothing where there is none."""
    found = found.iloc[np.argsort(-found["score"].to_numpy(dtype=np.float64), kind="stable")]
    boxes, true_boxes = (side[CORNERS].to_numpy(dtype=np.float64) for side in (found, truths))
    known, rows = truths["product"].notna().to_numpy(), truths["row"].to_numpy(dtype=object)
    place = np.full(len(boxes), -1, np.int64)
    if not known.all() or pd.notna(rows).any():  # else it does not matter which box a detection is on
        place = _on(boxes, found["score"].to_numpy(dtype=np.float64), true_boxes)
    kept = np.array([*known, True])[place]  # the last: of a detection on no box
    where = _nearest_row(boxes, place, true_boxes, rows)
    yield {"class": UNKNOWN, "n_true": 0, "n_pred": 0, "row": None}
    for product, row in zip(truths["product"][known], rows[known], strict=True):
        yield {"class": product, "n_true": 1, "n_pred": 0, "row": row}
    for product, row in zip(found["product"][kept], where[kept], strict=True):
        yield {"class": product, "n_true": 0, "n_pred": 1, "row": row}


def _on(boxes: FloatArray, scores: FloatArray, true_boxes: FloatArray) -> npt.NDArray[np.int64]:
    """Return the truth that each detection is on, or -1: the one matched to it, else the one it doubles.

    Of whatever class: a truth without a product has one that nobody knows.
    """
    alike = np.zeros(len(scores), np.int64)
    place = match(Detections(boxes, scores, alike), true_boxes, np.zeros(len(true_boxes), np.int64)).truth
    if len(true_boxes):
        overlap = iou_matrix(boxes, true_boxes)
        doubles = (place < 0) & (overlap.max(axis=1) >= OVERLAP)
        place = np.where(doubles, overlap.argmax(axis=1), place)
    return place


def _nearest_row(
    boxes: FloatArray, place: npt.NDArray[np.int64], true_boxes: FloatArray, rows: npt.NDArray[np.object_]
) -> npt.NDArray[np.object_]:
    """Return the shelf row of each detection."""
    stated = np.flatnonzero(pd.notna(rows))
    if not len(stated):
        return np.full(len(boxes), None, dtype=object)
    middle, true_middle = (one[:, [1, 3]].mean(axis=1) for one in (boxes, true_boxes[stated]))
    nearest = rows[stated][np.abs(middle[:, None] - true_middle[None, :]).argmin(axis=1)]
    own = np.array([*rows, None], dtype=object)[place]
    return np.asarray(np.where(pd.notna(own), own, nearest), dtype=object)
