"""Curves with bands for `dvc plots` and the report, and the worst decisions to look at."""

import numpy as np
import pandas as pd

from vouch.evaluation.intervals import FloatArray, IntArray, Measure, estimate, expanded_tail
from vouch.evaluation.metrics import BINS, Terms, floats, ratio
from vouch.evaluation.ranks import RECALLS, Ranking, precision_at_recalls, rankings
from vouch.tables import stratum_columns

CONFIDENCES = np.linspace(0.0, 1.0, 51)


def precision_recall(rows: pd.DataFrame, *, weights: IntArray, level: float) -> pd.DataFrame:
    """Return each class's interpolated precision at IoU .50 over the 101 recalls, with a group-bootstrap band.

    Returns
    -------
    table
        `class`, `recall`, `precision`, `low`, `high`; the ends are null where truths lie in fewer than two groups.
    """
    curves = [
        _class_curve(name, ranking, weights, level)
        for name, ranking in rankings(rows, weights.shape[1], bits=(0,)).items()
    ]
    empty = pd.DataFrame(columns=["class", "recall", "precision", "low", "high"])
    return pd.concat(curves, ignore_index=True) if curves else empty


def _class_curve(name: str, ranking: Ranking, weights: IntArray, level: float) -> pd.DataFrame:
    value = precision_at_recalls(ranking, np.ones((1, weights.shape[1]), dtype=np.int32))[0, 0]
    replicates = precision_at_recalls(ranking, weights[weights @ ranking.truths > 0])[0]
    low, high = _band(replicates, level, int(np.count_nonzero(ranking.truths)))
    return pd.DataFrame({"class": name, "recall": RECALLS, "precision": value, "low": low, "high": high})


def _band(replicates: FloatArray, level: float, n_groups: int) -> FloatArray:
    if n_groups < 2:
        return np.full((2, replicates.shape[1]), np.nan)
    tail = expanded_tail(level, n_groups)
    band: FloatArray = np.quantile(replicates, [tail, 1 - tail], axis=0)
    return band


def reliability(rows: pd.DataFrame, *, weights: IntArray, level: float) -> pd.DataFrame:
    """Return accuracy against stated confidence in ECE's bins, before and after calibration, empty bins left out.

    Returns
    -------
    table
        `side` (before: raw score, after: calibrated), `confidence` (mean of the bin), `accuracy`, `low`, `high`, `n`.
    """
    counted = rows[rows["calibrated"].to_numpy(dtype=bool)]
    points = []
    for side, column in (("before", "score"), ("after", "confidence")):
        stated = counted[column].to_numpy(dtype=np.float64)
        bins = np.minimum((stated * BINS).astype(np.intp), BINS - 1)
        for place in np.unique(bins):
            chosen = counted[bins == place]
            found = estimate(_accuracy(chosen, weights.shape[1]), weights, level=level)
            mean = float(stated[bins == place].mean())
            points.append((side, mean, found.value, found.low, found.high, found.n_rows))
    return pd.DataFrame(points, columns=["side", "confidence", "accuracy", "low", "high", "n"])


def _accuracy(rows: pd.DataFrame, n_groups: int) -> Measure:
    def terms(rows: pd.DataFrame) -> Terms:
        return floats(rows["correct"], rows["class_pred"].notna())

    return ratio(rows, n_groups, terms=terms, share=True)


def recall_by_confidence(rows: pd.DataFrame, *, weights: IntArray, level: float) -> pd.DataFrame:
    """Return recall (with a band) and precision if everything of at least this confidence were accepted.

    Returns
    -------
    table
        `confidence`, `recall`, `precision`, `low`, `high`; up to the highest confidence that anything has.
    """
    said = rows["class_pred"].notna().to_numpy(dtype=bool)
    stated = rows["confidence"].to_numpy(dtype=np.float64)
    top = stated[said].max() if said.any() else -1.0
    points = []
    for limit in CONFIDENCES[top >= CONFIDENCES]:
        kept = rows.assign(kept=said & (stated >= limit))
        right, truths = kept["correct"] & kept["kept"], kept["class_true"].notna()
        found = estimate(_recall(kept, weights.shape[1]), weights, level=level)
        points.append((limit, found.value, right.sum() / kept["kept"].sum(), found.low, found.high, truths.any()))
    table = pd.DataFrame(points, columns=["confidence", "recall", "precision", "low", "high", "defined"])
    return table[table["defined"].to_numpy(dtype=bool)].drop(columns="defined")


def _recall(rows: pd.DataFrame, n_groups: int) -> Measure:
    def terms(rows: pd.DataFrame) -> Terms:
        return floats(rows["correct"] & rows["kept"], rows["class_true"].notna())

    return ratio(rows, n_groups, terms=terms, share=True)


def worst(rows: pd.DataFrame, *, count: int) -> pd.DataFrame:
    """Return the decisions a person should look at: `count` misses and `count` false alarms.

    Misses are truths without an accepted detection, the largest of every combination of strata first, then the second
    largest: one bad stratum must not hide the others. False alarms are the accepted ones, the surest first.

    Returns
    -------
    table
        `sample_id`, `kind` (miss or false_alarm), `class`, `confidence`, `x1`, `y1`, `x2`, `y2`, `stratum_*`.
    """
    found = rows["correct"] & rows["accept"]
    misses = rows[rows["class_true"].notna() & ~found]
    misses = misses.assign(
        kind="miss",
        area=(misses["x2"] - misses["x1"]) * (misses["y2"] - misses["y1"]),
        **{"class": misses["class_true"]},
    ).sort_values("area", ascending=False, kind="stable")
    strata = stratum_columns(rows)
    place = misses.groupby(strata, dropna=False, sort=False).cumcount() if strata else 0
    misses = misses.assign(place=place).sort_values(["place", "area"], ascending=[True, False], kind="stable")
    alarms = rows[rows["accept"] & ~rows["correct"]]
    alarms = alarms.assign(kind="false_alarm", **{"class": alarms["class_pred"]})
    alarms = alarms.sort_values("confidence", ascending=False, kind="stable")
    columns = ["sample_id", "kind", "class", "confidence", "x1", "y1", "x2", "y2", *strata]
    return pd.concat([misses[columns].head(count), alarms[columns].head(count)], ignore_index=True)
