"""Calibration keeps its word in simulation, on rows that depend on their groups. Bounds are three sigma wide."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration.asked import scalar
from vouch.calibration.apply.calibrator import confidence
from vouch.calibration.apply.scalar_maps import logit, sigmoid
from vouch.calibration.fit.log_loss import log_loss
from vouch.calibration.fit.scalar_selection import best, cross_validate, fit_calibrator, out_of_fold
from vouch.errors import LeakageError
from vouch.splits.contract import read_predictions

METHODS = ("identity", "temperature", "platt", "beta", "isotonic")
CHOICE = scalar(*METHODS)


def clustered(generator: np.random.Generator, groups: int, power: float = 2.5) -> pd.DataFrame:
    """Return rows right with probability score^power on average; a group shifts the log odds of its rows together."""
    group = np.repeat(np.arange(groups), 1 + generator.poisson(12, groups))
    score = generator.uniform(0.02, 0.98, len(group))
    odds = logit(score**power) + 0.5 * generator.normal(size=groups)[group]
    name = np.array(["phone", "cone"], dtype=object)[group % 2]
    return pd.DataFrame(
        {
            "group": [f"g{index:04d}" for index in group],
            "class_pred": name,
            "score": score,
            "correct": generator.random(len(group)) < sigmoid(odds),
        }
    )


@pytest.mark.parametrize("seed", range(3))
def test_confidence_is_the_share_that_is_right_among_fresh_groups(seed: int) -> None:
    generator = np.random.default_rng(seed)
    calibrator = fit_calibrator(clustered(generator, 400), CHOICE)
    fresh = clustered(generator, 4000)
    said = confidence(calibrator, fresh["score"], fresh["class_pred"])
    fresh["gap"] = fresh["correct"] - said
    for part in range(5):
        chosen = fresh[np.minimum((said * 5).astype(int), 4) == part]
        of_group = chosen.groupby("group")["gap"].sum()
        error = np.sqrt((of_group**2).sum()) / len(chosen)  # groups are independent, rows are not
        # the calibrator is an estimate too, from a tenth of the groups: its error is about sqrt(10) of this one's
        assert abs(chosen["gap"].mean()) < 3 * error * np.sqrt(1 + 10)


def test_scores_as_they_are_fail_the_same_test() -> None:
    fresh = clustered(np.random.default_rng(0), 4000)
    chosen = fresh[(fresh["score"] > 0.4) & (fresh["score"] < 0.6)]
    gap = chosen["correct"] - chosen["score"]
    error = np.sqrt((gap.groupby(chosen["group"]).sum() ** 2).sum()) / len(chosen)
    assert abs(gap.mean()) > 3 * error * np.sqrt(1 + 10)


def truth(family: str, score: np.ndarray) -> np.ndarray:
    steps = np.where(score < 0.45, 0.05, np.where(score < 0.8, 0.55, 0.97))
    return {
        "identity": score,
        "temperature": sigmoid(logit(score) / 2.0),
        "platt": sigmoid(0.8 * logit(score) - 1.2),
        "beta": sigmoid(0.2 * np.log(score) - 2.5 * np.log1p(-score) - 1.5),
        "isotonic": steps,
    }[family]


@pytest.mark.parametrize("family", METHODS)
def test_grouped_cross_validation_finds_the_family_more_often_than_not(family: str) -> None:
    generator, found = np.random.default_rng(7), 0
    for _ in range(12):
        score = generator.uniform(0.02, 0.98, 4000)
        rows = pd.DataFrame(
            {
                "group": np.arange(4000) % 80,
                "score": score,
                "correct": generator.random(4000) < truth(family, score),
            }
        )
        found += best(cross_validate(rows, METHODS, folds=5)) == family
    assert found > 6


def test_out_of_fold_figures_do_not_flatter() -> None:
    generator = np.random.default_rng(3)
    honest, flattering = [], []
    for _ in range(30):
        rows = clustered(generator, 25)
        choice = scalar("isotonic", min_rows=50)
        calibrator = fit_calibrator(rows, choice)
        fresh = clustered(generator, 400)
        correct = rows["correct"].to_numpy()
        later = log_loss(confidence(calibrator, fresh["score"], fresh["class_pred"]), fresh["correct"].to_numpy())
        flattering.append(later - log_loss(confidence(calibrator, rows["score"], rows["class_pred"]), correct))
        honest.append(later - log_loss(out_of_fold(rows, choice), correct))
    sigma = np.std(honest) / np.sqrt(30)
    assert np.mean(honest) < 3 * sigma  # no better than what comes later; a little worse, from fewer rows
    assert np.mean(flattering) > 3 * np.std(flattering) / np.sqrt(30)  # the figures that we do not report


def test_the_calibrator_and_the_policy_may_read_their_own_split_alone() -> None:
    for purpose, own in (("fit_calibrator", "val_select"), ("fix_policy", "val_calib")):
        for split in {"train", "val_select", "val_calib", "val_test"} - {own}:
            with pytest.raises(LeakageError, match=split):
                read_predictions("driver", "candidate", split, purpose=purpose)


@pytest.mark.parametrize(
    ("stage", "split", "purpose"),
    [("calibrate", "val_select", "fit_calibrator"), ("decide", "val_calib", "fix_policy")],
)
def test_the_stages_read_rows_through_the_contract_alone(stage: str, split: str, purpose: str) -> None:
    tree = ast.parse((Path(__file__).parents[2] / f"src/vouch/stages/{stage}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [ast.unparse(call) for call in calls]
    assert [text for text in named if "read_predictions" in text] == [
        f"read_predictions(model, 'candidate', '{split}', purpose='{purpose}')"
    ]
    assert not [text for text in named if "read_table" in text or "paths.predictions" in text or "paths.split" in text]
