"""Answers of a system as tables: what `evaluation.composition` makes counts of, and every object."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from vouch.systems.counted import CORNERS, OBJECTS, Counted
from vouch.tables import stratum_columns

KEPT = [column for column in OBJECTS if column != "candidates"]


class Rows(NamedTuple):
    """Detections, what their crops were called, sizes of photographs, and objects whole."""

    detections: pd.DataFrame
    identifications: pd.DataFrame
    sizes: pd.DataFrame
    objects: pd.DataFrame


def nothing_found(names: Iterable[str]) -> Iterator[Counted]:
    """Yield, photograph by photograph, what a system that looks at nothing says of it; of a size that means nothing."""
    yield from (Counted(str(name), (1, 1), pd.DataFrame(columns=[*OBJECTS]), limit_reached=False) for name in names)


def rows_of(samples: pd.DataFrame, answers: Iterable[Counted]) -> Rows:
    """Return the tables of photographs and what was said of them.

    Parameters
    ----------
    samples : one row per photograph, in the order of `answers`: sample_id, group, stratum_*

    Returns
    -------
    Rows
        `detections` has a row for each object, best first, and one of no class for a photograph without any. `objects`
        has `sample_id`, then `counted.OBJECTS` but the candidates.
    """
    carried = samples[["sample_id", "group", *stratum_columns(samples)]].to_dict("records")
    found, said, sizes, whole = [], [], [], []
    for shared, answer in zip(carried, answers, strict=True):
        sample = shared["sample_id"]
        sizes.append({"sample_id": sample, "width": answer.size[0], "height": answer.size[1]})
        whole.append(answer.objects[KEPT].assign(sample_id=sample))
        boxes = answer.objects[[*CORNERS, "class_pred", "score"]].to_dict("records")
        nothing = {"class_pred": None, "score": 0.0, "accept": False, **dict.fromkeys(CORNERS, float("nan"))}
        found += [shared | {"accept": True} | box for box in boxes] or [shared | nothing]
        said += [
            {"sample_id": f"{sample}#{number}", "class_pred": name, "accept": name is not None}
            for number, name in enumerate(answer.named)
        ]
    identifications = pd.DataFrame(said, columns=["sample_id", "class_pred", "accept"])
    sized = pd.DataFrame(sizes, columns=["sample_id", "width", "height"])
    return Rows(pd.DataFrame(found), identifications, sized, pd.concat(whole, ignore_index=True)[["sample_id", *KEPT]])
