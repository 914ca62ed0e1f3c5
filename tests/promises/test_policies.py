"""The exit policies keep their word on fresh rows, independent and clustered. Bounds are three sigma wide."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit, ndtr

from policies.asked import changed, gate, scrc, threshold
from policies.toy_rows import binary, world
from vouch.policies.apply.policy import decided
from vouch.policies.fit.params import Exits
from vouch.policies.fit.scrc import fit_scrc
from vouch.policies.fit.threshold_sweep import fit_sweep

ALPHA, DELTA, DRAWS = 0.05, 0.05, 80
MOST = DRAWS * DELTA + 3 * np.sqrt(DRAWS * DELTA * (1 - DELTA))
BY_GROUP = threshold(alpha=ALPHA, delta=DELTA, unit="group")
BY_ROW = changed(BY_GROUP, unit="row")
CERTIFIED = scrc(xi=0.8)


def promised(asked: Exits) -> dict[str, Any]:
    return asked.model_dump(exclude={"kind"})


FITS = {
    "threshold": fit_sweep,
    "gate": lambda rows, asked: fit_sweep(rows, gate(**promised(asked))),
    "scrc": lambda rows, asked: fit_scrc(rows, scrc(xi=0.8, **promised(asked))),
}


def never_right_enough(generator: np.random.Generator, groups: int, size: int, alike: float) -> pd.DataFrame:
    """Return rows of work and free whose score says nothing and of which a share just above alpha is wrong.

    Groups differ in their share (beta distribution, `alike` the correlation of two rows of a group), so every policy
    that answers anything breaks its word.
    """
    group = np.repeat(np.arange(groups), size)
    rate = 1.02 * ALPHA
    if alike > 0:
        rate = generator.beta(rate * (1 - alike) / alike, (1 - rate) * (1 - alike) / alike, groups)[group]
    wrong = generator.random(len(group)) < rate
    work = generator.random(len(group)) < 0.5
    sure = generator.uniform(0.9, 1.0, len(group))
    return binary(np.where(work ^ wrong, sure, 1 - sure), work, group, gate=generator.random(len(group)))


def certified_of_the_impossible(kind: str, risk: Exits, groups: int, size: int, alike: float) -> int:
    generator = np.random.default_rng(5)
    draws = (never_right_enough(generator, groups, size, alike) for _ in range(DRAWS))
    return sum(FITS[kind](rows, risk)["feasible"] for rows in draws)


@pytest.mark.parametrize(
    ("kind", "positive"), [("threshold", "work"), ("threshold", None), ("gate", None), ("scrc", None)]
)
@pytest.mark.parametrize("risk", [BY_ROW, BY_GROUP])
def test_a_risk_above_alpha_is_certified_no_more_often_than_delta(kind: str, positive: str | None, risk: Exits) -> None:
    assert certified_of_the_impossible(kind, changed(risk, positive=positive), 400, 1, 0.0) <= MOST


@pytest.mark.parametrize(
    ("kind", "groups", "size", "alike", "steps"),
    [
        ("threshold", 80, 12, 0.3, 20),
        ("threshold", 80, 12, 0.8, 1),
        ("threshold", 150, 6, 0.1, 3),
        ("threshold", 80, 12, 0.99, 3),
        ("gate", 80, 12, 0.8, 1),
        ("scrc", 100, 6, 0.3, 5),
        ("scrc", 80, 12, 0.8, 1),
    ],
)
def test_so_is_one_in_groups_that_differ(kind: str, groups: int, size: int, alike: float, steps: int) -> None:
    assert certified_of_the_impossible(kind, changed(BY_GROUP, steps=steps), groups, size, alike) <= MOST


def test_taking_the_rows_of_a_group_for_independent_would_break_it() -> None:
    assert certified_of_the_impossible("threshold", changed(BY_ROW, steps=1), 80, 12, 0.8) > MOST


@pytest.mark.parametrize(("groups", "size", "alike"), [(700, 1.0, 0.0), (250, 4.0, 0.4)])
@pytest.mark.parametrize("kind", FITS)
def test_a_certified_policy_misses_more_than_alpha_no_more_often_than_delta(
    kind: str, groups: int, size: float, alike: float
) -> None:
    generator, broken, coverage = np.random.default_rng(7), 0, []
    fresh, truth = world(np.random.default_rng(99), 20000, 1.0, alike)
    for _ in range(40):
        policy = FITS[kind](world(generator, groups, size, alike)[0], BY_GROUP)
        found = decided(policy, fresh)
        exits = found["accept"].to_numpy()
        missed = exits & (found["class_pred"] == "free").to_numpy()
        coverage.append(exits.mean())
        broken += policy["feasible"] and truth[missed].sum() / truth[exits].sum() > ALPHA
    assert broken <= 40 * DELTA + 3 * np.sqrt(40 * DELTA * (1 - DELTA))
    assert np.mean(coverage) > 0.2  # a policy that answers nothing keeps its word too


@pytest.mark.parametrize(("groups", "size", "alike"), [(400, 1.0, 0.0), (100, 5.0, 0.4)])
@pytest.mark.parametrize("variant", ["rank", "dkw", "clopper_pearson"])
def test_scrc_selects_its_share_and_misses_no_more_than_alpha_of_the_selected_on_average(
    variant: str, groups: int, size: float, alike: float
) -> None:
    generator, draws = np.random.default_rng(11), 60
    unit = "row" if alike == 0 else "group"
    recipe = changed(CERTIFIED, variant=variant, guarantee="variant", xi=0.7, unit=unit)
    covered, lost, sizes = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    for draw in range(draws):
        policy = fit_scrc(world(generator, groups, size, alike)[0], recipe)
        covered[draw] = 2 * ndtr(-logit(policy["lam1"]) / 3)  # true: the score is |normal| * 3 in log odds
        fresh, truth = world(generator, 1000, 1.0, alike)
        found = decided(policy, fresh)
        inside = found["selected"].to_numpy()
        right = np.where(found["class_pred"] == "work", truth, 1 - truth)
        outside = np.select([found["set_size"] == 0, found["set_size"] == 1], [1.0, 1 - right], 0.0)
        lost[draw], sizes[draw] = outside[inside].sum(), inside.sum()
    missed = lost.sum() / sizes.sum()
    sigma_covered, sigma_missed = np.std(covered) / np.sqrt(draws), np.std(lost / sizes) / np.sqrt(draws)
    assert covered.mean() >= 0.7 - 3 * sigma_covered
    assert missed <= ALPHA + 3 * sigma_missed
    if variant == "rank" and alike == 0:  # exact, so it is not far on the cautious side either
        assert covered.mean() <= 281 / 401 + 3 * sigma_covered
        assert missed >= ALPHA - 2 / 281 - 3 * sigma_missed
    if variant != "rank":  # the coverage itself is reached so often, not only its mean
        assert np.mean(covered < 0.7) <= DELTA + 3 * np.sqrt(DELTA * (1 - DELTA) / draws)


def reluctant(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose probability of work is too low, so that work lies outside its set more often than free does."""
    work = rows["probability_work"].to_numpy() ** 1.5
    return binary(work, (rows["class_true"] == "work").to_numpy(), rows["group"].str[1:].astype(int).to_numpy())


