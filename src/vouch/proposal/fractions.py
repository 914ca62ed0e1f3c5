"""How the groups are shared out among the four splits, and what the gate and a certificate can then see.

The split itself is tried, as the stage would make it before near-duplicates join groups, so that what is said of each
split is what is there and no expectation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError
from vouch.evaluation.metrics.shares import lower_bound
from vouch.paths import SPLITS
from vouch.policies.fit.group_correlation import miss_correlation
from vouch.policies.fit.params import Exits
from vouch.policies.fit.risk_test import Cases, judge
from vouch.proposal.formats import counted
from vouch.proposal.groups import MANY
from vouch.splits.components import no_clusters
from vouch.splits.division import divide
from vouch.splits.params import Home, Splitting
from vouch.tasks import ByTask, Task

FloatArray = npt.NDArray[np.float64]
Unknown = Mapping[Home, tuple[str, ...]]  # split: products that it alone may show

SEED = 1  # of the split, as the preset has it
FEW = 40  # groups up to which divisions are tried: from there on the usual one gives val_test six of them
USUAL = (0.6, 0.1, 0.15, 0.15)  # train, val_select, val_calib, val_test
OF_FEW = tuple(  # USUAL first, which stands where others are no better
    (train, select, calib, round(1 - train - select - calib, 2))
    for train in (0.6, 0.5, 0.45, 0.7)
    for select in (0.1, 0.05, 0.15)
    for calib in (0.15, 0.1, 0.2)
    if train + select + calib <= 0.91
)
ENOUGH_TO_LEARN = 0.5  # share of photographs that train keeps, whatever val_test would gain
CORRELATION = 0.05  # of rows of a group, the least that is assumed
TAIL = 0.025  # of a 95 % interval
ALPHAS = (0.02, 0.05, 0.1, 0.2)
DELTA = 0.05
ANSWERED = 0.85  # share of photographs that a policy is to answer, as the preset has it
STEPS = 2  # rules that a certificate may stop at: of a new model the surer half of the answers may be all that holds
WRONG = 2  # answers of val_calib that may be wrong and the certificate still hold
LIMITS = ByTask(  # of the presets; None: no share of rows, and no arithmetic says what a perfect model would show
    detect={"recall": 0.9, "precision": 0.8, "calibration": None, "not_worse": None},
    classify={"accuracy": 0.9, "calibration": None, "not_worse": None},
    identify={"top1": 0.9, "calibration": None, "not_worse": None},  # unknown ones stay judged by their value
)


@dataclass(frozen=True)
class Shares:
    """The division of a data set, as it would fall out now."""

    fractions: dict[str, float]
    split: pd.DataFrame  # sample_id, group, split
    groups: dict[str, int]  # of each split
    photographs: dict[str, int]
    unknown: Unknown  # products that count as unknown

    def described(self) -> str:
        """Return groups and photographs of each split."""
        parts = (f"{name} {self.groups[name]:,} ({counted(self.photographs[name], 'photograph')})" for name in SPLITS)
        return f"groups by split: {', '.join(parts)}, before near-duplicates join some"


def divided(
    samples: pd.DataFrame,
    boxes: pd.DataFrame,
    *,
    groups: int,
    meanings: Mapping[str, Sequence[str]],
    unknown_products: Unknown,
) -> Shares:
    """Return the fractions; of few groups those that give val_test most of them and leave train enough.

    Parameters
    ----------
    samples, boxes : DataFrame
        As in `tables`.
    groups : int
        Independent ones.
    meanings : mapping
        Splits that a group may go to by the word that its photographs state; empty where words mean nothing.
    unknown_products : mapping
        Split to the products that it alone may show.

    Raises
    ------
    DataError
        When one split stays empty whatever is tried: one group holds nearly all photographs, perhaps.
    """
    found = []
    refused: DataError | None = None
    words = {word: tuple(splits) for word, splits in meanings.items()}
    rest = {"seed": SEED, "bridge": "refuse", "stated": words, "unknown_products": unknown_products}
    for fractions in OF_FEW if groups <= FEW else (USUAL,):
        asked = Splitting.model_validate({"fractions": dict(zip(SPLITS, fractions, strict=True)), **rest})
        try:
            found.append(_tried(samples, boxes, asked))
        except DataError as error:
            refused = error
    if not found:
        raise refused or DataError([])
    return max(found, key=lambda one: _worth(one, len(samples)))


def _worth(one: Shares, n_photographs: int) -> tuple[bool, int, int]:
    enough = one.photographs["train"] >= ENOUGH_TO_LEARN * n_photographs
    return enough, 2 * one.groups["val_test"] + one.groups["val_calib"], one.photographs["train"]


def _tried(samples: pd.DataFrame, boxes: pd.DataFrame, asked: Splitting) -> Shares:
    table = divide(samples, boxes, no_clusters(), {}, asked, quarantined=()).table
    parts = {name: table.loc[table["split"] == name, "group"] for name in SPLITS}
    groups = {name: int(part.nunique()) for name, part in parts.items()}
    photographs = {name: len(part) for name, part in parts.items()}
    return Shares(asked.fractions.model_dump(), table, groups, photographs, asked.unknown_products)


def rules(task: Task, shares: Shares, boxes: pd.DataFrame) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return models.M.gate.rules: what a new model can be judged by, and what could not be seen and why."""
    rows = _rows_of_groups(shares, "val_test", boxes if task == "detect" else None)
    found: dict[str, dict[str, Any]] = {}
    never = []
    for name, limit in LIMITS[task].items():
        reached = 1.0 if limit is None else lower_bound(rows, rows, correlation=CORRELATION, tail=TAIL)
        visible = len(rows) >= MANY and (limit is None or reached >= limit)
        found[name] = {"bound": "worst" if visible else "value", "min_groups": max(1, min(MANY, len(rows)))}
        if limit is not None and reached < limit:
            never.append(f"{name} >= {limit:g} (a perfect model's interval begins at {reached:.2f})")
    said = []
    if len(rows) < MANY:
        said.append(
            f"val_test has {counted(len(rows), 'group')}; from fewer than {MANY} an interval errs more often "
            "than it says, so rules judge the value: a check, no proof. More groups mend that, not "
            "more photographs; `pipeline.by_group` judges those of train and val_select too, at five trainings more"
        )
    if never:
        said.append(f"judged by their intervals these could never pass on val_test as it is: {'; '.join(never)}")
    return found, said


