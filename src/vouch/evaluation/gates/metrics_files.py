"""Files of metrics/, opened by those who did not write them: whole and of their form, or refused by name.

They are in git, where people merge and edit them; what reads them calculates with what stands there.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError, model_validator

from vouch.errors import Problem, WorkspaceError
from vouch.evaluation.metrics.definitions.metric import OVERALL
from vouch.params import wanted

SHOWN = 80  # characters of a wrong value


class Lenient(BaseModel):
    """Strictly typed, every number finite; keys that nobody reads are nobody's business."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)


class Cell(Lenient):
    """What was measured of one metric in one stratum."""

    value: float | None
    low: float | None = None  # data.json has no intervals
    high: float | None = None
    n_groups: int | None = None
    expected_by_chance: float | None = None


class Measured(RootModel[dict[str, dict[str, Cell]]]):
    """test.json and calibration.json: {metric: {stratum: cell}}."""


class Material(Lenient):
    """data.json and export.json: their own keys, and metrics for the gate."""

    metrics: dict[str, dict[str, Cell]] = {}


class Compared(Lenient):
    """One metric's difference in one stratum, or the verdict over all metrics alone."""

    verdict: Literal["better", "not_worse", "unknown", "few_groups", "worse"]
    candidate: float | None = None
    baseline: float | None = None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    p_holm: float | None = None
    least_p_holm: float | None = None
    candidate_by_chance: float | None = None
    baseline_by_chance: float | None = None
    n_groups: int | None = None


class Comparison(RootModel[dict[str, dict[str, Compared]]]):
    """comparison.json: {metric: {stratum: difference}}, and `overall` beside the metrics."""

    @model_validator(mode="after")
    def _differences_are_whole(self) -> Self:
        needed = {"candidate", "baseline", "delta", "low", "high", "standard_error", "p_holm", "least_p_holm"}
        for metric, strata in self.root.items():
            for stratum, one in strata.items():
                if metric != OVERALL and (missing := needed - one.model_fields_set):
                    raise ValueError(f"{metric} of {stratum} lacks {', '.join(sorted(missing))}")
        return self


FORMS: dict[str, type[BaseModel]] = {"data": Material, "export": Material, "comparison": Comparison}  # else Measured


def metrics_of(source: str, path: Path, *, remedy: str) -> dict[str, Any]:
    """Return {metric: {stratum: cell}} of the metrics file SOURCE.json.

    Raises
    ------
    WorkspaceError
        As `read` does.
    """
    form = FORMS.get(source, Measured)
    found = read(path, form, remedy=remedy)
    return found.get("metrics", {}) if form is Material else found


def family(comparison: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> int:
    """Return how many differences of a comparison Holm's correction is over."""
    return sum(one.get("p_holm") is not None for strata in comparison.values() for one in strata.values())


def at_least_p(one: Mapping[str, Any]) -> bool:
    """Whether a difference's corrected p is the least that its groups, and so many differences, can reach."""
    p, least = one.get("p_holm"), one.get("least_p_holm")
    return p is not None and least is not None and p <= least


def read(path: Path, form: type[BaseModel], *, remedy: str) -> dict[str, Any]:
    """Return what a JSON file holds, once it is seen to be of the form that its readers rely on.

    Raises
    ------
    WorkspaceError
        Listing what is wrong: no file, no UTF-8, no JSON, too deep, a key twice, a wrong type, no finite number, or
        what `form` forbids.
    """
    if not path.is_file():  # a FIFO would be waited for
        raise WorkspaceError([Problem(str(path), "a file", "none" if not path.exists() else "another thing", remedy)])
    try:
        content = path.read_bytes()
        form.model_validate_json(content)
        found: dict[str, Any] = json.loads(content.decode("utf-8"), object_pairs_hook=_once)
    except ValidationError as error:
        raise WorkspaceError(_problems(path, error, remedy)) from error
    except (OSError, ValueError) as error:
        got = str(error).splitlines()[0][:SHOWN]
        raise WorkspaceError([Problem(str(path), "a readable JSON file", got, remedy)]) from error
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{', '.join(twice)} twice")
    return found


def _problems(path: Path, error: ValidationError, remedy: str) -> list[Problem]:
    problems = []
    for item in error.errors():
        where = ": ".join([str(path), ".".join(str(part) for part in item["loc"])] if item["loc"] else [str(path)])
        said = wanted(item["msg"])
        expected, got = {
            "missing": ("a value", "nothing"),
            "extra_forbidden": ("a known key", "an unknown one"),
            "value_error": ("values that agree", said),
            "json_invalid": ("JSON", said),
        }.get(item["type"], (said, repr(item["input"])[:SHOWN]))
        problems.append(Problem(where, expected, got, remedy))
    return problems
