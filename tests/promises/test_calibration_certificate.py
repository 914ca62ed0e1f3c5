"""A certified recall holds on the truth, not only on val_calib, although rows of a group resemble each other."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from policies.asked import operating_point
from vouch.policies.fit.operating_point import fit_operating_point

DELTA, TARGET, DRAWS = 0.05, 0.9, 200


def draw(generator: np.random.Generator, groups: int, correlation: float) -> pd.DataFrame:
    """Return truths whose confidences are uniform in all, so that the recall at a threshold t is 1 - t."""
    group = np.repeat(np.arange(groups), 1 + generator.poisson(14, groups))
    shared = np.sqrt(correlation) * generator.normal(size=groups)[group]
    confidence = ndtr(shared + np.sqrt(1 - correlation) * generator.normal(size=len(group)))
    table = pd.DataFrame({"group": group, "class_true": "phone", "class_pred": "phone", "correct": True})
    return table.assign(confidence=confidence)


def violations(bound: str, groups: int, correlation: float) -> tuple[int, int]:
    generator, broken, infeasible = np.random.default_rng(1), 0, 0
    objective = operating_point("recall", floor=0.05, target=TARGET, bound=bound)
    for _ in range(DRAWS):
        policy = fit_operating_point(draw(generator, groups, correlation), objective)
        infeasible += not policy["feasible"]
        broken += policy["feasible"] and 1 - policy["thresholds"]["phone"] < TARGET
    return broken, infeasible


@pytest.mark.parametrize(("groups", "correlation"), [(40, 0.0), (40, 0.5), (80, 0.2)])
def test_a_certified_recall_is_broken_no_more_often_than_delta(groups: int, correlation: float) -> None:
    broken, infeasible = violations("low", groups, correlation)
    assert broken <= DRAWS * DELTA + 3 * np.sqrt(DRAWS * DELTA * (1 - DELTA))
    assert infeasible < DRAWS / 10  # a bound that never decides would keep its word too


def test_few_groups_that_differ_much_are_called_infeasible_rather_than_certified_wrongly() -> None:
    broken, infeasible = violations("low", 10, 0.8)
    assert broken <= DRAWS * DELTA + 3 * np.sqrt(DRAWS * DELTA * (1 - DELTA))
    assert infeasible > DRAWS / 2


def test_the_value_alone_breaks_it_about_every_other_time() -> None:
    broken, _ = violations("value", 40, 0.5)
    assert broken > DRAWS / 4
