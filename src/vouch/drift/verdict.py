"""Do new photographs look like those that a model's decisions were fixed on: seven two-sample tests, one verdict.

The level is the chance of calling drift where there is none. Bonferroni shares it equally among the tests; within a
test, permutation allows for the number of its variables. With thousands of photographs the smallest difference is
significant, so a difference must be large enough to matter as well.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from vouch.drift import two_sample
from vouch.drift.profile import Profile, median_size, refuse_few, thinned
from vouch.drift.two_sample import Compared, Effects, Result, Results
from vouch.params import Section

TESTS = {  # in the order of the page; the first three need embeddings
    "embedding_directions": "Embeddings, direction by direction",
    "embedding_kernel": "Embeddings as a whole",
    "embedding_classifier": "Embeddings, told by a classifier",
    "score_distribution": "Scores, their distributions",
    "score_stability": "Scores, their stability index",
    "labels": "Predicted classes",
    "performance": "Confidence and answers",
}
NO_EMBEDDING = "a table, or this network, gives no embeddings"


class Plan(Section):
    """How two sets are compared."""

    level: two_sample.Share  # chance of an alarm without drift
    permutations: Annotated[int, Field(ge=1, le=1_000_000)]  # of whole groups; a byte for each group of each
    bins: Annotated[int, Field(ge=2)]
    components: Annotated[int, Field(ge=1)]  # principal directions of the embeddings
    sample: Annotated[int, Field(ge=100, le=5000)]  # photographs of each side for kernel and classifier
    folds: Annotated[int, Field(ge=2)]
    least_groups: Annotated[int, Field(ge=8)]  # of fewer, even the most extreme division is not rare enough
    least_photographs: Annotated[int, Field(ge=1)]
    effects: Effects

    @model_validator(mode="after")
    def _can_decide(self) -> Self:
        if (self.permutations + 1) * self.level < len(TESTS):
            raise ValueError(f"level needs {len(TESTS) / self.level:.0f} permutations for {len(TESTS)} tests")
        return self


@dataclass(frozen=True)
class Finding:
    """A result with its test, its p adjusted for everything that was looked at, and the two conditions of drift."""

    test: str
    result: Result
    adjusted: float
    sure: bool  # chance is ruled out, at the level of all tests together
    large: bool  # beyond the limit

    @property
    def moved(self) -> bool:
        """Whether this is drift."""
        return self.sure and self.large


@dataclass(frozen=True)
class Thinned:
    """How many photographs of reference and window were given, and how many of each group were compared, and why."""

    given: tuple[int, int]
    most: int
    why: str


@dataclass(frozen=True)
class Judgement:
    """All results, the tests that could not be made with their reason, and what was compared after thinning.

    `unusual` names the window's photographs that were compared, the least like the reference first; `variance` is the
    share that each principal direction holds.
    """

    findings: tuple[Finding, ...]
    untested: Mapping[str, str]
    reference: Profile
    window: Profile
    unusual: tuple[str, ...]
    variance: tuple[float, ...]
    thinned: Thinned
    sampled: tuple[int, int] | None  # photographs of each side that kernel and classifier saw; None without embeddings

    @property
    def drifted(self) -> bool:
        """Whether any variable moved, both surely and by enough."""
        return any(finding.moved for finding in self.findings)

    def examples(self, most: int) -> list[str]:
        """Return unusual photographs to look at, one of each group: neighbours would look alike."""
        group_of = dict(zip(self.window.names, self.window.group.tolist(), strict=True))
        first = {group_of[name]: name for name in reversed(self.unusual)}
        return [name for name in self.unusual if first[group_of[name]] == name][:most]

    def worst(self) -> list[Finding]:
        """Return the variable of each test that moved most: alarms first, then the least p, then the size."""
        order = sorted(self.findings, key=lambda one: (not one.moved, one.adjusted, -one.result.relative))
        return [next(one for one in order if one.test == name) for name in TESTS if name not in self.untested]


def judge(reference: Profile, window: Profile, plan: Plan, rng: np.random.Generator) -> Judgement:
    """Compare two sets of photographs by every test that both have the data for.

    Groups are made alike first: each gives at most as many photographs as the smaller of the two sides' median group,
    because groups of one and groups of fifty are not exchangeable whatever they show.

    Raises
    ------
    DataError
        When either side has fewer groups or photographs than the plan asks for.
    """
    alike = _alike(reference, window, plan)
    reference, window = (thinned(one, alike.most, rng) for one in (reference, window))
    for one, who in ((reference, "reference"), (window, "new photographs")):
        refuse_few(one, who, least_groups=plan.least_groups, least_photographs=plan.least_photographs)
    both, effects = two_sample.compared(reference, window, permutations=plan.permutations, rng=rng), plan.effects
    results, unusual, variance, sampled = _embedded(both, plan, rng)
    results |= {
        "score_distribution": two_sample.distributions(both, reference.scores, window.scores, effects.ks),
        "score_stability": two_sample.stability(both, plan.bins, effects.psi),
        "labels": two_sample.labels(both, effects.labels),
        "performance": two_sample.performance(both, effects.performance),
    }
    tested = {test: found for test, found in results.items() if not isinstance(found, str)}
    untested = {test: found for test, found in results.items() if isinstance(found, str)}
    findings = [_finding(name, one, len(tested), plan.level) for name, found in tested.items() for one in found]
    return Judgement(tuple(findings), untested, reference, window, unusual, variance, alike, sampled)


def _alike(reference: Profile, window: Profile, plan: Plan) -> Thinned:
    """Return how many photographs of a group are compared: as many on both sides, and enough groups for a sample."""
    sizes = {
        "the middle size of val_calib's groups": median_size(reference),
        "the middle size of the new groups": median_size(window),
        f"so that a sample of {plan.sample} holds {plan.least_groups} groups": plan.sample // plan.least_groups,
    }
    why = min(sizes, key=lambda name: sizes[name])
    return Thinned((len(reference.names), len(window.names)), max(1, sizes[why]), why)


def as_json(found: Judgement) -> dict[str, Any]:
    """Return everything that was measured, as `vouch drift --json` writes it."""
    sides = {"reference": found.reference, "new": found.window}
    return {
        "drifted": found.drifted,
        "compared": {
            name: {"given": given, "photographs": len(one.names), "groups": len(one.groups)}
            for (name, one), given in zip(sides.items(), found.thinned.given, strict=True)
        },
        "most_of_a_group": found.thinned.most,
        "findings": [
            {
                "test": one.test,
                "p_of_all": one.adjusted,
                "sure": one.sure,
                "large": one.large,
                "moved": one.moved,
                **asdict(one.result),
            }
            for one in found.findings
        ],
        "not_tested": dict(found.untested),
        "variance_of_directions": found.variance,
        "most_unusual": found.unusual,
    }


def _finding(test: str, result: Result, n_tests: int, level: float) -> Finding:
    adjusted = min(1.0, result.within * n_tests)
    return Finding(test, result, adjusted, sure=adjusted <= level, large=result.relative > 1)


def _embedded(
    both: Compared, plan: Plan, rng: np.random.Generator
) -> tuple[dict[str, Results], tuple[str, ...], tuple[float, ...], tuple[int, int] | None]:
    """Run the tests of embeddings, order the window's photographs by how unusual they are, and count those sampled."""
    names = [name for name in TESTS if name.startswith("embedding")]
    if both.reference.embeddings is None or both.window.embeddings is None:
        return dict.fromkeys(names, NO_EMBEDDING), two_sample.least_sure(both.window), (), None
    effects = plan.effects
    along, variance = two_sample.directions(both, plan.components, effects.ks)
    part = two_sample.sampled(both, plan.sample, rng)
    apart = two_sample.kernel(part, effects.kernel_ratio, rng)
    told, unusual = two_sample.classifier(part, plan.components, plan.folds, plan.level, effects.auc, rng)
    counts = len(part.reference.names), len(part.window.names)
    return dict(zip(names, (along, apart, told), strict=True)), unusual, variance, counts
