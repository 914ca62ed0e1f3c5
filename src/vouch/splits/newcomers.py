"""Where groups that the lock did not know went, and why: what a person sees of a split once it has grown."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vouch.errors import so_many
from vouch.paths import SPLITS
from vouch.splits.balance import Profiles, shares
from vouch.splits.components import Graph

NAMED = 10  # new groups that are named, the largest first; the rest are counted


@dataclass(frozen=True)
class Newcomer:
    """One group that the lock did not know, or several that share photographs."""

    name: str
    n_photographs: int
    split: str
    why: str


def newcomers(
    profiles: Profiles,
    held: NDArray[np.int8],
    splits: NDArray[np.int8],
    names: NDArray[np.object_],
    *,
    fractions: NDArray[np.float64],
    allowed: NDArray[np.bool_],
) -> tuple[Newcomer, ...]:
    """Return the components that were placed beside locked ones, the largest first; none at a first split.

    Parameters
    ----------
    profiles : Profiles
        What the components hold.
    held : int8 array (n_components,)
        Split of each by the lock, -1 for a new one.
    splits : int8 array (n_components,)
        Where each is now.
    names : object array (n_components,)
    fractions : float64 array (n_splits,)
        Wanted share of each split.
    allowed : bool array (n_components, n_splits)
        Splits that each may go to by what its photographs state.
    """
    if not (held >= 0).any():
        return ()
    totals = np.maximum(profiles.counts.sum(axis=0), 1)
    before = shares(profiles, held, len(fractions), totals)
    size = profiles.counts[:, -2]
    found = []
    for rank, one in enumerate(sorted(np.flatnonzero(held < 0).tolist(), key=lambda one: (-size[one], names[one]))):
        split = int(splits[one])
        lacking = np.maximum(fractions[split] - before[split], 0.0)
        filled = np.minimum(profiles.counts[one] / totals, lacking) if rank < NAMED else np.zeros(1)
        most = int(filled.argmax())
        why = "of all splits it is the one whose shares stay nearest to the fractions"
        if filled[most] > 0:
            has, wanted = f"{before[split, most]:.1%}", f"{fractions[split]:.0%}"
            why = f"without the new groups it has {has} of all {profiles.features[most]} and is to have {wanted}"
        if not allowed[one].all():
            among = " or ".join(np.array(SPLITS)[allowed[one]].tolist())
            bound = f"what its photographs state or show lets it go to {among}"
            why = f"{bound}; {why}" if allowed[one].sum() > 1 else bound
        found.append(Newcomer(str(names[one]), int(size[one]), SPLITS[split], why))
    return tuple(found)


def joiners(graph: Graph, of_node: NDArray[np.int64], split_of_node: NDArray[np.int8]) -> tuple[Newcomer, ...]:
    """Return the new groups that share photographs, or near-duplicates, with a locked one: each is in its split."""
    locked: dict[int, int] = {}  # component to one of its locked nodes
    for node in np.flatnonzero(split_of_node >= 0).tolist():
        locked.setdefault(int(of_node[node]), node)
    photographs = Counter(graph.node_of.tolist())
    new = [node for node in np.flatnonzero(split_of_node < 0).tolist() if int(of_node[node]) in locked]
    return tuple(
        Newcomer(
            str(graph.nodes[node]),
            photographs[node],
            SPLITS[split_of_node[witness]],
            f"it shares photographs, or near-duplicates of them, with {graph.nodes[witness]}",
        )
        for node, witness in ((node, locked[int(of_node[node])]) for node in new)
    )


def described(found: Iterable[Newcomer], *, dataset: str) -> list[str]:
    """Return the lines that say where new groups went; none where there are none."""
    ordered = sorted(found, key=lambda one: (-one.n_photographs, one.name))
    if not ordered:
        return []
    counts = Counter(one.split for one in ordered)
    by_split = ", ".join(f"{name} {counts[name]}" for name in SPLITS if counts[name])
    lines = [f"new groups: {len(ordered)} ({by_split}); each goes where what it holds is furthest below the fractions"]
    for one in ordered[:NAMED]:
        lines.append(f"  {one.name}, {so_many(one.n_photographs, 'photograph')}: {one.split}: {one.why}")
    if len(ordered) > NAMED:
        lines.append(f"  ... and {len(ordered) - NAMED} more, see splits/{dataset}.lock.csv")
    lines.append(f"to decide it yourself, before a split: vouch split assign {dataset} GROUP --to train")
    return lines
