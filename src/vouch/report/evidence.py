"""What a page is made of: the files of one model and its data set, typed, before anything is said about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.tables import STRATUM

Json = Mapping[str, Any]
# A metric's presence in test.json says which tables of plots/M/test there must be; the model's name says nothing
NEEDED_BY = {
    "pr": "map50",
    "recall_by_confidence": "map50",
    "misses": "map50",
    "reliability": "ece",
    "risk_coverage": "augrc",
    "confusion": "accuracy",
}
# Columns of plots that are not numbers
TEXT = ("class", "class_true", "class_pred", "side", "sample_id", "group", "kind")
PLOTS = tuple(NEEDED_BY)


@dataclass(frozen=True)
class Picture:
    """A mistake to show: a JPEG data URI, the words that stand for it, and what kind it is."""

    uri: str
    words: str
    kind: str


@dataclass(frozen=True)
class Evidence:
    """Everything that the page of one model may say; `plots` holds the tables of plots/M/test that exist."""

    model: str
    dataset: str
    trained: str  # the model whose training the curve shows: another one for a quantised model
    baseline: str  # the bundle that the comparison is with, as a path
    gate: Json
    test: Json
    comparison: Json
    calibration: Json
    export: Json
    data: Json
    policy: Json
    calibrator: Json
    training: pd.DataFrame
    plots: Mapping[str, pd.DataFrame]
    samples: pd.DataFrame
    boxes: pd.DataFrame
    splits: Mapping[str, pd.DataFrame]
    pictures: tuple[Picture, ...]


def check_plots(test: Json, plots: Mapping[str, pd.DataFrame], where: str) -> None:
    """Return when every table that the metrics call for is there.

    Raises
    ------
    DataError
        Naming each table that a metric of test.json needs and that is absent.
    """
    refuse_any(
        DataError,
        (
            Problem(f"{where}/{table}.csv", f"a table, since test.json holds {metric}", "nothing", "run evaluate again")
            for table, metric in NEEDED_BY.items()
            if metric in test and table not in plots
        ),
    )


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table read from CSV as text with its number columns as float64, an empty cell as NaN."""
    columns = [column for column in table.columns if column not in TEXT and not column.startswith(STRATUM)]
    return table.assign(**{column: pd.to_numeric(table[column].mask(table[column] == "")) for column in columns})
