"""Answers of a system as the tables that `evaluation.composition` makes counts of."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from vouch.systems.counted import CORNERS, Counted
from vouch.tables import stratum_columns


class Rows(NamedTuple):
    """Detections, what their crops were called, and sizes of photographs."""

    detections: pd.DataFrame
    identifications: pd.DataFrame
    sizes: pd.DataFrame


def rows_of(samples: pd.DataFrame, answers: Iterable[Counted]) -> Rows:
    """Return the tables of photographs and what was said of them.

    Parameters
    ----------
    samples : one row per photograph, in the order of `answers`: sample_id, group, stratum_*

    Returns
    -------
    Rows
        `detections` has a row for each object, best first, and one of no class for a photograph without any.
    """
    carried = samples[["sample_id", "group", *stratum_columns(samples)]].to_dict("records")
    found, said, sizes = [], [], []
    for shared, answer in zip(carried, answers, strict=True):
        sample = shared["sample_id"]
        sizes.append({"sample_id": sample, "width": answer.size[0], "height": answer.size[1]})
        boxes = answer.objects[[*CORNERS, "class_pred", "score"]].to_dict("records")
        nothing = {"class_pred": None, "score": 0.0, "accept": False, **dict.fromkeys(CORNERS, float("nan"))}
        found += [shared | {"accept": True} | box for box in boxes] or [shared | nothing]
        said += [
            {"sample_id": f"{sample}#{number}", "class_pred": name, "accept": name is not None}
            for number, name in enumerate(answer.named)
        ]
    identifications = pd.DataFrame(said, columns=["sample_id", "class_pred", "accept"])
    return Rows(pd.DataFrame(found), identifications, pd.DataFrame(sizes, columns=["sample_id", "width", "height"]))
