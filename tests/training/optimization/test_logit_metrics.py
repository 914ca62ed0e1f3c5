import numpy as np
import pytest
from scipy.special import log_softmax

from vouch.errors import DataError
from vouch.training.optimization.logit_metrics import metrics

RNG = np.random.default_rng(1)
CLASS_IDS = RNG.integers(0, 3, 300)
LOGITS = RNG.normal(0, 1, (300, 3)) + 2.0 * np.eye(3)[CLASS_IDS]


def area_under_generalised_risk(confidence, right):
    """The trapezoid over distinct thresholds, from nobody answered to everybody."""
    coverage, risk = [0.0], [0.0]
    for threshold in np.unique(confidence)[::-1]:
        chosen = confidence >= threshold
        coverage.append(chosen.mean())
        risk.append((chosen & ~right).mean())
    return np.trapezoid(risk, coverage)


@pytest.mark.parametrize("step", [0.0, 0.5])  # 0.5: many photographs tie
def test_augrc_is_the_area_under_the_curve_of_generalised_risk(step):
    logits = LOGITS if step == 0 else np.round(LOGITS / step) * step
    log_p = log_softmax(logits, axis=1)
    right = log_p.argmax(1) == CLASS_IDS
    found = metrics(logits, CLASS_IDS, where="val_select")
    assert found["augrc"] == pytest.approx(area_under_generalised_risk(log_p.max(1), right))
    assert found["accuracy"] == pytest.approx(right.mean())
    assert found["nll"] == pytest.approx(-np.mean([row[k] for row, k in zip(log_p, CLASS_IDS, strict=True)]))


@pytest.mark.parametrize(("sign", "accuracy", "augrc"), [(1, 1.0, 0.0), (-1, 0.0, 0.5)])
def test_all_right_and_all_wrong_have_a_value(sign, accuracy, augrc):
    class_ids = np.array([0, 1, 1])
    found = metrics(sign * 5.0 * np.eye(2)[class_ids], class_ids, where="val_select")
    assert (found["accuracy"], found["augrc"]) == (accuracy, augrc)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_of_a_training_that_diverged_are_refused(value):
    broken = LOGITS.copy()
    broken[[3, 7], 1] = value
    with pytest.raises(DataError, match="val_select: expected finite logits, got NaN or infinity for 2 of 300"):
        metrics(broken, CLASS_IDS, where="val_select")
