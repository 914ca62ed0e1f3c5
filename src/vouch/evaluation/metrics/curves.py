"""Curves with bands for `dvc plots` and the report, what was taken for what, and the worst decisions to look at."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from vouch.evaluation.metrics.auroc import class_rankings
from vouch.evaluation.metrics.average_precision import RECALLS, Ranking, precision_at_recalls, rankings
from vouch.evaluation.metrics.calibration_error import BINS
from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure, Setting, estimate, expanded_tail
from vouch.evaluation.metrics.ranking import least
from vouch.evaluation.metrics.ratios import Terms, accuracy, floats, ratio
from vouch.tables import stratum_columns
from vouch.tasks import ByTask, Task

CONFIDENCES = np.linspace(0.0, 1.0, 51)
COVERAGES = np.arange(1, 101) / 100


def product_ranking(rows: pd.DataFrame, n_groups: int) -> dict[str, Ranking]:
    """Rank all crops by their score, whatever their product; one of an unknown product can be no hit."""
    ordered = rows.iloc[np.argsort(-rows["score"].to_numpy(), kind="stable")]
    ordered = ordered[ordered["class_pred"].notna().to_numpy(dtype=bool)]
    known = rows.loc[rows["class_true"].notna().to_numpy(dtype=bool), "group_index"].to_numpy(dtype=np.intp)
    hits = ordered["correct"].to_numpy(dtype=bool)[:, None]
    counted = np.bincount(known, minlength=n_groups).astype(np.float64)
    return {"any product": Ranking(ordered["group_index"].to_numpy(dtype=np.intp), hits, counted)}


RANKINGS: ByTask[Callable[[pd.DataFrame, int], dict[str, Ranking]]] = ByTask(
    detect=partial(rankings, bits=(0,)), classify=class_rankings, identify=product_ranking
)


def precision_recall(rows: pd.DataFrame, *, task: Task, weights: IntArray, level: float) -> pd.DataFrame:
    """Return each class's interpolated precision over the 101 recalls, with a group-bootstrap band.

    Detections of a class are ranked by their score and hit at IoU .50; photographs with probabilities of classes are
    ranked by that of the class, against the rest.

    Returns
    -------
    table
        `class`, `recall`, `precision`, `low`, `high`; the ends are null where truths lie in fewer than two groups.
    """
    ranked = RANKINGS[task](rows, weights.shape[1])
    curves = [_class_curve(name, ranking, weights, level) for name, ranking in ranked.items()]
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


def reliability(rows: pd.DataFrame, *, weights: IntArray, setting: Setting) -> pd.DataFrame:
    """Return accuracy against stated confidence in ECE's bins, before and after calibration, empty bins left out.

    Returns
    -------
    table
        `side` (before: raw score, after: calibrated), `confidence` (mean of the bin), `accuracy`, `low`, `high`, `n`.
    """
    counted = rows[rows["calibrated"].to_numpy(dtype=bool)]
    points = []
    for side, column, right in (("before", "score", "correct_before"), ("after", "confidence", "correct")):
        stated = counted[column].to_numpy(dtype=np.float64)
        bins = np.minimum((stated * BINS).astype(np.intp), BINS - 1)
        for place in np.unique(bins):
            chosen = counted[bins == place]
            chosen = chosen.assign(correct=chosen[right])
            found = estimate(
                ratio(chosen, weights.shape[1], terms=accuracy, share=True), weights, setting, method="share"
            )
            mean = float(stated[bins == place].mean())
            points.append((side, mean, found.value, found.low, found.high, found.n_rows))
    return pd.DataFrame(points, columns=["side", "confidence", "accuracy", "low", "high", "n"])


def recall_by_confidence(rows: pd.DataFrame, *, weights: IntArray, setting: Setting) -> pd.DataFrame:
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
        found = estimate(_recall(kept, weights.shape[1]), weights, setting, method="share")
        points.append((limit, found.value, right.sum() / kept["kept"].sum(), found.low, found.high, truths.any()))
    table = pd.DataFrame(points, columns=["confidence", "recall", "precision", "low", "high", "defined"])
    return table[table["defined"].to_numpy(dtype=bool)].drop(columns="defined")


def _recall(rows: pd.DataFrame, n_groups: int) -> Measure:
    def terms(rows: pd.DataFrame) -> Terms:
        return floats(rows["correct"] & rows["kept"], rows["class_true"].notna())

    return ratio(rows, n_groups, terms=terms, share=True)


def risk_coverage(rows: pd.DataFrame, *, weights: IntArray, setting: Setting) -> pd.DataFrame:
    """Return the risk of the surest answers, with a band, at the working points of one to a hundred percent coverage.

    A working point is a threshold that some answer's confidence equals: a band is that of the deployed threshold, whose
    coverage moves with the groups too.

    Returns
    -------
    table
        `coverage` (share of all answers), `risk` (share of wrong ones among them), `low`, `high`, `confidence` (the
        threshold); rising coverage, each working point once.
    """
    said = rows[rows["class_pred"].notna().to_numpy(dtype=bool)]
    falling = np.sort(said["confidence"].to_numpy(dtype=np.float64))[::-1]
    points = []
    for limit in _working_points(falling):
        kept = said.assign(kept=said["confidence"].to_numpy(dtype=np.float64) >= limit)
        found = estimate(ratio(kept, weights.shape[1], terms=_risk, share=True), weights, setting, method="share")
        points.append((float(kept["kept"].mean()), found.value, found.low, found.high, limit))
    return pd.DataFrame(points, columns=["coverage", "risk", "low", "high", "confidence"])


def _working_points(falling: FloatArray) -> list[float]:
    """Return the thresholds, highest first, that keep at least each of the coverages."""
    total = np.full(1, float(len(falling)))
    places = [int(least(share, total)[0]) - 1 for share in COVERAGES.tolist()] if len(falling) else []
    return list(dict.fromkeys(falling[places].tolist()))


def _risk(rows: pd.DataFrame) -> Terms:
    return floats(rows["kept"] & ~rows["correct"], rows["kept"])


CONFUSION = ["sample_id", "group", "class_true", "class_pred", "accept"]


def confusion(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per photograph with its true class and the most probable one.

    Returns
    -------
    table
        `sample_id`, `group`, `class_true`, `class_pred`, `accept` (1: the policy answers, 0: it abstains).
    """
    return rows[CONFUSION].astype({"accept": "int64"})


