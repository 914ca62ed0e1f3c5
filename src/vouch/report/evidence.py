"""What a page is made of: the files of one model and its data set, typed, before anything is said about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vouch.tables import STRATUM
from vouch.tasks import ByTask

Json = Mapping[str, Any]
PLOTS = ByTask(  # tables of plots/M/test that a page draws
    detect=("pr", "reliability", "recall_by_confidence", "misses"),
    classify=("pr", "reliability", "recall_by_confidence", "risk_coverage", "confusion", "misses"),
    identify=("pr", "reliability", "recall_by_confidence", "risk_coverage", "oscr", "similarity", "misses"),
)
# Columns of plots that are not numbers
TEXT = ("class", "class_true", "class_pred", "side", "sample_id", "group", "kind")


@dataclass(frozen=True)
class Picture:
    """A mistake to show: a JPEG data URI, its caption, and what kind it is."""

    uri: str
    caption: str
    kind: str


@dataclass(frozen=True)
class Evidence:
    """Everything that the page of one model may say; `plots` holds the tables `PLOTS` of its task."""

    model: str
    dataset: str
    trained: str  # the model whose training the curve shows: another one for a quantised model
    baseline: str  # the bundle that the comparison is with, as a path
    gate: Json
    test: Json
    comparison: Json
    calibration: Json
    export: Json
    by_group: Json  # of networks that never saw the group, where there are such; never mixed with `test`
    data: Json
    policy: Json
    calibrator: Json
    training: pd.DataFrame
    plots: Mapping[str, pd.DataFrame]
    samples: pd.DataFrame
    boxes: pd.DataFrame
    splits: Mapping[str, pd.DataFrame]
    pictures: tuple[Picture, ...]


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table read from CSV as text with its number columns as float64, an empty cell as NaN."""
    columns = [column for column in table.columns if column not in TEXT and not column.startswith(STRATUM)]
    return table.assign(**{column: pd.to_numeric(table[column].mask(table[column] == "")) for column in columns})
