"""Products that a new embedder must take for unknown: some fix its threshold, as many others judge it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from vouch.errors import Problem
from vouch.evaluation.metrics.shares import lower_bound
from vouch.proposal.formats import Said, counted
from vouch.proposal.fractions import CORRELATION, DELTA, Shares

SHARE = 0.1  # of the products, for each of the two splits
MOST = 6  # for each: training has to do without them
MAX_ACCEPT = 0.05  # of their photographs that may bear a name, as the preset has it
LEAST = 4  # products: two to be told apart, one unknown to fix the threshold by, one to judge

Unknown = Mapping[str, tuple[str, ...]]  # split: products that it alone may show


def too_few(products: Sequence[str]) -> Iterator[Problem]:
    """Refuse products of which none could count as unknown."""
    if len(products) < LEAST:
        expected = f"at least {LEAST}: two to be told apart, and two that count as unknown"
        yield Problem("the products", expected, ", ".join(products), "add photographs of other products")


def unknown_products(products: Sequence[str]) -> Unknown:
    """Return the unknown products of val_calib and of val_test, evenly spread over all in the order of their names.

    Products whose names are neighbours are often twins. Spread out, an unknown one has its twin among the known: the
    case that a threshold must stand.

    Parameters
    ----------
    products : sequence of str
        At least four, sorted.

    >>> unknown_products("abcdefgh")
    {'val_calib': ('c',), 'val_test': ('f',)}
    """
    each = min(MOST, max(1, round(SHARE * len(products))))
    places = np.linspace(0, len(products) - 1, 2 * each + 2).round().astype(int)[1:-1].tolist()
    chosen = [products[place] for place in places]
    return {"val_calib": tuple(chosen[0::2]), "val_test": tuple(chosen[1::2])}


def described(unknown: Unknown) -> Said:
    """Say which they are, why, and where a person says otherwise."""
    parts = "; ".join(f"{', '.join(names)} in {split} alone" for split, names in unknown.items())
    why = "no training sees them; their photographs elsewhere are set aside; `split.unknown_products` says others"
    return f"unknown products: {parts}", why


def refusal(samples: pd.DataFrame, shares: Shares, unknown: Unknown) -> tuple[dict[str, Any], Said, bool]:
    """Return what models.M.decide promises of unknown products, why, and whether val_calib can certify it.

    Parameters
    ----------
    samples : DataFrame
        As in `tables`.
    shares : Shares
    unknown : Unknown
    """
    of_unknown = samples.loc[samples["label"].isin(unknown["val_calib"]), ["sample_id"]]
    placed = of_unknown.merge(shares.split.loc[shares.split["split"] == "val_calib"], on="sample_id")
    rows = placed["group"].value_counts().to_numpy().astype(np.float64)
    most = 1 - lower_bound(rows, rows, correlation=CORRELATION, tail=DELTA)
    groups = counted(len(rows), "group")
    held = f"{counted(len(placed), 'photograph')} of unknown products in val_calib, in {groups}"
    if most <= MAX_ACCEPT:
        return {}, (f"at most {MAX_ACCEPT:g} of unknown products may bear a name", f"{held}, can certify it"), True
    why = f"{held}, certify {most:.2f} at best: the threshold keeps the share of these below it, a check and no proof"
    return {"bound": "value"}, (f"about {MAX_ACCEPT:g} of unknown products may bear a name", why), False