def _no_confusion(rows: pd.DataFrame) -> pd.DataFrame:
    return confusion(rows.head(0))  # a detection is of one class or none, and a photograph has many


CONFUSED = ByTask(detect=_no_confusion, classify=confusion, identify=confusion)


WORST = ["sample_id", "kind", "class", "class_true", "confidence", "x1", "y1", "x2", "y2"]


def worst(rows: pd.DataFrame, *, task: Task, count: int) -> pd.DataFrame:
    """Return the decisions a person should look at, in two kinds of at most `count` rows each.

    Of detections: misses (truths without an accepted detection), the largest of every combination of strata first, then
    the second largest, because one bad stratum must not hide the others; then false alarms, the accepted ones, the
    surest first.

    Of whole photographs: wrong exits (accepted and wrong), the surest first; then abstentions, those that would have
    been wrong first, the surest first. Both under the class that the confidence is about, the most probable one, with
    the true class beside it. They have no box.

    Returns
    -------
    table
        `sample_id`, `kind` (miss and false_alarm, or wrong_exit and abstention), `class`, `class_true`, `confidence`,
        `x1`, `y1`, `x2`, `y2`, `stratum_*`.
    """
    first, second = MISTAKES[task](rows)
    columns = [*WORST, *stratum_columns(rows)]
    return pd.concat([first[columns].head(count), second[columns].head(count)], ignore_index=True)


def _worst_photographs(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = rows.assign(**{"class": rows["class_pred"]}, **dict.fromkeys(("x1", "y1", "x2", "y2"), np.nan))
    exits = rows[rows["accept"] & ~rows["correct"]].assign(kind="wrong_exit")
    left = rows[~rows["accept"]].assign(kind="abstention")
    return (
        exits.sort_values("confidence", ascending=False, kind="stable"),
        left.sort_values(["correct", "confidence"], ascending=[True, False], kind="stable"),
    )


def _worst_detections(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    return misses, alarms.sort_values("confidence", ascending=False, kind="stable")


def _worst_crops(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what was accepted and is wrong, unknown products among it, then known products that were not accepted."""
    known, cut = rows["class_true"].notna(), rows["x1"].notna()
    photograph = rows["sample_id"].where(~cut, rows["sample_id"].str.rpartition("#")[0])
    rows = rows.assign(sample_id=photograph, class_true=rows["product"], **{"class": rows["class_pred"]})
    accepted = rows[rows["accept"] & ~rows["correct"]].assign(kind="wrong_product")
    left = rows[~rows["accept"] & known].assign(kind="left_unknown")
    return (
        accepted.sort_values("confidence", ascending=False, kind="stable"),
        left.sort_values(["correct", "confidence"], ascending=[True, False], kind="stable"),
    )


MISTAKES = ByTask(detect=_worst_detections, classify=_worst_photographs, identify=_worst_crops)
