import pytest

from vouch.calibration.apply.validity import is_number


@pytest.mark.parametrize(("value", "largest"), [(0, 1.0), (-1, 1.0), (1.0, 1.0), (2e12, 3.5e38)])
def test_a_number_up_to_the_largest_can_be_calculated_with(value, largest):
    assert is_number(value, largest)


@pytest.mark.parametrize("value", [2e12, -2e12, 10**400, float("nan"), float("inf"), True, "1", None])
def test_a_larger_one_and_what_is_none_cannot(value):
    assert not is_number(value)
