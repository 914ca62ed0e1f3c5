"""Count MAE with 2,000-replicate group-bootstrap intervals against twenty plain evaluations of it with pandas.

5,000 photographs in 1,000 groups, 500 products, of which 30 are on each photograph: 150,000 pairs. The weights of
groups are drawn once for all metrics, strata and sides of a model; they are timed apart, so both readings are there.
Run: PYTHONPATH=src python bench/counts.py
"""

import numpy as np
import pandas as pd

from sides import in_turns
from vouch.evaluation.metrics.counts import numbered_counts
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import Setting, estimate, group_weights
from vouch.evaluation.metrics.measures import MEASURES

SETTING = Setting(level=0.95, correlation=0.05, few_groups=20)
PHOTOGRAPHS, GROUPS, PRODUCTS, EACH, REPLICATES, EVALUATIONS, RUNS = 5_000, 1_000, 500, 30, 2_000, 20, 5


def counts(rng):
    photograph = np.repeat(np.arange(PHOTOGRAPHS), EACH)
    product = np.concatenate([rng.choice(PRODUCTS, EACH, replace=False) for _ in range(PHOTOGRAPHS)])
    true = rng.integers(1, 6, len(photograph))
    off = np.where(rng.random(len(photograph)) < 0.2, rng.integers(-1, 2, len(photograph)), 0)
    return pd.DataFrame(
        {
            "sample_id": pd.Series(photograph).map(lambda index: f"p{index:04d}"),
            "group": pd.Series(photograph * GROUPS // PHOTOGRAPHS).map(lambda index: f"g{index:04d}"),
            "class": pd.Series(product).map(lambda index: f"product {index:03d}"),
            "n_true": true,
            "n_pred": true + off,
        }
    )


def plain(rows):
    """Evaluate twenty times, as one writes it."""
    for _ in range(EVALUATIONS):
        pairs = rows[(rows["n_true"] > 0) | (rows["n_pred"] > 0)]
        found = (pairs["n_pred"] - pairs["n_true"]).abs().groupby(pairs["class"]).mean().mean()
    return float(found)


def ours(rows, weights):
    measure = MEASURES["count_mae"](rows, GROUPS)
    ends = np.quantile(measure.values(weights), [0.025, 0.975])  # of the replicates, as a comparison reads them
    return estimate(measure, weights, SETTING, method=METRICS["count_mae"].interval), ends


def main():
    rows = numbered_counts(counts(np.random.default_rng(0)))
    drawn, once = in_turns(
        {"weights": lambda: group_weights(GROUPS, replicates=REPLICATES, rng=np.random.default_rng(0))}, 1
    )
    weights = drawn["weights"]
    given, seconds = in_turns({"ours": lambda: ours(rows, weights), "plain": lambda: plain(rows)}, RUNS)
    found, (low, high) = given["ours"]
    if not np.isclose(found.value, given["plain"], rtol=0, atol=1e-12) or not low < found.value < high:
        raise SystemExit(f"bench: expected {given['plain']}, got {found}")
    ours_s, plain_s = seconds["ours"], seconds["plain"]
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    print(
        f"| count MAE of 5,000 photographs x 500 products with {REPLICATES:,} group-bootstrap replicates, against "
        f"{EVALUATIONS} evaluations with pandas | {ours_s:.2f} s | {plain_s:.2f} s | {ours_s / plain_s:.2f} x its time "
        "| <= 1 x |"
    )
    whole_s = ours_s + once["weights"]
    both = f"{whole_s:.2f} s | {plain_s:.2f} s | {whole_s / plain_s:.2f} x its time"
    print(f"| the same, drawing weights included | {both} | |")


if __name__ == "__main__":
    main()
