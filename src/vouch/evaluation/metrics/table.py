"""All metrics of all strata, in the form of metrics/M/test.json."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import IntArray, Measure, Setting, estimate
from vouch.evaluation.metrics.measures import MEASURES, by_chance, refuse_unmeasurable
from vouch.evaluation.metrics.strata import CLASS

BoolArray = npt.NDArray[np.bool_]


def metrics_table(
    rows: pd.DataFrame,
    *,
    names: Sequence[str],
    masks: Mapping[str, BoolArray],
    weights: IntArray,
    setting: Setting,
) -> dict[str, dict[str, Any]]:
    """Return {metric: {stratum: {value, low, high, n_rows, n_groups, few_groups}}}.

    The cell of a calibration error also has `expected_by_chance`: the value that a perfectly calibrated model with
    these confidences and groups would have on average.

    Parameters
    ----------
    rows : table
        As `numbering.numbered` returns it.
    names : sequence of str
        Keys of `definitions.table.METRICS`.
    masks : map of str to bool array, shape (rows,)
        As `strata.strata_masks` returns them.
    weights : int32 array, shape (replicates, groups)
        As `intervals.group_weights` returns them.
    setting
        As `intervals.estimate` takes them.

    Raises
    ------
    DataError
        Naming each metric that these rows lack a column for.
    """
    refuse_unmeasurable(rows, names)
    return {
        name: {
            stratum: _cell(rows[mask], name, weights, setting)
            for stratum, mask in masks.items()
            if applies(name, stratum)
        }
        for name in names
    }


def group_table(
    rows: pd.DataFrame, *, names: Sequence[str], masks: Mapping[str, BoolArray], n_groups: int
) -> pd.DataFrame:
    """Return what each group holds of each share: `metric`, `stratum`, `group` (from 0), `rows` and `hits`.

    Parameters
    ----------
    rows, names, masks
        As `metrics_table` takes them; metrics that are no share of rows are left out, and groups without a row.
    """
    parts = [
        pd.DataFrame({"metric": name, "stratum": stratum, "group": some, "rows": measure.support[some]}).assign(
            hits=measure.hits[some]
        )
        for name in names
        if METRICS[name].interval == "share"
        for stratum, mask in masks.items()
        if applies(name, stratum) and (measure := measured(rows[mask], name, n_groups)).hits is not None
        for some in [np.flatnonzero(measure.support)]
    ]
    nothing = pd.DataFrame({"metric": [], "stratum": [], "group": [], "rows": [], "hits": []})
    found = pd.concat(parts, ignore_index=True) if parts else nothing
    return found.astype({"metric": str, "stratum": str, "group": np.int32, "rows": np.int32, "hits": np.int32})


def _cell(rows: pd.DataFrame, name: str, weights: IntArray, setting: Setting) -> dict[str, Any]:
    measure = measured(rows, name, weights.shape[1])
    found = asdict(estimate(measure, weights, setting, method=METRICS[name].interval))
    return found | by_chance(rows, name, setting.correlation, "expected_by_chance")


def measured(rows: pd.DataFrame, name: str, n_groups: int) -> Measure:
    """Make a named metric ready on rows."""
    return MEASURES[name](rows, n_groups)


def applies(name: str, stratum: str) -> bool:
    """Whether a metric means something in a stratum: false alarms a photograph are not counted by class."""
    return METRICS[name].by_class or f"{CLASS}=" not in stratum
