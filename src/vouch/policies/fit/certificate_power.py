"""How often a fresh val_calib would certify the policy: that a certificate was reached is a draw, too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vouch.evaluation.gates.plan import TARGETS
from vouch.evaluation.gates.power import least_factor
from vouch.evaluation.metrics.shares import reaches
from vouch.policies.fit.group_correlation import miss_correlation
from vouch.policies.fit.params import Exits
from vouch.policies.fit.risk_test import Cases, judge
from vouch.policies.fit.scrc import Scrc
from vouch.policies.fit.unknown_risk import OpenSet

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Chance = Callable[[IntArray, float, float], float]  # of a certificate: sizes of groups, true risk, correlation

DRAWS = 400  # a chance errs by .025 at most, one standard error
SHARES = (0.25, 0.5, 0.75, 1.0)  # of alpha: true risks that are asked about
FACTORS = np.geomspace(1 / 4, 16, 41)  # times the groups at hand, in steps of 11 %


@dataclass(frozen=True)
class CertificatePower:
    """The chance that a val_calib as large as this certifies the policy, were the true risk so much."""

    alpha: float
    n_groups: int  # that an answered case, or an unknown crop, lies in
    n_cases: int
    correlation: float  # of misses within a group, as the policy's evidence counts them
    observed: float  # risk on val_calib; where no case was missed, half a miss
    passes: float  # were the truth `observed`
    by_risk: Mapping[str, float]  # true risk to chance; of alpha itself it is at most delta
    needed: tuple[int | None, ...]  # groups for TARGETS, were it `observed`; None: 16 times as many are too few


def certificate_power(evidence: Mapping[str, Any], asked: Exits, *, seed: int) -> CertificatePower | None:
    """Return what a fresh val_calib would say of the exits; None where nothing was answered or nothing is certified.

    Groups are drawn of equal size, each with a miss rate of its own (beta-binomial), and judged as decide judges them.
    The correlation is the one that val_calib itself showed, so with few misses it is little known.

    Parameters
    ----------
    evidence : mapping
        Of policy.json: `positives` or, where it is null, `exits`; `misses`, `groups`, `effective`.
    asked : Exits
        models.M.decide.
    """
    n_cases = evidence["exits"] if evidence["positives"] is None else evidence["positives"]
    if not n_cases or (isinstance(asked, Scrc) and asked.guarantee != "certified"):
        return None
    sizes = _sizes(n_cases, evidence["groups"])

    def chance(sizes: IntArray, risk: float, correlation: float) -> float:
        return _chance(sizes, risk, correlation, asked, seed)

    return _power(sizes, evidence["misses"], evidence["effective"], asked.alpha, chance)


def unknown_power(evidence: Mapping[str, Any], asked: OpenSet, *, seed: int) -> CertificatePower | None:
    """Return what a fresh val_calib would say of the thresholds; None where nothing is certified.

    The risk is the share of unknown crops that bear a name. Groups are drawn as `certificate_power` draws them; decide
    measures the correlation where just the limit is accepted, so it is taken to be the same again.

    Parameters
    ----------
    evidence : mapping
        Of policy.json: `unknown`, `unknown_groups`, `unknown_effective`, `unknown_accepted`.
    asked : OpenSet
        models.M.decide.
    """
    if asked.bound != "high":
        return None

    def chance(sizes: IntArray, risk: float, correlation: float) -> float:
        rng, drawn = np.random.default_rng(seed), np.tile(sizes, DRAWS)
        named = rng.binomial(drawn, _rates(len(drawn), risk, correlation, rng))
        refused, crops = (of.reshape(DRAWS, -1).astype(np.float64) for of in (drawn - named, drawn))
        limit, assumed = 1 - asked.max_unknown_accept, max(asked.intraclass_floor, correlation)
        return float(reaches(refused, crops, limit=limit, correlation=assumed, tail=asked.delta_each).mean())

    sizes = _sizes(evidence["unknown"], evidence["unknown_groups"])
    accepted, effective = evidence["unknown_accepted"], evidence["unknown_effective"]
    return _power(sizes, accepted, effective, asked.max_unknown_accept, chance)


def _power(sizes: IntArray, misses: int, effective: float, alpha: float, chance: Chance) -> CertificatePower:
    correlation, n_cases = _correlation(sizes, effective), int(sizes.sum())
    observed = max(misses, 0.5) / n_cases

    def chance_at(risk: float, factor: float) -> float:
        return chance(np.resize(sizes, max(1, round(len(sizes) * factor))), risk, correlation)

    factors = [least_factor(lambda factor: chance_at(observed, factor), target=one, factors=FACTORS) for one in TARGETS]
    return CertificatePower(
        alpha,
        len(sizes),
        n_cases,
        correlation,
        observed,
        chance_at(observed, 1.0),
        {f"{share * alpha:.4g}": chance_at(share * alpha, 1.0) for share in SHARES},
        tuple(None if factor is None else round(len(sizes) * factor) for factor in factors),
    )


def _sizes(n_cases: int, groups: int) -> IntArray:
    """Return sizes of groups, as equal as whole numbers can be."""
    return np.diff(np.arange(groups + 1) * n_cases // groups)


def _correlation(sizes: IntArray, effective: float) -> float:
    """Return the correlation at which so many cases are worth `effective` independent ones: n / (1 + (m - 1) rho)."""
    n_cases, mean_size = float(sizes.sum()), float((sizes**2).sum() / sizes.sum())
    return 0.0 if mean_size <= 1 else float(np.clip((n_cases / effective - 1) / (mean_size - 1), 0, 1))


def _chance(sizes: IntArray, risk: float, correlation: float, asked: Exits, seed: int) -> float:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    everyone, delta = np.ones(len(group), dtype=bool), asked.delta_rule
    certified = 0
    for _ in range(DRAWS):
        missed = place < rng.binomial(sizes, _rates(len(sizes), risk, correlation, rng))[group]
        cases = Cases(np.arange(len(group)), group, missed, miss_correlation(group, missed))
        certified += judge(cases, everyone, asked, delta=delta).certified
    return certified / DRAWS


def _rates(groups: int, risk: float, correlation: float, rng: np.random.Generator) -> FloatArray | float:
    if correlation in (0, 1):
        return risk if correlation == 0 else (rng.random(groups) < risk).astype(np.float64)
    worth = (1 - correlation) / correlation
    return rng.beta(risk * worth, (1 - risk) * worth, groups)
