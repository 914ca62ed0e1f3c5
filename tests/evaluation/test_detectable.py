import numpy as np
import pytest

from vouch.evaluation.comparison.significance import flip_signs, flipped_p
from vouch.evaluation.detectable import detectable

FOUND = {"standard_error": 0.02, "least_p_holm": 0.001, "n_groups": 21}


def test_the_smallest_difference_by_hand():
    # printed tables of t with 20 degrees of freedom: 2.0860 of .025, .8600 of .2; of .0025, a tenth of it, 3.1534
    assert detectable(FOUND, name="map50", family=1, level=0.95) == pytest.approx(0.02 * (2.0860 + 0.8600), abs=1e-5)
    assert detectable(FOUND, name="map50", family=10, level=0.95) == pytest.approx(0.02 * (3.1534 + 0.8600), abs=1e-5)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"standard_error": None}, "map50"),
        ({"standard_error": 0.0}, "map50"),  # nothing differs
        ({"least_p_holm": None}, "map50"),
        ({"least_p_holm": 0.0625}, "map50"),  # five groups: no p is small enough
        ({"standard_error": 0.4}, "recall"),  # no share differs by 1.2
    ],
)
def test_where_no_difference_could_have_been_shown_there_is_none(change, name):
    assert detectable(FOUND | change, name=name, family=1, level=0.95) is None


def test_what_is_not_a_share_may_differ_by_more_than_one():
    assert detectable(FOUND | {"standard_error": 0.4}, name="nll", family=1, level=0.95) > 1


@pytest.mark.parametrize("family", [1, 12])
def test_a_true_difference_of_that_size_is_shown_in_four_draws_of_five(family):
    """Groups add normal parts of a known spread; whether they show it, the randomisation test says."""
    rng, groups, draws, patterns = np.random.default_rng(7), 40, 600, 4000
    signs = flip_signs(groups, patterns=patterns, rng=rng)
    found = {"standard_error": groups**-0.5, "least_p_holm": family / (patterns + 1), "n_groups": groups}
    true = detectable(found, name="map50", family=family, level=0.95)
    shown = [flipped_p(rng.normal(true, 1, groups), signs) * family <= 0.05 for _ in range(draws)]
    assert 0.75 <= np.mean(shown) <= 0.87  # .80 with an error of .016; t is a little on the safe side