@pytest.mark.parametrize(
    ("variant", "groups", "size", "alike"),
    [("rank", 400, 1.0, 0.0), ("rank", 100, 5.0, 0.4), ("clopper_pearson", 400, 1.0, 0.0), ("dkw", 300, 4.0, 0.4)],
)
def test_scrc_of_positives_misses_no_more_than_alpha_of_those_selected_on_average(
    variant: str, groups: int, size: float, alike: float
) -> None:
    generator, draws, alpha = np.random.default_rng(17), 40, 0.1
    unit = "row" if alike == 0 else "group"
    recipe = changed(CERTIFIED, variant=variant, guarantee="variant", event="positive", xi=0.7, unit=unit, alpha=alpha)
    lost, sizes, covered = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    for draw in range(draws):
        policy = fit_scrc(reluctant(world(generator, groups, size, alike)[0]), recipe)
        assert policy["feasible"]
        fresh, truth = world(generator, 1000, 1.0, alike)
        found = decided(policy, reluctant(fresh))
        inside = found["selected"].to_numpy()
        missed = inside & ~found["prediction_set"].str.contains("work").to_numpy()
        covered[draw], lost[draw], sizes[draw] = inside.mean(), truth[missed].sum(), truth[inside].sum()
    share, sigma = lost.sum() / sizes.sum(), np.std(lost / sizes) / np.sqrt(draws)
    assert share <= alpha + 3 * sigma
    assert covered.mean() >= 0.7 - 3 * np.std(covered) / np.sqrt(draws)
    if variant == "rank" and alike == 0:  # exact, so it is not far on the cautious side either
        assert share >= alpha - 2 / sizes.mean() * 1000 / groups - 3 * sigma


def test_what_is_promised_of_sets_is_not_promised_of_exits() -> None:
    generator, wrong = np.random.default_rng(13), []
    recipe = changed(CERTIFIED, guarantee="variant", xi=0.95)
    for _ in range(20):
        policy = fit_scrc(world(generator, 600, 1.0, 0.0)[0], recipe)
        fresh, truth = world(generator, 1000, 1.0, 0.0)
        found = decided(policy, fresh)
        wrong.append(np.where(found["class_pred"] == "work", 1 - truth, truth)[found["accept"]].mean())
    assert np.mean(wrong) > ALPHA + 3 * np.std(wrong) / np.sqrt(20)
