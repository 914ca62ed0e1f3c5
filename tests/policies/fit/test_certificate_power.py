import numpy as np
import pytest
from scipy import stats

from vouch.policies.fit.certificate_power import DRAWS, certificate_power, unknown_power
from vouch.policies.fit.scrc import Scrc
from vouch.policies.fit.threshold_sweep import Threshold
from vouch.policies.fit.unknown_risk import OpenSet

EXITS = {"positive": "ill", "alpha": 0.05, "delta": 0.1, "walks": 1, "steps": 1, "intraclass_floor": 0.05}
SCRC = {"score": "confidence", "variant": "rank", "event": "all", "xi": 0.8, "levels": (0.9,), "jitter_seed": 1}


def threshold(**changes):
    return Threshold(**EXITS | {"kind": "threshold", "unit": "row"} | changes)


def evidence(**changes):
    return {"positives": 400, "exits": 900, "misses": 8, "groups": 400, "effective": 400.0} | changes


def exact(n, risk, alpha, delta):
    """Return the chance that so few of n independent cases are missed that Clopper and Pearson certify alpha."""
    misses = np.arange(n)
    allowed = misses[stats.beta.ppf(1 - delta, misses + 1, n - misses) <= alpha].max()
    return stats.binom.cdf(allowed, n, risk)


def near(chance):
    return pytest.approx(chance, abs=3 * np.sqrt(max(chance * (1 - chance), 1 / DRAWS) / DRAWS))


@pytest.mark.parametrize("walks", [1, 2])
def test_independent_cases_are_certified_as_often_as_the_binomial_says(walks):
    found = certificate_power(evidence(), threshold(walks=walks), seed=1)
    assert found.passes == near(exact(400, 0.02, 0.05, 0.1 / walks))
    for risk, chance in found.by_risk.items():
        assert chance == near(exact(400, float(risk), 0.05, 0.1 / walks))


def test_levels_share_delta_and_a_wrong_exit_counts_where_no_class_is_positive():
    asked = Scrc(**EXITS | SCRC | {"kind": "scrc", "unit": "row", "guarantee": "certified", "positive": None})
    two = asked.model_copy(update={"levels": (0.8, 0.9)})
    every = evidence(positives=None, groups=900, effective=900.0, misses=27)
    assert certificate_power(every, asked, seed=1).passes == near(exact(900, 0.03, 0.05, 0.1))
    assert certificate_power(every, two, seed=1).passes == near(exact(900, 0.03, 0.05, 0.05))


def test_groups_that_are_alike_certify_less_often_and_need_more_of_them():
    alike = certificate_power(evidence(groups=80, effective=400 / 1.8), threshold(unit="group"), seed=1)
    independent = certificate_power(evidence(groups=80), threshold(unit="group"), seed=1)
    assert alike.correlation == pytest.approx(0.2)  # 1 + (5 - 1) 0.2 = 1.8
    assert alike.passes < independent.passes - 0.1
    assert alike.needed[0] > independent.needed[0]
    assert alike.needed[0] < alike.needed[1]


def test_no_number_of_groups_certifies_a_risk_beyond_alpha():
    found = certificate_power(evidence(misses=28), threshold(), seed=1)
    assert found.needed == (None, None)
    assert found.passes < 0.1


def test_no_miss_is_half_a_miss():
    assert certificate_power(evidence(misses=0), threshold(), seed=1).observed == pytest.approx(0.5 / 400)


def test_without_answers_or_without_a_certificate_there_is_no_chance():
    plain = Scrc(**EXITS | SCRC | {"kind": "scrc", "unit": "row", "guarantee": "variant"})
    assert certificate_power(evidence(), plain, seed=1) is None
    assert certificate_power(evidence(positives=0), threshold(), seed=1) is None


OPEN_SET = {"kind": "open_set", "rule": "thresholds", "max_unknown_accept": 0.05, "bound": "high", "delta": 0.1}
OPEN_SET |= {"walks": 1, "step": 0.01, "margins": (0.0,), "intraclass_floor": 0.0}
UNKNOWN = {"unknown": 400, "unknown_groups": 400, "unknown_effective": 400.0, "unknown_accepted": 8}


@pytest.mark.parametrize("margins", [(0.0,), (0.0, 0.05)])
def test_unknown_crops_of_their_own_groups_are_certified_as_often_as_the_binomial_says(margins):
    found = unknown_power(UNKNOWN, OpenSet(**OPEN_SET | {"margins": margins}), seed=1)
    assert (found.alpha, found.n_groups, found.n_cases, found.observed) == (0.05, 400, 400, pytest.approx(0.02))
    assert found.passes == near(exact(400, 0.02, 0.05, 0.1 / len(margins)))
    for risk, chance in found.by_risk.items():
        assert chance == near(exact(400, float(risk), 0.05, 0.1 / len(margins)))


def test_unknown_crops_that_are_alike_certify_less_often_and_a_value_certifies_nothing():
    groups = UNKNOWN | {"unknown_groups": 80}
    alike = unknown_power(groups | {"unknown_effective": 400 / 1.8}, OpenSet(**OPEN_SET), seed=1)
    independent = unknown_power(groups, OpenSet(**OPEN_SET), seed=1)
    assert alike.correlation == pytest.approx(0.2)
    assert alike.passes < independent.passes - 0.1
    assert alike.needed[0] > independent.needed[0]
    assert unknown_power(UNKNOWN, OpenSet(**OPEN_SET | {"bound": "value"}), seed=1) is None
