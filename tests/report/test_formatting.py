import doctest

import pytest

from vouch.policies.apply.policy import GUARANTEES
from vouch.report import formatting
from vouch.vision import draw


@pytest.mark.parametrize("module", [formatting, draw])
def test_examples_in_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.97349, "0.973"),
        (-0.0004999, "−5.0×10⁻⁴"),
        (0.0005, "0.001"),
        (0.0, "0.000"),
        (12345.678, "12,345.678"),
        (-3, "−3"),
        (None, "no evidence"),
    ],
)
def test_numbers_are_rounded_as_a_reader_wants_them(value, said):
    assert formatting.number(value) == said


def test_every_guarantee_that_a_policy_may_name_has_words():
    assert set(GUARANTEES) == set(formatting.GUARANTEES)


def test_interval_without_an_end_is_empty():
    assert formatting.interval({"value": 0.5, "low": None, "high": 0.9}) == ""
    assert formatting.interval({"value": 0.5, "n_rows": 3}) == ""
    assert formatting.interval(None) == ""
