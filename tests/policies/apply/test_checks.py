import pytest

from vouch.policies.apply import checks


@pytest.mark.parametrize("value", [-1, -1.0, 0, 0.3, 1])
def test_a_number_in_a_range_is_within_it_and_so_are_the_ends(value):
    assert checks.is_within(value, -1, 1)


@pytest.mark.parametrize("value", [-1.01, 2, float("nan"), float("inf"), True, False, None, "0.3", [0.3]])
def test_what_lies_outside_or_is_no_number_is_not(value):
    assert not checks.is_within(value, -1, 1)
