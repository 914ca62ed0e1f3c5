"""Products that a new embedder must take for unknown: some fix its threshold, as many others judge it."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from vouch.errors import ManifestError, Problem, refuse_any
from vouch.evaluation.metrics.shares import lower_bound
from vouch.paths import SPLITS
from vouch.proposal.formats import Said, counted, listed
from vouch.proposal.fractions import CORRELATION, DELTA, Shares, Unknown
from vouch.splits.params import Home
from vouch.tables import SPLIT_STATED

SHARE = 0.1  # of the products, for each of the two splits
MOST = 6  # for each: training has to do without them
MAX_ACCEPT = 0.05  # of their photographs that may bear a name, as the preset has it
LEAST = 4  # products: two to be told apart, one unknown to fix the threshold by, one to judge
HOMES: tuple[Home, Home] = ("val_calib", "val_test")


def too_few(products: Sequence[str]) -> Iterator[Problem]:
    """Refuse products of which none could count as unknown."""
    if len(products) < LEAST:
        expected = f"at least {LEAST}: two to be told apart, and two that count as unknown"
        yield Problem("the products", expected, ", ".join(products), "add photographs of other products")


def candidates(samples: pd.DataFrame, meanings: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the products, sorted, of which photographs may lie in val_calib and in val_test, and how many may.

    Parameters
    ----------
    samples : DataFrame
        As in `tables`.
    meanings : mapping
        Splits that a group may go to by the word that its photographs state; empty where words mean nothing.

    Raises
    ------
    ManifestError
        When the words leave fewer than four.
    """
    labelled = samples[samples["label"].notna()]
    elsewhere = [word for word, splits in meanings.items() if not {*HOMES} <= {*splits}]
    free = labelled[~labelled[SPLIT_STATED].isin(elsewhere)] if elsewhere else labelled
    found = {str(name): int(count) for name, count in free["label"].value_counts().sort_index().items()}
    expected = f"at least {LEAST} products with photographs that may go to {' and '.join(HOMES)}"
    few = [Problem("--split", expected, ", ".join(found) or "none", "leave it out: our own split is drawn then")]
    refuse_any(ManifestError, few if elsewhere and len(found) < LEAST else [])
    return found


def unknown_products(photographs: Mapping[str, int]) -> Unknown:
    """Return the unknown products of val_calib and of val_test, evenly spread over all in the order of their names.

    Products whose names are neighbours are often twins. Spread out, an unknown one has its twin among the known: the
    case that a threshold must stand. Of few photographs a threshold and its verdict would be chance: in the place of a
    product with fewer than the median product stands the nearest by name with as many.

    Parameters
    ----------
    photographs : mapping
        How many each product has; at least four products, sorted.

    >>> unknown_products(dict.fromkeys("abcdefgh", 9)), unknown_products(dict.fromkeys("abcdefgh", 9) | {"c": 8})
    ({'val_calib': ('c',), 'val_test': ('f',)}, {'val_calib': ('b',), 'val_test': ('f',)})
    """
    products = list(photographs)
    each = min(MOST, max(1, round(SHARE * len(products))))
    middle = median(photographs.values())
    enough = [place for place, name in enumerate(products) if photographs[name] >= middle]
    chosen = []
    for place in np.linspace(0, len(products) - 1, 2 * each + 2).round().astype(int)[1:-1].tolist():
        nearest = min(enough, key=lambda other: abs(other - place))
        enough.remove(nearest)
        chosen.append(products[nearest])
    return {split: tuple(chosen[place::2]) for place, split in enumerate(HOMES)}


def lacking(samples: pd.DataFrame, shares: Shares) -> Iterator[Problem]:
    """Yield what a split has to show and does not, for which training or `decide` would fail.

    Parameters
    ----------
    samples : DataFrame
        As in `tables`.
    shares : Shares
    """
    shown = _shown(samples, shares)
    alone = "add photographs of other groups, of one product each"
    learned = ", ".join(sorted(shown["train"])) or "none"
    if len(shown["train"]) < 2:
        yield Problem("split train", "photographs of two products at the least", learned, alone)
    if not shown["train"] & shown["val_select"]:
        yield Problem("split val_select", "photographs of products of train", "none", "add photographs of each product")
    for split, names in shares.unknown.items():
        if not shown[split] & {*names}:
            yield Problem(f"split {split}", f"photographs of unknown products: {', '.join(names)}", "none", alone)


def unlearned(samples: pd.DataFrame, shares: Shares) -> Iterator[str]:
    """Yield a warning of products that nobody meant to be unknown, and that train shows on no photograph."""
    shown = _shown(samples, shares)
    names = sorted(set().union(*shown.values()) - shown["train"] - set().union(*shares.unknown.values()))
    if names:
        what = f"{counted(len(names), 'product')} without a photograph in train ({listed(names)})"
        yield f"{what}: nobody learns them, and elsewhere they count as unknown; add photographs of other groups"


def _shown(samples: pd.DataFrame, shares: Shares) -> dict[str, set[str]]:
    """Return the products that each split shows."""
    placed = shares.split.merge(samples[["sample_id", "label"]], on="sample_id").dropna(subset="label")
    return {split: set(placed.loc[placed["split"] == split, "label"]) for split in SPLITS}


def described(unknown: Unknown) -> Said:
    """Say which they are, why, and where a person says otherwise."""
    parts = "; ".join(f"{', '.join(names)} in {split} alone" for split, names in unknown.items())
    why = "no training sees them; their photographs elsewhere are set aside; `split.unknown_products` says others"
    return f"unknown products: {parts}", why


def refusal(samples: pd.DataFrame, shares: Shares) -> tuple[dict[str, Any], Said, bool]:
    """Return what models.M.decide promises of unknown products, why, and whether val_calib can certify it.

    Parameters
    ----------
    samples : DataFrame
        As in `tables`.
    shares : Shares
    """
    of_unknown = samples.loc[samples["label"].isin(shares.unknown["val_calib"]), ["sample_id"]]
    placed = of_unknown.merge(shares.split.loc[shares.split["split"] == "val_calib"], on="sample_id")
    rows = placed["group"].value_counts().to_numpy().astype(np.float64)
    most = 1 - lower_bound(rows, rows, correlation=CORRELATION, tail=DELTA)
    groups = counted(len(rows), "group")
    held = f"{counted(len(placed), 'photograph')} of unknown products in val_calib, in {groups}"
    if most <= MAX_ACCEPT:
        return {}, (f"at most {MAX_ACCEPT:g} of unknown products may bear a name", f"{held}, can certify it"), True
    why = f"{held}, certify {most:.2f} at best: the threshold keeps the share of these below it, a check and no proof"
    return {"bound": "value"}, (f"about {MAX_ACCEPT:g} of unknown products may bear a name", why), False
