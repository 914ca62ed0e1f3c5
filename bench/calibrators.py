"""Fitting and cross-validating all eleven calibrators of classes on 20,000 x 7, each beside a counterpart.

Every row is five folds of whole groups and the final fit, both sides on the same folds. Matrix and Dirichlet scaling
choose among seven penalties, as their peer does. A method that neither scikit-learn, betacal nor netcal has in this
environment is timed alone, and the row says so.
Run: PYTHONPATH=src python bench/calibrators.py [ROWS]
With `classes` in the place of ROWS: seconds of processor of a fit of each linear map, 2 to 200 classes.
"""

import importlib.util
import sys
import time

import numpy as np
import pandas as pd
from betacal import BetaCalibration
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from sides import in_turns
from vouch.calibration.apply.probabilities import log_softmax, softmax
from vouch.calibration.fit.grouped_folds import grouped_folds
from vouch.calibration.fit.multiclass_fits import FITS, PENALTIES
from vouch.calibration.fit.multiclass_selection import cross_validate, simplest

ROWS, CLASSES, GROUPS, FOLDS, RUNS = 20_000, 7, 500, 5, 5
MANY_ROWS, MANY_CLASSES = (244, 2_000), (2, 4, 8, 12, 16, 17, 20, 30, 50, 100, 200)
LINEAR = ("vector", "matrix", "dirichlet")
NETCAL = importlib.util.find_spec("netcal") is not None
BY_NETCAL = {"histogram": "HistogramBinning", "bbq": "BBQ"}


class Logits(ClassifierMixin, BaseEstimator):
    """A classifier whose decision function is its input: what scikit-learn's calibrators are given."""

    def fit(self, features, truth):
        self.classes_ = np.arange(CLASSES)
        return self

    def decision_function(self, features):
        return features

    def predict(self, features):
        return features.argmax(axis=1)


def made_up(rows):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2.5, (rows, CLASSES))
    odds = 0.5 * logits + 0.2 * np.roll(logits, 1, axis=1) + np.linspace(-0.5, 0.5, CLASSES)
    truth = (odds + rng.gumbel(size=odds.shape)).argmax(axis=1)
    return logits, truth, pd.Series(rng.integers(0, GROUPS, rows))


def ours(method, logits, truth, group):
    losses = cross_validate(logits, truth, group, (method,), folds=FOLDS)[method]
    place = simplest(losses)
    return FITS[method](logits, truth)[place], losses[place]


def frozen(method, logits, truth):
    """Fit one of scikit-learn's own calibrators."""
    fitted = CalibratedClassifierCV(FrozenEstimator(Logits().fit(logits, truth)), method=method).fit(logits, truth)
    return fitted.predict_proba


def linear(penalty, logits, truth):
    return LogisticRegression(C=1 / (penalty * len(logits)), max_iter=1000).fit(logits, truth).predict_proba


def on_logs(penalty, logits, truth):
    predict = linear(penalty, log_softmax(logits), truth)
    return lambda held: predict(log_softmax(held))


def by_class(curve, logits, truth):
    """Fit one curve for each class against the rest."""
    shares = softmax(logits)
    curves = [curve().fit(shares[:, [k]], truth == k) for k in range(CLASSES)]

    def predict(held):
        shares = softmax(held)
        values = np.stack([one.predict(shares[:, k]) for k, one in enumerate(curves)], axis=1)
        return values / values.sum(axis=1, keepdims=True)

    return predict


def by_netcal(name, logits, truth):
    from netcal import binning

    fitted = getattr(binning, name)()
    fitted.fit(softmax(logits), truth)
    return lambda held: fitted.transform(softmax(held))


def peers(method):
    """Return the peer's name and its fits: one, or one for each penalty."""
    if method in BY_NETCAL and NETCAL:
        return "netcal", [lambda *rows: by_netcal(BY_NETCAL[method], *rows)]
    known = {
        "temperature": ("scikit-learn", [lambda *rows: frozen("temperature", *rows)]),
        "platt": ("scikit-learn", [lambda *rows: frozen("sigmoid", *rows)]),
        "isotonic": ("scikit-learn", [lambda *rows: frozen("isotonic", *rows)]),
        "beta": ("betacal", [lambda *rows: by_class(lambda: BetaCalibration("abm"), *rows)]),
        "matrix": ("scikit-learn", [lambda *rows, p=p: linear(p, *rows) for p in PENALTIES]),
        "dirichlet": ("scikit-learn", [lambda *rows, p=p: on_logs(p, *rows) for p in PENALTIES]),
    }
    return known.get(method, (None, []))


def theirs(fits, logits, truth, group):
    losses = np.zeros(len(fits))
    for held in grouped_folds(group, FOLDS):
        for place, fit in enumerate(fits):
            said = fit(logits[~held], truth[~held])(logits[held])
            losses[place] += log_loss(truth[held], said, labels=range(CLASSES)) * held.mean()
    place = int(losses.argmin())
    return fits[place](logits, truth), losses[place]


def row(method, data, runs):
    name, fits = peers(method)
    sides = {"ours": lambda: ours(method, *data)}
    if fits:
        sides["peer"] = lambda: theirs(fits, *data)
    given, seconds = in_turns(sides, runs)
    our_s = seconds["ours"]
    what = f"{method}: fit and {FOLDS}-fold grouped cross-validation, {len(data[0]):,} x {CLASSES}"
    what += f" (held-out loss {given['ours'][1]:.4f}"
    if not fits:
        absent = "netcal is not installed" if method in BY_NETCAL else "no counterpart"
        return f"| {what}) | {our_s:.3f} s | {absent} | | |"
    peer_s = seconds["peer"]
    what += f", {name} {given['peer'][1]:.4f})"
    return f"| {what} | {our_s:.3f} s | {peer_s:.3f} s | {peer_s / our_s:.1f} x as fast | > 1 x |"


def of_many(rows, classes):
    """Draw sure, correlated logits as a network's are: prototypes in 64 directions, 8 % of the labels swapped."""
    rng = np.random.default_rng(0)
    width = min(classes, 64)
    prototypes = rng.normal(size=(classes, width)) / width**0.5
    truth = rng.integers(0, classes, rows)
    seen = prototypes[truth] + 1.5 * rng.normal(size=(rows, width)) / width**0.5
    logits = 6 * seen @ prototypes.T + 0.5 * rng.normal(size=(rows, classes))
    return logits, np.where(rng.random(rows) < 0.08, logits.argsort(axis=1)[:, -2], truth)


def by_classes():
    print("| classes | numbers | " + " | ".join(f"{method}, {n:,} rows" for n in MANY_ROWS for method in LINEAR) + " |")
    print("|---" * (2 + len(MANY_ROWS) * len(LINEAR)) + "|")
    for classes in MANY_CLASSES:
        cells = []
        for rows in MANY_ROWS:
            logits, truth = of_many(rows, classes)
            for method in LINEAR:
                start = time.process_time()
                FITS[method](logits, truth)
                cells.append(f"{time.process_time() - start:.2f}")
        print(f"| {classes} | {classes * (classes + 1):,} | {' | '.join(cells)} |", flush=True)


def main():
    if sys.argv[1:] == ["classes"]:
        by_classes()
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    data = made_up(rows)
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    for method in FITS:
        if method != "identity":
            print(row(method, data, RUNS), flush=True)


if __name__ == "__main__":
    main()
