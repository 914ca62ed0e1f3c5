"""Where a model's numbers should be told apart: columns of few values, each in several groups; and what must stay."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vouch.errors import ManifestError, Problem
from vouch.proposal import columns
from vouch.proposal.candidates import LEAST
from vouch.proposal.formats import Said
from vouch.proposal.groups import Groups
from vouch.proposal.survey import Survey, summed
from vouch.quality.coverage import count_objects
from vouch.sources.descriptor import Rule, check_descriptor
from vouch.sources.options import rules_of
from vouch.sources.rules import placed
from vouch.tables import GROUP, STRATUM

MOST_VALUES = 6
LEAST_GROUPS = 8  # that a value occurs in: two in each split
LEAST_PHOTOGRAPHS = 20  # of a value
KEPT = 2  # a later loss of more than half of what is there now blocks


@dataclass(frozen=True)
class Strata:
    """The strata of a data set: those that are named or stated, else those that are proposed."""

    rules: Mapping[str, Rule]
    values: Mapping[str, tuple[str, ...]]  # name to the value of each photograph
    said: tuple[Said, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def allowed(self) -> dict[str, tuple[str, ...]]:
        """The values of each, sorted."""
        return {name: tuple(sorted(set(values))) for name, values in self.values.items()}


def find_strata(found: Survey, groups: Groups, asked: Sequence[str]) -> Strata:
    """Return what a person named and the source states; where both are silent, what the columns show."""
    try:
        rules = rules_of(asked, default_key=None)
        content = {**found.descriptor.model_dump(exclude_none=True), "groups": {}, "strata": rules}
        descriptor = check_descriptor(content, "--strata")
    except ManifestError as error:
        return Strata({}, {}, problems=error.problems)
    records, problems = placed(found.records, found.rows, descriptor)
    names = dict.fromkeys(name for record in records for name in record.strata)
    values = {name: tuple(record.strata.get(name, "") for record in records) for name in names}
    for name, cells in values.items():
        if empty := sum(not cell for cell in cells):
            remedy = f"fill them, or leave the column out with `--ignore {STRATUM}{name}`"
            problems.append(Problem(f"stratum `{name}`", "a value for each photograph", f"none for {empty:,}", remedy))
    said = [(f"stratum `{name}`", f"as named or stated; values {_shown(cells)}") for name, cells in values.items()]
    if not values and not problems:
        proposed = dict(_proposed(found, groups))
        said = [(f"stratum `{name}`", _why(cells, groups)) for name, (_, cells) in proposed.items()]
        values = {name: cells for name, (_, cells) in proposed.items()}
        return Strata({name: rule for name, (rule, _) in proposed.items()}, values, tuple(said))
    return Strata(descriptor.strata, values, tuple(said), tuple(summed(problems)))


def coverage(
    samples: pd.DataFrame,
    boxes: pd.DataFrame,
    *,
    classes: Sequence[str],
    strata: Mapping[str, Sequence[str]],
    groups: int,
) -> dict[str, Any]:
    """Return datasets.D.validate.coverage: half of the least that is there now, so that a loss blocks.

    Parameters
    ----------
    samples, boxes
        As in `tables`.
    groups : int
        Independent ones.
    """
    counts = count_objects(samples, boxes)["class_name"].value_counts()
    held = [int(samples[f"{STRATUM}{name}"].eq(value).sum()) for name, values in strata.items() for value in values]
    return {
        "min_components": max(LEAST, groups // KEPT),
        "min_samples": max(1, min(held, default=1) // KEPT),
        "min_count": max(1, min((int(counts[name]) for name in classes), default=1) // KEPT),
    }


def _proposed(found: Survey, groups: Groups) -> Iterator[tuple[str, tuple[Rule, tuple[str, ...]]]]:
    for name, cells in found.columns.items():
        taken = name in {*columns.RESERVED, *groups.used, *found.descriptor.ignore}
        taken = taken or name.startswith((GROUP, STRATUM))
        if taken or not 2 <= len(set(cells)) <= MOST_VALUES or columns.are_numbers(cells):
            continue
        key = name.lower()
        fit = key.isidentifier() and key.isascii() and key[0].isalpha()
        if fit and not columns.objection(name, cells, found.labels, named=False) and _supported(cells, groups):
            yield key, (Rule(column=name), tuple(cells))


def _supported(cells: Sequence[str], groups: Groups) -> bool:
    photographs, in_groups = _support(cells, groups)
    return photographs >= LEAST_PHOTOGRAPHS and in_groups >= LEAST_GROUPS


def _support(cells: Sequence[str], groups: Groups) -> tuple[int, int]:
    """Return the photographs and the groups of the rarest value."""
    held = pd.Series(cells).value_counts()
    counts = [pd.DataFrame({"v": cells, "g": one}).groupby("v")["g"].nunique().min() for one in groups.values.values()]
    return int(held.min()), int(min(counts, default=held.min()))


def _why(cells: Sequence[str], groups: Groups) -> str:
    photographs, in_groups = _support(cells, groups)
    return f"values {_shown(cells)}, each of at least {photographs:,} photographs in {in_groups:,} groups"


def _shown(cells: Sequence[str]) -> str:
    values = sorted(set(cells))
    return ", ".join(values[:MOST_VALUES]) + (f" and {len(values) - MOST_VALUES} more" if values[MOST_VALUES:] else "")
