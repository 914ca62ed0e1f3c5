"""Places of a shelf row, full or empty: where a product is out of stock, there and as a detector sees it.

Labels that state rows and positions name the places: from 1 to the last of a row, one with a box is full and one
without is empty. An empty place behind the last box of a row is not known of, and a row without boxes has no places.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.tables import COUNTS, stratum_columns
from vouch.vision.boxes import Detections, match

FloatArray = npt.NDArray[np.float64]

CORNERS = ["x1", "y1", "x2", "y2"]
PLACE = "place"  # the class of every row


def places(detections: pd.DataFrame, boxes: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Return `tables.COUNTS` of places: `n_true` and `n_pred` are 1 where something stands, 0 where a place is empty.

    So `false_gap_rate` is the share of full places that are said to be empty, `hidden_gap_rate` the share of places
    said to be full that are empty. `sample_id` is "<sample_id>#row<row>.<position>". A place is said to be full when an
    accepted detection is on its box (IoU .5, whatever it is called); an empty one when a detection that is on no box
    stands nearer to it than to any other place of its row, within half of the row's usual step.

    Parameters
    ----------
    detections : table
        Decided rows of a detector on every photograph to be judged, corners in pixels.
    boxes : table
        `tables.BOXES`, corners in [0, 1], with `row` and `position`; boxes without either are of no place.
    sizes : table
        `sample_id`, `width` and `height` of every photograph, pixels of the upright picture.

    Raises
    ------
    DataError
        When boxes have no rows and positions, or a photograph no size.
    """
    problems = [
        Problem(f"boxes: {name}", "a column", "none", "label rows and positions, or judge counts alone")
        for name in ("row", "position")
        if name not in boxes
    ]
    unsized = sorted(set(detections["sample_id"]) - set(sizes["sample_id"]))
    problems += [
        Problem(str(name), "the size of the photograph", "none", "scan the data set again") for name in unsized
    ]
    refuse_any(DataError, problems)
    carried = ["sample_id", "group", *stratum_columns(detections)]
    accepted = detections[detections["accept"].to_numpy(dtype=bool) & detections["class_pred"].notna().to_numpy()]
    found = {name: part for name, part in accepted.groupby("sample_id", sort=False)}
    placed = boxes[boxes["row"].notna() & boxes["position"].notna()].merge(
        sizes[["sample_id", "width", "height"]], on="sample_id", how="inner"
    )
    labelled = {name: part for name, part in placed.groupby("sample_id", sort=False)}
    rows: list[dict[Any, Any]] = []
    for shared in detections[carried].drop_duplicates("sample_id").sort_values("sample_id").to_dict("records"):
        sample = shared["sample_id"]
        if sample in labelled:
            both = found.get(sample, accepted.iloc[:0]), labelled[sample]
            rows += [shared | row | {"sample_id": f"{sample}#{row['sample_id']}"} for row in _photograph(*both)]
    table = pd.DataFrame(rows, columns=[*COUNTS, *stratum_columns(detections)])
    return table.astype({"n_true": np.int64, "n_pred": np.int64})


def _photograph(found: pd.DataFrame, labelled: pd.DataFrame) -> Iterator[dict[str, Any]]:
    scale = labelled[["width", "height", "width", "height"]].to_numpy(dtype=np.float64)
    truths = labelled[CORNERS].to_numpy(dtype=np.float64) * scale
    found = found.iloc[np.argsort(-found["score"].to_numpy(dtype=np.float64), kind="stable")]
    said, scores = found[CORNERS].to_numpy(dtype=np.float64), found["score"].to_numpy(dtype=np.float64)
    on = match(Detections(said, scores, np.zeros(len(said), np.int64)), truths, np.zeros(len(truths), np.int64)).truth
    row, position = (labelled[name].to_numpy(dtype=np.int64) for name in ("row", "position"))
    nearest = _nearest(said, truths, row)
    for number in np.unique(row):
        own, free = row == number, (on < 0) & (nearest == number)
        standing = set(position[own].tolist())
        covered = {int(position[place]) for place in on[on >= 0] if row[place] == number}
        filled = _filled(said[free], truths[own], position[own])
        for place in range(1, max(standing) + 1):
            full = place in standing
            yield {
                "sample_id": f"row{number}.{place}",
                "class": PLACE,
                "n_true": int(full),
                "n_pred": int(place in covered if full else place in filled),
            }


def _nearest(said: FloatArray, truths: FloatArray, row: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the row of the box whose middle is nearest in height to each detection."""
    middle, true_middle = (one[:, [1, 3]].mean(axis=1) for one in (said, truths))
    return np.asarray(row[np.abs(middle[:, None] - true_middle[None, :]).argmin(axis=1)])


def _filled(said: FloatArray, truths: FloatArray, position: npt.NDArray[np.int64]) -> set[int]:
    """Return the places of one row that detections stand at, places between boxes being evenly spaced."""
    known = np.unique(position)
    middles = truths[:, [0, 2]].mean(axis=1)
    across = np.array([middles[position == place].mean() for place in known])
    step = float(np.median(np.diff(across) / np.diff(known))) if len(known) > 1 else float(np.ptp(truths[0, [0, 2]]))
    places_ = np.arange(1, known[-1] + 1)
    where = np.where(places_ < known[0], across[0] - step * (known[0] - places_), np.interp(places_, known, across))
    distance = np.abs(said[:, [0, 2]].mean(axis=1)[:, None] - where[None, :])
    near = distance.min(axis=1, initial=np.inf) <= abs(step) / 2
    return set(places_[distance[near].argmin(axis=1)].tolist()) if near.any() else set()
