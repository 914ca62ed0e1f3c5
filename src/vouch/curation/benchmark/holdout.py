"""A benchmark that a model has never seen: labelled rows of what it can say, apart from all that made it what it is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vouch.quality.duplicates import find_duplicates
from vouch.quality.held_out import repeated
from vouch.splits.components import build_graph, find_components
from vouch.tables import GROUP, group_columns

TRAINING, ROW = "in training", "row "
NOT_LABELLED, NO_CLASS, NO_PHOTOGRAPH = "not labelled", "no class of the model", "no photograph at hand"


@dataclass(frozen=True)
class Candidate:
    """What counts of a row."""

    row_id: str
    item: str  # id in the taxonomy
    negative: bool
    status: str
    photograph: str  # path, empty where there is none
    groups: Mapping[str, str]  # leakage key, as `group_session`, to its value, without empty ones


def left_out_first(rows: Iterable[Candidate], supported: Collection[str], at_hand: Collection[str]) -> dict[str, str]:
    """Return why rows need no look at their photograph: id to reason. A negative needs no class of the model."""
    found = {}
    for row in rows:
        if row.status != "labelled":
            found[row.row_id] = NOT_LABELLED
        elif not row.negative and row.item not in supported:
            found[row.row_id] = f"{NO_CLASS}: {row.item}"
        elif row.photograph not in at_hand:
            found[row.row_id] = NO_PHOTOGRAPH
    return found


def left_out_by_training(
    rows: Sequence[Candidate],
    scan: pd.DataFrame,
    trained: pd.DataFrame,
    trained_scan: pd.DataFrame,
    *,
    radius_bits: int,
    min_correlation: float,
) -> dict[str, str]:
    """Return why rows are too near to what a model was made of: id to reason.

    A row goes where its photograph cannot be read, is one of training or nearly, or lies in a group of training. With
    it go all rows that share a group or nearly a photograph with it, and so on: components never straddle.

    Parameters
    ----------
    rows : sequence of Candidate
    scan : DataFrame
        As in `tables.SCAN`, one line a row and in their order; `sample_id` is the row's id.
    trained : DataFrame
        `sample_id` and `group_*` of what the model was made of.
    trained_scan : DataFrame
        As in `tables.SCAN`, of the same samples.
    radius_bits, min_correlation
        Where two pictures begin to be near, as `validate` has it.
    """
    broken = scan["sha256"] == ""
    found = dict(zip(scan["sample_id"][broken], "photograph: " + scan["problem"][broken], strict=True))
    seen = trained_scan[trained_scan["sha256"] != ""].reset_index(drop=True)
    ours = scan[~broken].reset_index(drop=True)
    alike = repeated(ours, seen, radius_bits=radius_bits, min_correlation=min_correlation)
    found |= {problem.where: f"{TRAINING}: {problem.got}" for problem in alike}
    return found | _of_groups(rows, trained, found, _clusters(ours, radius_bits, min_correlation))


def _of_groups(
    rows: Sequence[Candidate], trained: pd.DataFrame, gone: Mapping[str, str], clusters: pd.DataFrame
) -> dict[str, str]:
    """Return the rows, of those that are not gone yet, in one component with training or with a row that is in it."""
    keys = sorted({*group_columns(trained), *(key for row in rows for key in row.groups)})
    named = [ROW + row.row_id for row in rows]  # rows and samples may have one name
    mine = pd.DataFrame([dict(row.groups) for row in rows], columns=keys).assign(sample_id=named)
    theirs = trained.reindex(columns=["sample_id", *keys]).assign(sample_id="trained " + trained["sample_id"])
    leaking = {ROW + name for name, why in gone.items() if why.startswith(TRAINING)}
    components = find_components(build_graph(pd.concat([mine, theirs], ignore_index=True), clusters)).of_sample
    tainted = {*components[len(rows) :], *components[: len(rows)][np.isin(named, sorted(leaking))]}
    return {
        row.row_id: _why(row, trained)
        for row, component in zip(rows, components[: len(rows)], strict=True)
        if component in tainted and row.row_id not in gone
    }


def _clusters(ours: pd.DataFrame, radius_bits: int, min_correlation: float) -> pd.DataFrame:
    """Return which rows show the same or nearly the same picture, as in `tables.CLUSTERS`."""
    ordered = ours.sort_values("sample_id", ignore_index=True)
    unsaid = pd.DataFrame({"objects": None, "classes": None}, index=ordered.index, dtype=object)
    alone = np.arange(len(ordered))
    found = find_duplicates(ordered, unsaid, alone, radius_bits=radius_bits, min_correlation=min_correlation)
    return found.clusters.assign(sample_id=ROW + found.clusters["sample_id"])


def _why(row: Candidate, trained: pd.DataFrame) -> str:
    shared = [
        f"{key.removeprefix(GROUP)}={value}"
        for key, value in sorted(row.groups.items())
        if key in trained and (trained[key] == value).any()
    ]
    if shared:
        return f"{TRAINING}: group {shared[0]}"
    return f"{TRAINING}: in a group with a row, or like one, that is"
