"""Calibration of several classes keeps its word in simulation, on rows that depend on their groups: three sigma."""

import numpy as np
import pandas as pd
import pytest

from calibration.asked import multiclass
from vouch.calibration.apply.calibrator import calibrated
from vouch.calibration.apply.multiclass import as_predicted
from vouch.calibration.apply.probabilities import labels, matrix
from vouch.calibration.fit.log_loss import log_loss_of_classes
from vouch.calibration.fit.multiclass_fits import FITS
from vouch.calibration.fit.multiclass_selection import cross_validate, fit_multiclass, out_of_fold
from vouch.tables import LOGIT, PROBABILITY

NAMES = ("cone", "barrier", "none")
METHODS = ("identity", "temperature", "vector", "platt", "beta", "dirichlet", "ensemble_temperature")


def clustered(generator: np.random.Generator, groups: int, spread: float = 0.4) -> pd.DataFrame:
    """Return rows of a network that is too sure and leans to one class; a group shifts the odds of its rows."""
    group = np.repeat(np.arange(groups), 1 + generator.poisson(8, groups))
    logits = generator.normal(0, 3, (len(group), 3))
    shift = spread * generator.normal(size=(groups, 3))[group]
    truth = (0.5 * logits + [0.8, 0.0, -0.8] + shift + generator.gumbel(size=logits.shape)).argmax(axis=1)
    right = logits.argmax(axis=1) == truth
    return pd.DataFrame(
        {
            "group": [f"g{index:05d}" for index in group],
            "class_true": pd.array(np.array(NAMES, dtype=object)[truth], dtype="str"),
            "correct": right,
            **{LOGIT + name: logits[:, place] for place, name in enumerate(NAMES)},
            "gate_logit": generator.normal(0, 1, len(group)) + 2.0 * right,
        }
    )


def worst(said: np.ndarray, happened: np.ndarray, group: pd.Series) -> float:
    """Return the largest gap of five equal-width parts in standard errors between independent groups."""
    found = []
    for part in range(5):
        chosen = np.minimum((said * 5).astype(int), 4) == part
        gap = pd.Series(happened[chosen] - said[chosen]).groupby(group[chosen].to_numpy()).sum()
        if chosen.sum() > 200:
            found.append(abs(gap.sum()) / np.sqrt((gap**2).sum()))
    return max(found)


@pytest.mark.parametrize("seed", range(2))
def test_probabilities_and_gate_are_the_shares_that_happen_among_fresh_groups(seed: int) -> None:
    generator = np.random.default_rng(seed)
    calibrator = fit_multiclass(clustered(generator, 400), multiclass(*METHODS))
    fresh = calibrated(calibrator, clustered(generator, 2000))
    bound = 3 * np.sqrt(1 + 5)  # the calibrator is an estimate too, from a fifth of the groups
    for name in NAMES:
        happened = (fresh["class_true"] == name).to_numpy(dtype=float)
        assert worst(fresh[PROBABILITY + name].to_numpy(), happened, fresh["group"]) < bound
    assert worst(fresh["confidence"].to_numpy(), fresh["correct"].to_numpy(dtype=float), fresh["group"]) < bound
    assert worst(fresh["gate"].to_numpy(), fresh["correct"].to_numpy(dtype=float), fresh["group"]) < bound


def test_the_softmax_as_it_is_fails_the_same_test() -> None:
    fresh = calibrated(as_predicted(NAMES), clustered(np.random.default_rng(0), 2000))
    assert worst(fresh["confidence"].to_numpy(), fresh["correct"].to_numpy(dtype=float), fresh["group"]) > 10
    assert worst(fresh["gate"].to_numpy(), fresh["correct"].to_numpy(dtype=float), fresh["group"]) > 10


def test_out_of_fold_losses_are_no_better_than_what_comes_later() -> None:
    generator = np.random.default_rng(3)
    honest, flattering = [], []
    for _ in range(15):
        rows, choice = clustered(generator, 30), multiclass("isotonic")
        fresh = clustered(generator, 300)
        calibrator = fit_multiclass(rows, choice)
        later = loss(calibrated(calibrator, fresh))
        honest.append(later - loss(out_of_fold(rows, choice)))
        flattering.append(later - loss(calibrated(calibrator, rows)))
    assert np.mean(honest) < 3 * np.std(honest) / np.sqrt(15)
    assert np.mean(flattering) > 3 * np.std(flattering) / np.sqrt(15)


def loss(rows: pd.DataFrame) -> float:
    return log_loss_of_classes(matrix(rows, NAMES, PROBABILITY), labels(rows, NAMES))


def truth_of(family: str, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    logits = generator.normal(0, 2, (3000, 3))
    odds = {
        "identity": logits,
        "temperature": logits / 2,
        "vector": logits * [0.3, 1.0, 0.6] + [0.5, 0.0, -0.5],
        "matrix": logits @ np.array([[0.7, -0.4, 0.0], [0.3, 0.6, 0.4], [0.0, -0.3, 0.9]]),
    }[family]
    return logits, (odds + generator.gumbel(size=odds.shape)).argmax(axis=1)


@pytest.mark.parametrize("family", ["identity", "temperature", "vector", "matrix"])
def test_grouped_cross_validation_finds_the_family_more_often_than_not(family: str) -> None:
    generator, found = np.random.default_rng(11), 0
    methods = ("identity", "temperature", "vector", "matrix", "isotonic")
    for _ in range(6):
        logits, truth = truth_of(family, generator)
        rows = pd.DataFrame({LOGIT + name: logits[:, place] for place, name in enumerate(NAMES)})
        right = logits.argmax(axis=1) == truth
        rows = rows.assign(class_true=np.array(NAMES)[truth], correct=right, group=np.arange(3000) % 60)
        calibrator = fit_multiclass(rows, multiclass(*methods, folds=4))
        found += calibrator["map"]["method"] == family
    assert found > 3


def test_held_out_losses_punish_a_map_that_follows_noise() -> None:
    generator = np.random.default_rng(5)
    logits = generator.normal(0, 2, (250, 3))
    truth = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    held = cross_validate(logits, truth, pd.Series(np.arange(250) % 25), ("identity", "isotonic"), folds=5)
    seen = {method: FITS[method](logits, truth)[0] for method in held}
    assert held["isotonic"][0] > held["identity"][0]
    assert nll_of(seen["isotonic"], logits, truth) < nll_of(seen["identity"], logits, truth)


def nll_of(curve: dict, logits: np.ndarray, truth: np.ndarray) -> float:
    rows = pd.DataFrame({LOGIT + name: logits[:, place] for place, name in enumerate(NAMES)})
    said = calibrated({**as_predicted(NAMES), "map": curve}, rows)
    return log_loss_of_classes(matrix(said, NAMES, PROBABILITY), truth)
