"""What choosing a calibrator costs: excess log loss by the number of rows and by how many methods may be chosen from.

Rows are drawn from a known truth, so the excess over the true probabilities is exact up to the fresh rows it is taken
on. Four networks: too sure (temperature is right), too sure with a leaning (vector), with classes mixed (matrix), and
bent (none is right). Columns are values of `rows_per_parameter`; 0 is the choice among all twelve.
Run: PYTHONPATH=src python bench/calibrator_choice.py [DRAWS]     prints its table again after each draw
"""

import sys

import numpy as np
import pandas as pd

from vouch.calibration.apply.multiclass_maps import apply_multiclass, n_parameters, parameters
from vouch.calibration.apply.probabilities import log_softmax
from vouch.calibration.fit.multiclass_fits import FITS
from vouch.calibration.fit.multiclass_selection import best, cross_validate, simplest

ROWS, CLASSES, FRESH, A_GROUP = (100, 300, 1000, 3000, 10_000), (2, 6), 4000, 7
SIGNAL = {2: 2.5, 6: 3.2}  # of the true class over the noise: about 96 % are right
WORLDS = ("too sure", "leaning", "mixed", "bent")
NEEDS = (0, 10, 20, 50, 100, 200)


def drawn(rng, n, classes):
    """Return true log odds, truths and groups; groups here say only what is held out together."""
    truth = rng.integers(0, classes, n)
    odds = SIGNAL[classes] * (SIGNAL[classes] * np.eye(classes)[truth] + rng.normal(size=(n, classes)))
    return odds - odds.mean(axis=1, keepdims=True), truth, pd.Series(np.arange(n) // A_GROUP)


def said(world, odds):
    """Return the logits of a network that should have said `odds`."""
    steps = np.linspace(0, 1, odds.shape[1])
    return {
        "too sure": 2 * odds,
        "leaning": 1.5 * odds + 2 * steps - 1,
        "mixed": 1.5 * odds + 0.3 * np.roll(odds, 1, axis=1) * steps,
        "bent": odds + 0.12 * np.maximum(odds, 0) ** 2 * (0.5 + steps),
    }[world]


def excess(curve, logits, odds):
    true = log_softmax(odds)
    return float((np.exp(true) * (true - np.log(np.maximum(apply_multiclass(curve, logits), 1e-12)))).sum(1).mean())


def of_each_method(rng, world, n, classes):
    """Return for each method its held-out loss and its excess on fresh rows."""
    odds, truth, group = drawn(rng, n, classes)
    fresh, _, _ = drawn(rng, FRESH, classes)
    logits, later = said(world, odds), said(world, fresh)
    found = {}
    for method, losses in cross_validate(logits, truth, group, tuple(FITS), folds=5).items():
        place = simplest(losses)
        found[method] = float(losses[place]), excess(FITS[method](logits, truth)[place], later, fresh)
    return found


def chosen(found, n, classes, need):
    losses = {method: loss for method, (loss, _) in found.items() if need * n_parameters(classes)[method] <= n}
    return found[best(losses, parameters(classes))][1]


def table(results):
    print("| classes | rows | " + " | ".join(["temperature alone", *(str(need) for need in NEEDS)]) + " | draws |")
    print("|---|---|" + "---|" * (len(NEEDS) + 2))
    for (classes, n), draws in sorted(results.items()):
        alone = [found["temperature"][1] for found in draws]
        means = [np.mean(alone), *(np.mean([chosen(found, n, classes, need) for found in draws]) for need in NEEDS)]
        print(f"| {classes} | {n:,} | " + " | ".join(f"{1000 * mean:.1f}" for mean in means) + f" | {len(draws)} |")
    print(flush=True)


def main():
    results = {}
    for draw in range(int(sys.argv[1]) if len(sys.argv) > 1 else 40):
        for n in ROWS:
            if draw >= 40_000 / n:  # many rows need few draws
                continue
            for classes in CLASSES:
                for place, world in enumerate(WORLDS):
                    found = of_each_method(np.random.default_rng([draw, n, classes, place]), world, n, classes)
                    results.setdefault((classes, n), []).append(found)
        table(results)


if __name__ == "__main__":
    main()