def certifiable(shares: Shares) -> tuple[dict[str, Any], str, bool]:
    """Return what models.M.decide is to promise of a classifier's answers, why, and whether it can be certified.

    The smallest alpha that the surer half of the answers of val_calib could certify with two wrong, in two groups.
    """
    rows = np.sort(_rows_of_groups(shares, "val_calib", None))
    sizes = np.diff(np.floor(ANSWERED / STEPS * np.cumsum([0, *rows]))).astype(np.intp)
    sizes = sizes[sizes > 0]
    answers = counted(int(sizes.sum()), "answer")
    at_hand = f"{answers} of val_calib, half of what is asked for, in {counted(len(sizes), 'group')}"
    policy = {"positive": None, "steps": STEPS}
    for alpha in ALPHAS:
        if certifies(sizes, alpha, misses=WRONG):
            most = next(k for k in range(WRONG, len(sizes) + 1) if not certifies(sizes, alpha, misses=k + 1))
            why = f"{at_hand}, certify {alpha:g} of wrong ones with up to {most} wrong, each in another group"
            smaller = [one for one in ALPHAS if one < alpha]
            if smaller:
                why += f"; {smaller[-1]:g} not with {WRONG}"
            return {"alpha": alpha, **policy}, why, True
    alone = next((alpha for alpha in ALPHAS if certifies(sizes, alpha, misses=0)), None)
    if alone is None:
        most_said = f"not even {ALPHAS[-1]:g} without a wrong one"
    elif certifies(sizes, alone, misses=1):
        most_said = f"{alone:g} with one wrong at most"
    else:
        most_said = f"{alone:g} only with none wrong"
    why = f"{at_hand}, certify {most_said}: the policy may answer nothing until there are more groups"
    return {"alpha": alone or ALPHAS[-1], **policy}, why, False


def certifies(sizes: npt.NDArray[np.intp], alpha: float, *, misses: int) -> bool:
    """Say whether so many wrong answers, each in another group from the largest on, would still be certified.

    >>> certifies(np.ones(59, np.intp), 0.05, misses=0), certifies(np.ones(58, np.intp), 0.05, misses=0)
    (True, False)
    """
    if misses > len(sizes) or not len(sizes):
        return False
    group = np.repeat(np.arange(len(sizes)), sizes)
    first = np.cumsum(sizes) - sizes
    missed = np.zeros(len(group), dtype=bool)
    missed[first[len(sizes) - misses :]] = True
    asked = Exits(positive=None, alpha=alpha, delta=DELTA, walks=1, unit="group", steps=1, intraclass_floor=CORRELATION)
    cases = Cases(np.arange(len(group)), group, missed, miss_correlation(group, missed))
    return judge(cases, np.ones(len(group), dtype=bool), asked, delta=DELTA).certified


def _rows_of_groups(shares: Shares, split: str, boxes: pd.DataFrame | None) -> FloatArray:
    """Return the photographs, or the boxes, of each group of a split that has any."""
    part = shares.split[shares.split["split"] == split]
    if boxes is not None:
        part = part.merge(boxes[["sample_id"]], on="sample_id")
    counts: FloatArray = part["group"].value_counts(sort=False).to_numpy().astype(np.float64)
    return counts


def in_several(groups: Mapping[str, str], parts: Mapping[str, str]) -> tuple[int, int]:
    """Return how many groups there are, and how many of them lie in more than one part of another split.

    Parameters
    ----------
    groups, parts
        Photograph to its group, and to the part that its authors put it in ("" for none).
    """
    held: dict[str, set[str]] = {}
    for photograph, group in groups.items():
        held.setdefault(group, set()).update({parts[photograph]} - {""})
    return len(held), sum(len(found) > 1 for found in held.values())
