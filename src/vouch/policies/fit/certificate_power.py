"""How often a fresh val_calib would certify the exits: that a certificate was reached is a draw, too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vouch.evaluation.gates.plan import TARGETS
from vouch.evaluation.gates.power import least_factor
from vouch.policies.fit.params import Exits
from vouch.policies.fit.risk_test import Cases, judge, miss_correlation
from vouch.policies.fit.scrc import Scrc

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

DRAWS = 400  # a chance errs by .025 at most, one standard error
SHARES = (0.25, 0.5, 0.75, 1.0)  # of alpha: true risks that are asked about
FACTORS = np.geomspace(1 / 4, 16, 41)  # times the groups at hand, in steps of 11 %


@dataclass(frozen=True)
class CertificatePower:
    """The chance that a val_calib as large as this certifies the exits, were the true risk so much."""

    alpha: float
    n_groups: int  # that an answered case lies in
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
    correlation = _correlation(sizes, evidence["effective"])
    observed = max(evidence["misses"], 0.5) / n_cases

    def chance_at(risk: float, factor: float) -> float:
        return _chance(np.resize(sizes, max(1, round(len(sizes) * factor))), risk, correlation, asked, seed)

    factors = [least_factor(lambda factor: chance_at(observed, factor), target=one, factors=FACTORS) for one in TARGETS]
    return CertificatePower(
        asked.alpha,
        len(sizes),
        n_cases,
        correlation,
        observed,
        chance_at(observed, 1.0),
        {f"{share * asked.alpha:.4g}": chance_at(share * asked.alpha, 1.0) for share in SHARES},
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
