"""Counts of products on photographs, said and true, as the table that metrics of counts judge (`tables.COUNTS`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.metrics.counts import numbered_counts
from vouch.evaluation.metrics.intervals import Setting, group_weights
from vouch.evaluation.metrics.params import MetricsTable
from vouch.evaluation.metrics.strata import CLASS, every_stratum, strata_masks
from vouch.evaluation.metrics.table import metrics_table
from vouch.sources.counts import CountFile, Photograph, one_spelling
from vouch.tables import COUNTS, STRATUM, UNKNOWN


class Judging(MetricsTable):
    """system.evaluate_counts."""

    intraclass_correlation: Annotated[float, Field(ge=0.0, le=1.0)]


@dataclass(frozen=True)
class Paired:
    """Counts of both sides, and what a person should know of how they were put together.

    Attributes
    ----------
    counts : table
        `tables.COUNTS` and `stratum_*`; a photograph on which nothing is and nothing was said has one row of 0 and 0.
    unlisted : names of the ground truth that the predictions' products lack: `unknown` on both sides
    unseen : names that were said and that no photograph of the ground truth has: another spelling, perhaps
    """

    counts: pd.DataFrame
    unlisted: tuple[str, ...]
    unseen: tuple[str, ...]


def paired(predictions: CountFile, truth: CountFile, *, group_key: str | None) -> Paired:
    """Put both sides' counts of every photograph beside each other.

    Parameters
    ----------
    group_key : str, optional
        The key of the ground truth's `groups` whose values are the groups. None: every photograph is its own.

    Raises
    ------
    DataError
        When a file has problems or holds no photograph, naming every photograph that one side lacks and every one
        without the group key, or with a stratum whose figures could not be told from another's, and every product that
        the other side spells in another case.
    """
    refuse_any(DataError, [*predictions.problems, *truth.problems])
    apart = [*_apart(predictions, truth), *one_spelling(_products(predictions, truth), "predictions and ground truth")]
    refuse_any(DataError, [*apart, *_ungrouped(truth, group_key), *_ambiguous(truth)])
    listed = predictions.products
    merged = {name for photograph in truth.photographs for name in photograph.counts} - {UNKNOWN}
    merged = set() if listed is None else merged - listed
    said = {photograph.sample_id: photograph.counts for photograph in predictions.photographs}
    rows: list[dict[str, Any]] = []
    for photograph in sorted(truth.photographs, key=lambda one: one.sample_id):
        rows += _rows(photograph, _merged(photograph.counts, merged), said[photograph.sample_id], group_key)
    strata = sorted({STRATUM + name for photograph in truth.photographs for name in photograph.strata})
    counts = pd.DataFrame(rows, columns=[*COUNTS, *strata])
    true, found = (set(counts["class"][counts[column] > 0]) for column in ("n_true", "n_pred"))
    return Paired(counts, tuple(sorted(merged)), tuple(sorted(found - true - {UNKNOWN})))


def _products(*sides: CountFile) -> set[str]:
    """Every product that any side counts or lists."""
    counted = {name for side in sides for photograph in side.photographs for name in photograph.counts}
    return counted.union(*(side.products or () for side in sides))


def judged(counts: pd.DataFrame, asked: Judging) -> dict[str, dict[str, Any]]:
    """Return {metric: {stratum: {value, low, high, n_rows, n_groups, few_groups}}}, as metrics files have it.

    The strata are the whole, each stratum, each product (`class=...`) and the crossed ones that are asked for; `n_rows`
    are pairs of a photograph and a product that is there or was said to be.

    Raises
    ------
    DataError
        When counts are none (see `numbered_counts`), or a metric or stratum is none of this table.
    """
    rows = numbered_counts(counts)
    rng = np.random.default_rng(asked.seed)
    weights = group_weights(rows["group"].nunique(), replicates=asked.replicates, rng=rng)
    masks = strata_masks(rows, [*every_stratum(rows), *asked.crossed])
    setting = Setting(asked.level, asked.intraclass_correlation, asked.few_groups)
    return metrics_table(rows, names=asked.metrics, masks=masks, weights=weights, setting=setting)


def _apart(predictions: CountFile, truth: CountFile) -> Iterator[Problem]:
    sides = {"predictions": predictions, "ground truth": truth}
    names = {side: {one.sample_id for one in file.photographs} for side, file in sides.items()}
    for side, held in names.items():
        if not held:
            yield Problem(side, "photographs", "none", "name the file that holds them")
    for side, other in (("predictions", "ground truth"), ("ground truth", "predictions")):
        for name in names[other] - names[side]:
            remedy = "add it, with counts of {} where nothing is, or leave it out of both"
            yield Problem(f"{side}: {name}", "every photograph of both files", "none of this sample_id", remedy)


def _ungrouped(truth: CountFile, group_key: str | None) -> Iterator[Problem]:
    for photograph in truth.photographs:
        if group_key is not None and group_key not in photograph.groups:
            got = f"the keys {sorted(photograph.groups)}" if photograph.groups else "no groups"
            remedy = "add it, or name a key that all have"
            yield Problem(f"ground truth: {photograph.sample_id}", f"a group {group_key}", got, remedy)


def _ambiguous(truth: CountFile) -> Iterator[Problem]:
    """Strata whose name, `key=value`, would be that of a product or of another stratum."""
    expected, remedy = f"strata not called {CLASS}, and without =", "call it otherwise"
    for photograph in truth.photographs:
        for key in sorted(photograph.strata):
            if key == CLASS or "=" in key:
                yield Problem(f"ground truth: {photograph.sample_id}", expected, f"a stratum {key!r}", remedy)


def _merged(counts: Mapping[str, int], unlisted: set[str]) -> dict[str, int]:
    """Count what is not listed as unknown."""
    kept = {name: count for name, count in counts.items() if name not in unlisted}
    beside = sum(counts.values()) - sum(kept.values())
    return kept | {UNKNOWN: kept.get(UNKNOWN, 0) + beside} if beside else kept


def _rows(
    photograph: Photograph, true: Mapping[str, int], said: Mapping[str, int], group_key: str | None
) -> Iterator[dict[str, Any]]:
    sample = photograph.sample_id
    group = sample if group_key is None else photograph.groups[group_key]
    shared = {"sample_id": sample, "group": group}
    shared |= {STRATUM + name: value for name, value in photograph.strata.items()}
    names = {name for side in (true, said) for name, count in side.items() if count} or {UNKNOWN}
    for name in sorted(names):
        yield shared | {"class": name, "n_true": true.get(name, 0), "n_pred": said.get(name, 0)}
