"""What choosing a calibrator costs: excess log loss by the number of rows and by how many methods may be chosen from.

Rows are drawn from a known truth, so the excess over the true probabilities is exact up to the fresh rows it is taken
on. Four networks: too sure (temperature is right), too sure with a leaning (vector), with classes mixed (matrix), and
bent (none is right). Columns are values of `rows_per_parameter`, 0 being the choice among all twelve, or with `events`
those of `events_per_parameter` beside 50 rows; then two classes of which .96 and .99 are right, a fifth network that is
blind to some of the second class, and beside the excess the wrong answers in a thousand among the surest .85 of fresh
rows, less those by the order of the true probabilities.
Run: PYTHONPATH=src python bench/calibrator_choice.py rows|events [DRAWS]     prints its table again after each draw
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
SURER = 3.29  # of two classes: 99 % are right
WORLDS = ("too sure", "leaning", "mixed", "bent")
BLIND = 0.005  # share of the second class that looks like the first, as works behind a lorry do
NEEDS = (0, 10, 20, 50, 100, 200)
EVENTS, OF_EVENTS, ANSWERED = (0, 2, 5, 10), (300, 1000, 3000), 0.85


def drawn(rng, n, classes, signal, blind=0.0):
    """Return true log odds, truths and groups; groups here say only what is held out together."""
    truth = rng.integers(0, classes, n)
    hidden = (truth == 1) & (rng.random(n) < blind)
    odds = signal * (signal * np.eye(classes)[truth * ~hidden] + rng.normal(size=(n, classes)))
    return odds - odds.mean(axis=1, keepdims=True), truth, pd.Series(np.arange(n) // A_GROUP)


def known(odds, blind):
    """Return the true log odds where a share of the second of two classes is drawn as the first."""
    if not blind:
        return odds
    second = np.log((1 - blind) * np.exp(odds[:, 1] - odds[:, 0]) + blind)
    return np.stack([-second, second], axis=1) / 2


def said(world, odds):
    """Return the logits of a network that should have said `odds`."""
    steps = np.linspace(0, 1, odds.shape[1])
    return {
        "too sure": 2 * odds,
        "leaning": 1.5 * odds + 2 * steps - 1,
        "mixed": 1.5 * odds + 0.3 * np.roll(odds, 1, axis=1) * steps,
        "blind": 2 * odds,
        "bent": odds + 0.12 * np.maximum(odds, 0) ** 2 * (0.5 + steps),
    }[world]


def excess(curve, logits, odds):
    true = log_softmax(odds)
    return float((np.exp(true) * (true - np.log(np.maximum(apply_multiclass(curve, logits), 1e-12)))).sum(1).mean())


def misses(probability, odds):
    """Return the expected wrong answers in a thousand among the surest."""
    true, answer = np.exp(log_softmax(odds)), probability.argmax(axis=1)
    surest = np.argsort(-probability.max(axis=1), kind="stable")[: round(ANSWERED * len(odds))]
    return 1000 * float(1 - true[surest, answer[surest]].mean())


def of_each_method(rng, world, n, classes, signal):
    """Return for each method its held-out loss, and its excess and misses on fresh rows."""
    blind = BLIND if world == "blind" else 0.0
    odds, truth, group = drawn(rng, n, classes, signal, blind)
    seen, _, _ = drawn(rng, FRESH, classes, signal, blind)
    logits, later, fresh = said(world, odds), said(world, seen), known(seen, blind)
    least = misses(np.exp(log_softmax(fresh)), fresh)
    found = {}
    for method, losses in cross_validate(logits, truth, group, tuple(FITS), folds=5).items():
        place = simplest(losses)
        curve = FITS[method](logits, truth)[place]
        more = misses(apply_multiclass(curve, later), fresh) - least
        found[method] = float(losses[place]), excess(curve, later, fresh), more
    wrong = float((logits.argmax(axis=1) != truth).sum())
    return found, wrong


def chosen(found, wrong, n, classes, rows=0, events=0):
    """Return the excess and the misses of the method that is chosen; that rows and wrong answers can teach."""
    learned = n_parameters(classes)
    losses = {
        method: loss
        for method, (loss, _, _) in found.items()
        if rows * learned[method] <= n and (learned[method] < 2 or events * learned[method] <= wrong)
    }
    return found[best(losses, parameters(classes))][1:]


def by_rows(results):
    print("| classes | rows | " + " | ".join(["temperature alone", *(str(need) for need in NEEDS)]) + " | draws |")
    print("|---|---|" + "---|" * (len(NEEDS) + 2))
    for (classes, n, _, _), draws in sorted(results.items()):
        alone = [found["temperature"][1] for found, _ in draws]
        of = [np.mean([chosen(*draw, n, classes, need)[0] for draw in draws]) for need in NEEDS]
        print(f"| {classes} | {n:,} | " + " | ".join(f"{1000 * mean:.1f}" for mean in [np.mean(alone), *of]), end="")
        print(f" | {len(draws)} |")
    print(flush=True)


def by_events(results):
    print("| right | rows | " + " | ".join(["temperature alone", *(str(need) for need in EVENTS)]) + " | draws |")
    print("|---|---|" + "---|" * (len(EVENTS) + 2))
    for (classes, n, signal, blind), draws in sorted(results.items()):
        cells = [np.mean([found["temperature"][1:] for found, _ in draws], axis=0)]
        cells += [np.mean([chosen(*draw, n, classes, 50, need) for draw in draws], axis=0) for need in EVENTS]
        told = " | ".join(f"{1000 * loss:.1f}, {more:+.1f}" for loss, more in cells)
        share = ".99" if signal == SURER else ".96"
        print(f"| {share}{', blind' if blind else ''} | {n:,} | {told} | {len(draws)} |")
    print(flush=True)


def main():
    table = {"rows": by_rows, "events": by_events}[sys.argv[1]]
    worlds = WORLDS if table is by_rows else (*WORLDS, "blind")
    cells = [(classes, SIGNAL[classes]) for classes in CLASSES] if table is by_rows else [(2, SIGNAL[2]), (2, SURER)]
    results = {}
    for draw in range(int(sys.argv[2]) if len(sys.argv) > 2 else 40):
        for n in ROWS if table is by_rows else OF_EVENTS:
            if draw >= 40_000 / n:  # many rows need few draws
                continue
            for classes, signal in cells:
                for place, world in enumerate(worlds):
                    rng = np.random.default_rng([draw, n, classes, place])
                    found = of_each_method(rng, world, n, classes, signal)
                    results.setdefault((classes, n, signal, world == "blind"), []).append(found)
        table(results)


if __name__ == "__main__":
    main()
