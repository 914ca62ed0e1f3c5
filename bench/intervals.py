"""How often an end of an interval lies beyond the truth, for groups of unequal size whose rows resemble each other.

Shares: beta-binomial groups of 7.4 rows on average, the correlation estimated on as many other groups, as `decide` does
on val_calib. Other metrics: a detector (recall .975, between two of the 101 recalls of average precision) and a
classifier (accuracy about .94) whose latent quality has the correlation given; counts of 24 products, off by a quarter
on average and by more in some groups, so that errors of a group have the correlation given. Their truth is that of
8,000 groups.
Nominal is .025 at each end.
Run: PYTHONPATH=src python bench/intervals.py [draws]
"""

import sys

import numpy as np
import pandas as pd
from scipy.special import expit

from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import Measure, Setting, estimate, group_weights, point
from vouch.evaluation.metrics.measures import MEASURES
from vouch.evaluation.metrics.shares import intraclass_correlation, lower_bound

GROUPS, ALIKE, SHARES, FLOOR, TAIL = (
    (10, 23, 50, 120, 227),
    (0.0, 0.1, 0.3),
    (0.05, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0),
    0.05,
    0.025,
)
DETECTION = ("map50", "false_alarms_per_sample")
COUNTS, PRODUCTS, WRONG = ("count_mae", "count_mae_micro", "exact_count_rate", "count_bias"), 24, 0.25
CLASSES = ("auroc", "nll", "brier", "aurc", "augrc", "ece")


def sizes(rng, groups):
    return 1 + rng.negative_binomial(2, 2 / 8.4, groups)


def hits_of(rng, groups, share, alike):
    rows, rates = sizes(rng, groups), np.full(groups, share)
    if alike and share < 1:
        rates = rng.beta(share * (1 - alike) / alike, (1 - share) * (1 - alike) / alike, groups)
    return rng.binomial(rows, rates).astype(float), rows.astype(float)


def shares(draws):
    for alike in ALIKE:
        for groups in GROUPS:
            cells = []
            for share in SHARES:
                rng = np.random.default_rng([groups, int(1000 * share), int(10 * alike)])
                lows, values = [], []
                for _ in range(draws):
                    correlation = max(FLOOR, intraclass_correlation(*hits_of(rng, groups, share, alike)))
                    hits, rows = hits_of(rng, groups, share, alike)
                    lows.append(lower_bound(hits, rows, correlation=correlation, tail=TAIL))
                    values.append(hits.sum() / rows.sum())
                cells.append(f"{np.mean(np.array(lows) > share):.3f} ({np.mean(np.array(values) - lows):.3f})")
            print(f"| {alike:.1f} | {groups} | " + " | ".join(cells) + " |", flush=True)


def latent(rng, groups, alike):
    rows = sizes(rng, groups)
    group = np.repeat(np.arange(groups), rows)
    own = np.sqrt(alike) * rng.normal(size=groups)[group]
    return group, own, own + np.sqrt(1 - alike) * rng.normal(size=len(group))


def detections(rng, groups, alike):
    group, own, quality = latent(rng, groups, alike)
    found = quality > -1.96
    score = np.where(found, expit(2 + quality + 0.7 * rng.normal(size=len(group))), 0.0)
    wrong = rng.random(len(group)) < 0.2
    truths = {
        "group_index": group,
        "class_true": "a",
        "class_pred": np.where(found, "a", None),
        "score": score,
        "correct": found,
    }
    sure = expit(-1.5 - own + np.sqrt(1 - alike) * rng.normal(size=len(group)))
    alarms = {"group_index": group, "class_true": None, "class_pred": "a", "score": sure, "correct": False}
    rows = pd.concat(
        [pd.DataFrame(truths).assign(first=True), pd.DataFrame(alarms)[wrong].assign(first=False)], ignore_index=True
    ).astype({"class_true": object, "class_pred": object})
    return rows.assign(
        hits=rows["correct"].astype(np.uint16), accept=rows["class_pred"].notna() & (rows["score"] > 0.3)
    )


def photographs(rng, groups, alike):
    group, _, quality = latent(rng, groups, alike)
    truth = rng.random(len(group)) < 0.5
    chance = expit(3.2 * (1.6 + quality) * np.where(truth, 1, -1))
    named = {"class_true": np.where(truth, "b", "a"), "class_pred": np.where(chance >= 0.5, "b", "a")}
    sure = np.maximum(chance, 1 - chance)
    return pd.DataFrame(
        {"group_index": group, **named, "probability_a": 1 - chance, "probability_b": chance, "confidence": sure}
    ).assign(correct=(chance >= 0.5) == truth, calibrated=True)


def counts(rng, groups, alike):
    group = np.repeat(np.arange(groups), sizes(rng, groups))
    chance = np.minimum(0.9, 2 / np.arange(1, PRODUCTS + 1) ** 0.7)
    at, product = np.nonzero(rng.random((len(group), PRODUCTS)) < chance)
    spread = alike / (1 - alike) / WRONG  # of the rate of a group, so that two errors of it have the correlation
    rate = rng.gamma(1 / spread, spread, groups) if spread else np.ones(groups)
    true = 1 + rng.poisson(2, len(at))
    off = rng.poisson(WRONG * rate[group[at]]) * np.where(rng.random(len(at)) < 0.6, -1, 1)
    named = {"class": product, "group_index": group[at]}
    return pd.DataFrame({**named, "n_true": true, "n_pred": np.maximum(true + off, 0)})


def ends(name, rows, groups, weights):
    measure: Measure = MEASURES[name](rows, groups)
    return estimate(measure, weights, Setting(1 - 2 * TAIL, FLOOR, 20), method=METRICS[name].interval)


def others(draws):
    for world, names in ((detections, DETECTION), (photographs, CLASSES), (counts, COUNTS)):
        for alike in ALIKE:
            whole = world(np.random.default_rng(1), 8_000, alike)
            truth = {name: point(MEASURES[name](whole, 8_000)) for name in names}
            for groups in GROUPS:
                rng = np.random.default_rng([groups, int(10 * alike)])
                weights = group_weights(groups, replicates=300, rng=rng)
                beyond = {name: np.zeros(3) for name in names}
                for _ in range(draws):
                    rows = world(rng, groups, alike)
                    for name in names:
                        found = ends(name, rows, groups, weights)
                        if found.low is not None:
                            beyond[name] += (found.low > truth[name], found.high < truth[name], 1)
                cells = [f"{low / n:.3f} / {high / n:.3f}" for low, high, n in beyond.values()]
                print(f"| {alike:.1f} | {groups} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    shares(draws)
    others(draws)
