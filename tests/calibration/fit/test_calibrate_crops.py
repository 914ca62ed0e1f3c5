"""Of crops, the calibrator learns from those of known products alone."""

import numpy as np
import pandas as pd
import pytest

from calibration.asked import crops, scalar
from vouch.calibration.apply.calibrator import calibrated, confidence
from vouch.calibration.fit.calibrate import fit
from vouch.errors import DataError
from vouch.evaluation.before_after import metrics_before_after


def made_up(known: int = 1500, unknown: int = 700) -> pd.DataFrame:
    """Known crops that are right as often as the square of their score says; unknown ones are never right."""
    rng = np.random.default_rng(0)
    score, n = rng.uniform(0.2, 1, known + unknown), known + unknown
    right = (np.arange(n) < known) & (rng.random(n) < score**2)
    true = np.where(np.arange(n) < known, np.where(right, "tea", "cola"), None)
    table = pd.DataFrame({"sample_id": [f"s{i}#0" for i in range(n)], "group": [f"g{i % 60}" for i in range(n)]})
    table = table.assign(class_true=pd.array(true, dtype="str"), class_pred=pd.array(["tea"] * n, dtype="str"))
    return table.assign(score=score, correct=right, similarity=score, margin=0.1)


def test_confidence_is_how_often_known_crops_are_right():
    rows = made_up()
    found = fit(rows, crops("platt", "beta"))
    said = confidence(found.calibrator, [0.4, 0.6, 0.9], ["tea"] * 3)
    assert said == pytest.approx([0.16, 0.36, 0.81], abs=0.05)
    of_all = confidence(fit(rows, scalar("platt", "beta")).calibrator, [0.9], ["tea"])
    assert of_all[0] < 0.65  # .81 of 15 in 22
    assert fit(rows[rows["class_true"].notna()], crops("platt", "beta")).calibrator == found.calibrator
    assert len(found.before) == len(found.after) == 1500
    assert calibrated(found.calibrator, rows)["confidence"].between(0, 1).all()


def test_what_the_calibration_changed_is_told_without_boxes():
    asked = crops("platt")
    found = fit(made_up(), asked)
    metrics = metrics_before_after(found.before, found.after, asked, correlation=found.correlation)
    assert {"ece", "ece_before", "nll_confidence", "brier_confidence"} <= set(metrics)
    assert not {"d_ece", "laece0", "laace0"} & set(metrics)
    assert metrics["ece"]["all"]["value"] < 0.05 < metrics["ece_before"]["all"]["value"]


def test_without_known_crops_nothing_is_changed_and_the_reason_is_told():
    found = fit(made_up(known=0), crops("platt"))
    assert found.calibrator["global"] == {
        "method": "identity",
        "reason": "0 predictions in 0 groups; 200 in 5 are needed",
    }


def test_a_score_that_is_none_is_told_by_its_row_in_the_whole_table():
    rows = made_up()
    rows.loc[2199, "score"] = 1.5
    with pytest.raises(DataError, match="row 2199: score"):
        fit(rows, crops("platt"))
