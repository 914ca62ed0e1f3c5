"""How often a comparison of two models says worse or better, and how often equal models keep a margin.

Recall near .95 on groups of 7.4 rows on average, unequal. Both sides share half of what makes a row hard and half of
what its group does; the correlation is that of two rows of a group, as the normal quality behind them has it. `family`
is how many differences Holm corrects over: all are equal in the table but the first, so that is the least power.
A second table has candidates that lose a few of the rows that the baseline has right, and gain none: how often the
lower end lies above the true loss, by percentiles alone and as it is used.
Run: PYTHONPATH=src python bench/comparison.py [draws]
"""

import sys

import numpy as np
import pandas as pd
from scipy.stats import norm

from vouch.evaluation.comparison.intervals import ends
from vouch.evaluation.comparison.significance import contributions, flip_signs, flipped_p
from vouch.evaluation.metrics import ratios
from vouch.evaluation.metrics.intervals import expanded_tail, group_weights
from vouch.evaluation.metrics.ratios import ratio

GROUPS, ALIKE, LOSSES, SHARE = (10, 23, 50, 120), (0.0, 0.1, 0.3), (0.0, 0.01, 0.02, 0.05), 0.95
FAMILIES, MARGINS, REPLICATES, PATTERNS = (1, 12), (0.01, 0.02, 0.05), 300, 2000
LEVEL, FLOOR = 0.95, 0.05  # of intervals; of the correlation that policy.json states
LOST, EACH = (2, 5, 10), 8  # rows that are lost on average; rows of a group


def side(group, groups, found):
    rows = pd.DataFrame({"group_index": group, "class_true": 1.0, "correct": found, "accept": True})
    return ratio(rows, groups, terms=ratios.recall, share=True)


def pair(rng, groups, alike, loss):
    sizes = 1 + rng.negative_binomial(2, 2 / 8.4, groups)
    group = np.repeat(np.arange(groups), sizes)
    shared, common = rng.normal(size=groups), rng.normal(size=len(group))
    for share in (SHARE - loss, SHARE):
        of_group = np.sqrt(0.5) * (shared + rng.normal(size=groups))[group]
        of_row = np.sqrt(0.5) * (common + rng.normal(size=len(group)))
        yield group, np.sqrt(alike) * of_group + np.sqrt(1 - alike) * of_row < norm.ppf(share)


def drawn(rng, groups, alike, loss, weights, signs):
    """One comparison: delta, p, and the lower end of its interval."""
    sides = [side(group, groups, found) for group, found in pair(rng, groups, alike, loss)]
    deltas = sides[0].values(weights) - sides[1].values(weights)
    delta = float(np.subtract(*(one.values(np.ones((1, groups), dtype=np.int32))[0] for one in sides)))
    added = contributions(*sides, delta=delta, deltas=deltas, weights=weights, smooth=True)
    return delta, flipped_p(added, signs), ends(sides, deltas, level=LEVEL, correlation=FLOOR)[0]


def lost(rng, groups, alike, rows, weights):
    """Whether the lower end lies above the true loss of so many rows, by percentiles and as it is used."""
    group, share = np.repeat(np.arange(groups), EACH), rows / (SHARE * groups * EACH)
    rates = np.full(groups, share)
    if alike:
        worth = (1 - alike) / alike
        rates = rng.beta(share * worth, (1 - share) * worth, groups)
    before = rng.random(len(group)) < SHARE
    after = before & (rng.random(len(group)) >= rates[group])
    sides = [side(group, groups, found) for found in (after, before)]
    deltas = sides[0].values(weights) - sides[1].values(weights)
    used = ends(sides, deltas, level=LEVEL, correlation=FLOOR)[0]
    return [low > -rows / len(group) for low in (np.quantile(deltas, expanded_tail(LEVEL, groups)), used)]


def few(draws):
    for alike in ALIKE[:2]:
        for groups in (23, 50, 120):
            cells = []
            for rows in LOST:
                rng = np.random.default_rng([groups, int(10 * alike), rows])
                weights = group_weights(groups, replicates=REPLICATES, rng=rng)
                errs = np.mean([lost(rng, groups, alike, rows, weights) for _ in range(draws)], axis=0)
                cells += [f"{err:.3f}" for err in errs]
            print(f"| {alike:.1f} | {groups} | " + " | ".join(cells) + " |", flush=True)


def main(draws):
    for alike in ALIKE:
        for groups in GROUPS:
            rng = np.random.default_rng([groups, int(10 * alike)])
            weights = group_weights(groups, replicates=REPLICATES, rng=rng)
            signs = flip_signs(groups, patterns=PATTERNS, rng=rng)
            cells = []
            for loss in LOSSES:
                many = [drawn(rng, groups, alike, loss, weights, signs) for _ in range(draws)]
                delta, p, low = (np.array(part) for part in zip(*many, strict=True))
                cells += [f"{np.mean((p * family <= 0.05) & (delta < 0)):.3f}" for family in FAMILIES]
                if not loss:
                    kept = [f"{np.mean(low >= -margin):.2f}" for margin in MARGINS]
            print(f"| {alike:.1f} | {groups} | " + " | ".join(cells + kept) + " |", flush=True)


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    main(asked)
    few(asked)
