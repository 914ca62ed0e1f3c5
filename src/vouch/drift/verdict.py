"""Do new photographs look like those that a model's decisions were fixed on: seven questions, one verdict.

The level is the chance of calling drift where there is none. Bonferroni shares it equally among the questions; within a
question, regrouping allows for the number of its variables. With thousands of photographs the smallest difference is
significant, so a difference must be large enough to matter as well.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from vouch.drift import two_sample
from vouch.drift.profile import Appearance, median_size, refuse_few, thinned
from vouch.drift.two_sample import Answer, Answers, Compared, Effects
from vouch.params import Section

QUESTIONS = {  # in the order of the page; the first three need embeddings
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
        if (self.permutations + 1) * self.level < len(QUESTIONS):
            raise ValueError(
                f"level needs {len(QUESTIONS) / self.level:.0f} permutations for {len(QUESTIONS)} questions"
            )
        return self


@dataclass(frozen=True)
class Finding:
    """An answer with its question, its p adjusted for everything that was looked at, and whether this is drift."""

    question: str
    answer: Answer
    adjusted: float
    moved: bool


@dataclass(frozen=True)
class Judgement:
    """All answers, the questions that could not be asked with their reason, and what was compared after thinning.

    `unusual` names the window's photographs that were compared, the least like the reference first; `variance` is the
    share that each principal direction holds.
    """

    findings: tuple[Finding, ...]
    unasked: Mapping[str, str]
    reference: Appearance
    window: Appearance
    unusual: tuple[str, ...]
    variance: tuple[float, ...]

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
        """Return the variable of each question that moved most: alarms first, then the least p, then the size."""
        order = sorted(self.findings, key=lambda one: (not one.moved, one.adjusted, -one.answer.relative))
        return [next(one for one in order if one.question == name) for name in QUESTIONS if name not in self.unasked]


def judged(reference: Appearance, window: Appearance, plan: Plan, rng: np.random.Generator) -> Judgement:
    """Compare two sets of photographs by every question that both can answer.

    Groups are made alike first: each gives at most as many photographs as the smaller of the two sides' median group,
    because groups of one and groups of fifty are not exchangeable whatever they show.

    Raises
    ------
    DataError
        When either side has fewer groups or photographs than the plan asks for.
    """
    most = max(1, min(median_size(reference), median_size(window), plan.sample // plan.least_groups))
    reference, window = thinned(reference, most, rng), thinned(window, most, rng)
    for one, who in ((reference, "reference"), (window, "new photographs")):
        refuse_few(one, who, least_groups=plan.least_groups, least_photographs=plan.least_photographs)
    both, effects = two_sample.compared(reference, window, permutations=plan.permutations, rng=rng), plan.effects
    answers, unusual, variance = _embedded(both, plan, rng)
    answers |= {
        "score_distribution": two_sample.distributions(both, reference.scores, window.scores, effects.ks),
        "score_stability": two_sample.stability(both, plan.bins, effects.psi),
        "labels": two_sample.labels(both, effects.labels),
        "performance": two_sample.performance(both, effects.performance),
    }
    asked = {question: found for question, found in answers.items() if not isinstance(found, str)}
    unasked = {question: found for question, found in answers.items() if isinstance(found, str)}
    findings = [_finding(name, one, len(asked), plan.level) for name, found in asked.items() for one in found]
    return Judgement(tuple(findings), unasked, reference, window, unusual, variance)


def as_json(found: Judgement) -> dict[str, Any]:
    """Return everything that was measured, as `vouch drift --json` writes it."""
    sides = {"reference": found.reference, "new": found.window}
    return {
        "drifted": found.drifted,
        "compared": {name: {"photographs": len(one.names), "groups": len(one.groups)} for name, one in sides.items()},
        "findings": [
            {"question": one.question, "p_of_all": one.adjusted, "moved": one.moved, **asdict(one.answer)}
            for one in found.findings
        ],
        "not_asked": dict(found.unasked),
        "variance_of_directions": found.variance,
        "most_unusual": found.unusual,
    }


def _finding(question: str, answer: Answer, n_questions: int, level: float) -> Finding:
    adjusted = min(1.0, answer.within * n_questions)
    return Finding(question, answer, adjusted, adjusted <= level and answer.relative > 1)


def _embedded(
    both: Compared, plan: Plan, rng: np.random.Generator
) -> tuple[dict[str, Answers], tuple[str, ...], tuple[float, ...]]:
    """Answer the questions about embeddings, and order the window's photographs by how unusual they are."""
    names = [name for name in QUESTIONS if name.startswith("embedding")]
    if both.reference.embeddings is None or both.window.embeddings is None:
        return dict.fromkeys(names, NO_EMBEDDING), two_sample.least_sure(both.window), ()
    effects = plan.effects
    along, variance = two_sample.directions(both, plan.components, effects.ks)
    part = two_sample.sampled(both, plan.sample, rng)
    apart = two_sample.kernel(part, effects.kernel_ratio, rng)
    told, unusual = two_sample.classifier(part, plan.components, plan.folds, plan.level, effects.auc, rng)
    return dict(zip(names, (along, apart, told), strict=True)), unusual, variance
