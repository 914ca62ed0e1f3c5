import pytest
from scipy.stats import norm

from vouch.evaluation.gates.margins import equal_passes, least_limit, least_margin

# a difference of .002 whose lower end is two standard errors of .008 further down
FOUND = {"delta": 0.002, "low": -0.014, "high": 0.018, "standard_error": 0.008, "verdict": "unknown"}


@pytest.mark.parametrize(
    ("op", "limit", "bound", "room"),
    [
        (">=", -0.01, "low", (0.01 - 0.016) / 0.008),
        (">=", -0.03, "low", (0.03 - 0.016) / 0.008),
        ("<=", 0.03, "high", (0.03 - 0.016) / 0.008),
        (">=", -0.01, "value", 0.01 / 0.008),
        (">=", 0.0, "value", 0.0),  # an equal model loses a little half of the time
    ],
)
def test_an_equal_model_passes_as_often_as_a_normal_difference_would(op, limit, bound, room):
    assert equal_passes(FOUND, op=op, limit=limit, bound=bound) == pytest.approx(norm.cdf(room))


@pytest.mark.parametrize(
    ("changes", "op", "limit", "bound"),
    [
        ({}, ">=", 0.01, "low"),  # a gain is asked for
        ({}, "<=", -0.01, "high"),
        ({}, ">=", 0.0, "verdict"),
        ({"verdict": "better"}, ">=", -0.01, "low"),
        ({"low": None}, ">=", -0.01, "low"),
        ({"standard_error": None}, ">=", -0.01, "low"),
    ],
)
def test_of_what_is_no_margin_nobody_asks(changes, op, limit, bound):
    assert equal_passes(FOUND | changes, op=op, limit=limit, bound=bound) is None


def test_two_identical_models_pass_for_certain():
    same = {"delta": 0.0, "low": 0.0, "high": 0.0, "standard_error": 0.0, "verdict": "not_worse"}
    assert equal_passes(same, op=">=", limit=-0.01, bound="low") == 1.0
    assert least_margin(same, op=">=", bound="low") == 0.0


@pytest.mark.parametrize(("op", "bound"), [(">=", "low"), ("<=", "high"), (">=", "value")])
def test_at_the_least_margin_an_equal_model_passes_with_eighty_percent(op, bound):
    margin = least_margin(FOUND, op=op, bound=bound)
    assert margin == pytest.approx((0.016 if bound != "value" else 0) + norm.ppf(0.8) * 0.008)
    limit = -margin if op == ">=" else margin
    assert equal_passes(FOUND, op=op, limit=limit, bound=bound) == pytest.approx(0.8)
    assert least_margin(FOUND | {"high": None, "low": None, "delta": None}, op=op, bound=bound) is None


# two-sided .95 reaches 1.959964 standard deviations: .1 above the value, .06 below it
MEASURED = {"value": 0.4, "low": 0.34, "high": 0.5}


@pytest.mark.parametrize(
    ("op", "bound", "limit"),
    [
        ("<=", "value", 0.4 + 0.1 * 0.8416212 / 1.959964),
        ("<=", "high", 0.5 + 0.1 * 0.8416212 / 1.959964),
        (">=", "value", 0.4 - 0.06 * 0.8416212 / 1.959964),
        (">=", "low", 0.34 - 0.06 * 0.8416212 / 1.959964),
    ],
)
def test_the_smallest_limit_is_kept_by_the_truth_observed_in_four_of_five_draws(op, bound, limit):
    assert least_limit(MEASURED, op=op, bound=bound, level=0.95) == pytest.approx(limit, abs=1e-6)
    assert least_limit(MEASURED | {"low": None, "high": None}, op=op, bound=bound, level=0.95) is None
