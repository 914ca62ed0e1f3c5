"""What predictions of two revisions have in common: samples that both have, with the same truth, and labels of both.

Between two revisions photographs come and go, labels are corrected and classes added. A difference on anything but the
common part would be one of the data, not of the models; how much that part is stands beside every comparison.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vouch.errors import DataError, Problem
from vouch.evaluation.comparison.differences import overlap
from vouch.tables import DETECTION, stratum_columns
from vouch.tasks import ByTask, Task

Pair = tuple[pd.DataFrame, pd.DataFrame]
CORNERS = DETECTION[:4]
TRUTH: ByTask[tuple[str, ...]] = ByTask(  # the columns that say what is there
    detect=("class_true",), classify=("class_true",), identify=("product", *CORNERS)
)
DIGITS = 2  # of a pixel: corners of one crop, computed by two versions


@dataclass(frozen=True)
class Ground:
    """Both sides' rows on what they share, and how much that is: samples, and labels by who knows them."""

    candidate: pd.DataFrame
    baseline: pd.DataFrame
    samples: dict[str, int]  # candidate, baseline, shared, without_labels, relabelled, compared
    labels: dict[str, tuple[str, ...]]  # shared, candidate (alone), baseline (alone); each sorted
    n_groups: int


def shared_rows(
    candidate: pd.DataFrame, baseline: pd.DataFrame, task: Task, labels: tuple[Collection[str], ...]
) -> Ground:
    """Return the waist's rows of both sides on samples of one truth, without those of labels that one side lacks.

    A detector's rows of such a label go, and photographs stay; a classifier's photographs of it go, and an embedder's
    crops of a product that one gallery alone knows. Strata are the candidate's. A truth is a photograph's label, the
    labels of its boxes (predictions do not say where a box that was found lies), or a crop's product and corners.

    Parameters
    ----------
    labels : pair of collections of str
        What the candidate and the baseline can answer.

    Raises
    ------
    DataError
        When they share no sample or label, or a shared sample is of two groups or nowhere of the same truth.
    """
    known = _known(*labels)
    sides = overlap(candidate, baseline)
    n_shared = sides[0]["sample_id"].nunique()
    match task:
        case "detect":
            sides = _boxes_of(sides[0], known["shared"]), _boxes_of(sides[1], known["shared"])
        case "classify":
            sides = _both(*(side[side["class_true"].isin(known["shared"])] for side in sides))
        case "identify":
            sides = _alike_known(*sides)
    return _ground((candidate, baseline), sides, n_shared, TRUTH[task], known)


def shared_counts(candidate: pd.DataFrame, baseline: pd.DataFrame) -> Ground:
    """Return counts of both sides on photographs that hold the same products as often, for both.

    A product that one side's gallery alone knows is unknown to the other: such photographs are of two truths.

    Raises
    ------
    DataError
        As `shared_rows`.
    """
    known = _known(*({*side["class"][side["n_true"] > 0]} for side in (candidate, baseline)))
    sides = overlap(candidate, baseline)
    n_shared = sides[0]["sample_id"].nunique()
    return _ground((candidate, baseline), sides, n_shared, ("class", "n_true"), known)


def _known(candidate: Collection[str], baseline: Collection[str]) -> dict[str, tuple[str, ...]]:
    first, second = {*candidate}, {*baseline}
    if not first & second:
        got = f"{', '.join(sorted(first)) or 'none'} and {', '.join(sorted(second)) or 'none'}"
        raise DataError([Problem("labels", "one that both sides know", got, "name a revision with the same classes")])
    parts = {"shared": first & second, "candidate": first - second, "baseline": second - first}
    return {name: tuple(sorted(part)) for name, part in parts.items()}


