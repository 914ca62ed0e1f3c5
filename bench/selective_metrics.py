"""All selective metrics of 100,000 photographs with 2,000 group-bootstrap replicates, against scikit-learn in a loop.

Two classes, 2,000 groups, continuous probabilities (no tie to gather). Both sides take each metric on its own. The peer
gives scikit-learn's functions each replicate's weights as `sample_weight`; a metric of the risk-coverage curve is one
`roc_curve` of right against wrong. It is measured on a few replicates and scaled to 2,000, which the row says, and the
two sides' values are compared on those replicates. Intervals are inside our time alone.
Run: PYTHONPATH=src python bench/selective_metrics.py
"""

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    auc,
    brier_score_loss,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from sides import in_turns
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import Setting, estimate, group_weights
from vouch.evaluation.metrics.measures import MEASURES
from vouch.evaluation.metrics.numbering import numbered

SETTING = Setting(level=0.95, correlation=0.05, few_groups=20)
ROWS, GROUPS, REPLICATES, PEER_REPLICATES, RUNS = 100_000, 2_000, 2_000, 5, 5
NAMES = (
    *("accuracy", "nll", "brier", "auroc", "recall_at_precision_95"),
    *("coverage", "accuracy_on_exits", "fnr_on_exits", "fpr_on_exits"),
    *("aurc", "e_aurc", "augrc", "risk_at_coverage_80", "coverage_at_risk_02", "coverage_at_precision_95"),
)
CLOSE = {"aurc": 1e-4, "e_aurc": 1e-4}  # scikit-learn's trapezoid is not the mean over k


def photographs(rng, rows, groups):
    group, truth = rng.integers(0, groups, rows), rng.random(rows) < 0.4
    logit = np.where(truth, 1, -1) * (2.0 + rng.normal(0, 1, groups)[group]) + rng.normal(0, 1.5, rows)
    work = 1 / (1 + np.exp(-logit))
    confidence = np.maximum(work, 1 - work)
    names = np.array(["clear", "work"])
    table = pd.DataFrame(
        {
            "sample_id": np.arange(rows).astype(str),
            "group": group,
            "class_true": names[truth.astype(int)],
            "class_pred": names[(work > 0.5).astype(int)],
            "score": confidence,
            "confidence": confidence,
            "correct": (work > 0.5) == truth,
            "accept": confidence >= 0.8,
            "probability_clear": 1 - work,
            "probability_work": work,
        }
    )
    return numbered(table, task="classify", floor=0.0, positive="work")


def ours(rows, weights):
    groups = weights.shape[1]
    return [estimate(MEASURES[name](rows, groups), weights, SETTING, method=METRICS[name].interval) for name in NAMES]


def peer(columns, weight):
    """Every metric of one replicate, by scikit-learn's functions."""
    right, exits, positive, work = (columns[name] for name in ("correct", "accept", "positive", "probability_work"))
    said, confidence = columns["said_positive"], columns["confidence"]

    def share(chosen):
        return accuracy_score(positive[chosen], said[chosen], sample_weight=weight[chosen])

    error = 1 - accuracy_score(positive, said, sample_weight=weight)
    chance = roc_auc_score(right, confidence, sample_weight=weight)
    precision, recall, _ = precision_recall_curve(positive, work, sample_weight=weight)
    return {
        "accuracy": accuracy_score(positive, said, sample_weight=weight),
        "nll": log_loss(positive, work, sample_weight=weight),
        "brier": 2 * brier_score_loss(positive, work, sample_weight=weight),
        "auroc": roc_auc_score(positive, work, sample_weight=weight),
        "recall_at_precision_95": recall[precision >= 0.95].max(),
        "coverage": accuracy_score(exits, np.ones_like(exits), sample_weight=weight),
        "accuracy_on_exits": share(exits),
        "fnr_on_exits": 1 - share(exits & positive),
        "fpr_on_exits": 1 - share(exits & ~positive),
        "aurc": auc(*risk_coverage(right, confidence, weight)),
        "e_aurc": auc(*risk_coverage(right, confidence, weight)) - (error + (1 - error) * np.log(1 - error)),
        "augrc": (1 - chance) * (1 - error) * error + error**2 / 2,
        "risk_at_coverage_80": risk_at(*risk_coverage(right, confidence, weight), 0.8),
        "coverage_at_risk_02": coverage_at(*risk_coverage(right, confidence, weight), 0.02),
        "coverage_at_precision_95": coverage_at(*risk_coverage(right, confidence, weight), 0.05),
    }


def risk_coverage(right, confidence, weight):
    wrong_share, right_share, _ = roc_curve(right, confidence, sample_weight=weight, drop_intermediate=False)
    errors, hits = wrong_share[1:] * weight[~right].sum(), right_share[1:] * weight[right].sum()
    return (errors + hits) / weight.sum(), errors / np.maximum(errors + hits, 1e-300)


def risk_at(coverage, risk, share):
    return risk[np.argmax(coverage >= share - 1e-12)]


def coverage_at(coverage, risk, limit):
    return coverage[risk <= limit + 1e-12].max(initial=0.0)


def check(rows, weights, found):
    for name in NAMES:
        own = MEASURES[name](rows, weights.shape[1]).values(weights[: len(found)])
        theirs = [one[name] for one in found]
        if not np.allclose(own, theirs, rtol=0, atol=CLOSE.get(name, 1e-9)):
            raise SystemExit(f"bench: {name}: expected scikit-learn's {theirs}, got {own.tolist()}")


def main(rows=ROWS, groups=GROUPS, replicates=REPLICATES):
    table = photographs(np.random.default_rng(0), rows, groups)
    weights = group_weights(int(table["group_index"].max()) + 1, replicates=replicates, rng=np.random.default_rng(1))
    columns = {name: table[name].to_numpy() for name in table.columns}
    drawn = [weights[place][columns["group_index"]].astype(np.float64) for place in range(PEER_REPLICATES)]
    sides = {"peer": lambda: [peer(columns, one) for one in drawn], "ours": lambda: ours(table, weights)}
    given, seconds = in_turns(sides, RUNS)
    check(table, weights, given["peer"])
    our_s, peer_s = seconds["ours"], seconds["peer"] * replicates / PEER_REPLICATES
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    print(
        f"| {len(NAMES)} selective metrics of {rows:,} photographs with {replicates:,} group-bootstrap replicates, "
        f"against scikit-learn's functions in a loop (measured on {PEER_REPLICATES} replicates and scaled) | "
        f"{our_s:.2f} s | {peer_s:.0f} s | {peer_s / our_s:.0f} x as fast | >= 50 x |"
    )


if __name__ == "__main__":
    main()