def _ground(
    whole: Pair, sides: Pair, n_shared: int, truth: tuple[str, ...], known: dict[str, tuple[str, ...]]
) -> Ground:
    n_labelled = sides[0]["sample_id"].nunique()
    changed = _relabelled(*sides, truth)
    first, second = (_in_order(side[~side["sample_id"].isin(changed)]) for side in sides)
    if first.empty:
        got = f"none of {n_shared}: {n_shared - n_labelled} without a shared label, {len(changed)} with other labels"
        remedy = "name a revision of the same labels"
        raise DataError([Problem("val_test", "samples of the same truth on both sides", got, remedy)])
    samples = {
        "candidate": int(whole[0]["sample_id"].nunique()),
        "baseline": int(whole[1]["sample_id"].nunique()),
        "shared": n_shared,
        "without_labels": n_shared - n_labelled,
        "relabelled": len(changed),
        "compared": int(first["sample_id"].nunique()),
    }
    return Ground(first, _with_strata(second, first), samples, known, int(first["group"].nunique()))


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows by sample: revisions list them otherwise, and equal sides are to be seen as equal."""
    return rows.sort_values("sample_id", kind="stable", ignore_index=True)


def _relabelled(candidate: pd.DataFrame, baseline: pd.DataFrame, truth: tuple[str, ...]) -> set[str]:
    """Return the samples whose truths are not the same as often on both sides."""
    parts = [_truths(side, truth).assign(times=times) for side, times in ((candidate, 1), (baseline, -1))]
    left = pd.concat(parts).groupby(["sample_id", *truth], dropna=False, sort=False)["times"].sum()
    return {*left.index.get_level_values("sample_id")[left.to_numpy() != 0]}


def _truths(rows: pd.DataFrame, truth: tuple[str, ...]) -> pd.DataFrame:
    """Return what is there, one row each; of counts, products that are there, and of crops every one."""
    if "n_true" in truth:
        rows = rows[rows["n_true"] > 0]
    elif "class_true" in truth:
        rows = rows[rows["class_true"].notna()]
    return rows[["sample_id", *truth]].round({name: DIGITS for name in CORNERS if name in truth})


def _boxes_of(rows: pd.DataFrame, labels: Collection[str]) -> pd.DataFrame:
    """Return a detector's rows of these labels; a photograph that has no other becomes an empty one."""
    name = rows["class_true"].where(rows["class_true"].notna(), rows["class_pred"])
    kept = rows[name.isna() | name.isin(labels)]
    bare = rows[~rows["sample_id"].isin(kept["sample_id"])].drop_duplicates("sample_id")
    if bare.empty:
        return kept
    nothing = {name: 0 for name in ("score", "iou", "hits") if name in rows}
    empty = bare.assign(class_true=None, class_pred=None, correct=False, **nothing)
    empty.loc[:, [name for name in CORNERS if name in rows]] = np.nan
    return pd.concat([kept, empty.astype(rows.dtypes.to_dict())]).sort_index()


def _alike_known(candidate: pd.DataFrame, baseline: pd.DataFrame) -> Pair:
    """Return the crops whose product both galleries know, or neither."""
    known = [{*side["sample_id"][side["class_true"].notna()]} for side in (candidate, baseline)]
    apart = known[0] ^ known[1]
    first, second = (side[~side["sample_id"].isin(apart)] for side in (candidate, baseline))
    return first, second


def _both(candidate: pd.DataFrame, baseline: pd.DataFrame) -> Pair:
    first = candidate[candidate["sample_id"].isin(baseline["sample_id"])]
    return first, baseline[baseline["sample_id"].isin(first["sample_id"])]


def _with_strata(rows: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the strata of the same samples of another table, and no others, its columns in its order."""
    strata = stratum_columns(other)
    of_sample = other.drop_duplicates("sample_id").set_index("sample_id")[strata]
    found = rows.drop(columns=stratum_columns(rows))
    found = found.assign(**{name: found["sample_id"].map(of_sample[name]) for name in strata})
    found = found.astype({name: other.dtypes[name] for name in strata})
    return found[[*(name for name in other if name in found), *(name for name in found if name not in other)]]
