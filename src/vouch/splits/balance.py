"""Where new components go: so that every label and stratum is shared out like the whole."""

import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.tables import STRATUM, stratum_columns

HEAD = 2000  # components placed one by one first: the rarest labels and the largest (20 us each)
TAIL = 2000  # kept back from the bulk, placed one by one last: they mend what dealing left uneven
GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: its multiples fill [0, 2^64) evenly at every length


@dataclass(frozen=True)
class Profiles:
    """What each component holds."""

    counts: NDArray[np.int64]  # (components, features): labels, then strata values, then samples, then 1
    n_labels: int
    strata: tuple[slice, ...]  # the features of each stratum
    ticket: NDArray[np.uint64]  # (components,) a hash: breaks ties without favour
    features: tuple[str, ...]  # what each feature counts, in words


def profile(
    samples: pd.DataFrame, boxes: pd.DataFrame, of_sample: NDArray[np.int64], names: NDArray[np.object_], *, seed: int
) -> Profiles:
    """Count labels, strata values and samples of every component.

    Parameters
    ----------
    samples, boxes : DataFrame
        As in `tables`; boxes of other samples are ignored.
    of_sample : int array (n_samples,)
        Component of each sample, a position in `names`.
    names : object array (n_components,)
        Names of the components.
    seed : int
        Enters the hash that breaks ties.
    """
    n = len(names)
    owner = pd.Index(samples["sample_id"]).get_indexer(pd.Index(boxes["sample_id"])) if len(boxes) else np.empty(0, int)
    held = owner >= 0
    boxed, box_names = _count(boxes["class_name"][held], of_sample[owner[held]], n)
    said, label_names = _count(samples["label"], of_sample, n)
    labels = np.hstack([boxed, said])
    columns = stratum_columns(samples)
    counted = [_count(samples[column], of_sample, n) for column in columns]
    strata = [counts for counts, _ in counted]
    ends = labels.shape[1] + np.cumsum([0, *(block.shape[1] for block in strata)])
    size = np.bincount(of_sample, minlength=n)[:, None]
    values = zip(columns, (values for _, values in counted), strict=True)
    conditions = [f"photographs with {column.removeprefix(STRATUM)}={one}" for column, found in values for one in found]
    objects = [*(f"boxes of {name}" for name in box_names), *(f"photographs of {name}" for name in label_names)]
    return Profiles(
        counts=np.hstack([labels, *strata, size, np.ones_like(size)]).astype(np.int64),
        n_labels=labels.shape[1],
        strata=tuple(slice(start, end) for start, end in itertools.pairwise(ends.tolist())),
        ticket=tickets(names, seed=seed),
        features=(*objects, *conditions, "photographs", "groups"),
    )


def tickets(names: Iterable[str], *, seed: int) -> NDArray[np.uint64]:
    """Return 64 bits a name that depend on the name and the seed alone."""
    digests = b"".join(hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def place(
    profiles: Profiles, locked: NDArray[np.int8], *, fractions: NDArray[np.float64], allowed: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Give every component without a split one, so that each feature's shares come close to the fractions.

    Parameters
    ----------
    profiles : Profiles
        What the components hold.
    locked : int8 array (n_components,)
        Split of each component, -1 for a new one.
    fractions : float64 array (n_splits,)
        Wanted share of each split; sums to 1.
    allowed : bool array (n_components, n_splits)
        Splits that each new component may go to, one at least.

    Returns
    -------
    int8 array (n_components,)
        As `locked`, without -1. No split stays empty while there are new components to fill it.

    Notes
    -----
    New components in the order of (rarest label, size descending, hash) go one by one to the split that minimises the
    sum over features of |share - fraction|. Beyond HEAD + TAIL of them, the bulk is dealt in the order
    of similar profiles by a golden-ratio sequence, so that each neighbourhood of alike components is shared as wanted.

    Components that may go to the same splits are placed together, those with the fewest splits first, by the fractions
    of these splits among each other, over all that lies in them: the rest of the data says nothing of their balance.
    """
    splits = locked.copy()
    patterns = np.unique(allowed[locked < 0], axis=0)
    for pattern in sorted(patterns.tolist(), key=lambda one: (sum(one), one)):
        ours = (locked < 0) & (allowed == pattern).all(axis=1)
        names = np.flatnonzero(pattern)
        members = np.flatnonzero(ours | np.isin(splits, names))
        part = replace(profiles, counts=profiles.counts[members], ticket=profiles.ticket[members])
        held = np.where(ours[members], -1, np.searchsorted(names, splits[members])).astype(np.int8)
        wanted = fractions if all(pattern) else fractions[names] / fractions[names].sum()
        splits[members] = names[_placed(part, held, wanted)]
    return splits


def _placed(profiles: Profiles, locked: NDArray[np.int8], fractions: NDArray[np.float64]) -> NDArray[np.int8]:
    """Place new components where any split will do."""
    splits = locked.copy()
    new = _in_order(profiles, np.flatnonzero(locked < 0))
    head, bulk, tail = _portions(profiles, new)
    _place_singly(profiles, splits, head, fractions, reserve=len(bulk) + len(tail))
    _deal(profiles, splits, bulk, fractions, n_later=len(tail))
    _place_singly(profiles, splits, tail, fractions, reserve=0)
    return splits


def shares(
    profiles: Profiles, splits: NDArray[np.int8], n_splits: int, totals: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Share of each feature that each split holds so far: float64 (splits, features)."""
    held = [profiles.counts[splits == split].sum(axis=0) for split in range(n_splits)]
    return np.stack(held) / totals


def _count(values: pd.Series, owner: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], list[str]]:
    """Count each value a component: int64 (n, distinct values), and those values sorted; nulls and "" do not count."""
    codes, distinct = pd.factorize(values.replace("", None), sort=True)
    known = codes >= 0
    width = len(distinct)
    flat = np.bincount(owner[known] * width + codes[known], minlength=n * width)
    return flat.reshape(n, width), [str(value) for value in distinct]


def _rarest(profiles: Profiles, members: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank of the rarest label that each member holds, the number of labels where it holds none; and its size."""
    labels = profiles.counts[:, : profiles.n_labels]
    by_rarity = np.argsort(labels.sum(axis=0), kind="stable")
    holds = np.hstack([labels[members][:, by_rarity] > 0, np.ones((len(members), 1), dtype=bool)])
    return holds.argmax(axis=1), profiles.counts[members, -2]


def _in_order(profiles: Profiles, members: NDArray[np.int64]) -> NDArray[np.int64]:
    rarest, size = _rarest(profiles, members)
    return members[np.lexsort((members, profiles.ticket[members], -size, rarest))]


def _portions(profiles: Profiles, new: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Split the ordered new components: placed singly first, dealt in bulk, placed singly last."""
    if len(new) <= HEAD + TAIL:
        return new, new[:0], new[:0]
    head, rest = new[:HEAD], new[HEAD:]
    late = np.zeros(len(rest), dtype=bool)
    late[np.linspace(0, len(rest) - 1, TAIL).astype(np.int64)] = True  # of every kind some
    return head, rest[~late], rest[late]


def _place_singly(
    profiles: Profiles,
    splits: NDArray[np.int8],
    members: NDArray[np.int64],
    fractions: NDArray[np.float64],
    *,
    reserve: int,
) -> None:
    """Place `members` one by one, in order, into `splits`; `reserve` more are still to come."""
    totals = np.maximum(profiles.counts.sum(axis=0), 1)
    excess = shares(profiles, splits, len(fractions), totals) - fractions[:, None]
    filled = np.isin(np.arange(len(fractions)), splits)
    favourite = np.searchsorted(np.cumsum(fractions)[:-1], profiles.ticket[members] / 2.0**64, side="right")
    for rank, member in enumerate(members):
        gain = profiles.counts[member] / totals
        cost = np.abs(excess + gain).sum(axis=1) - np.abs(excess).sum(axis=1)
        if len(members) - rank + reserve <= len(fractions) - filled.sum():
            cost[filled] = np.inf
        tied = np.flatnonzero(cost <= cost.min() + 1e-12)  # float noise of sums of shares is near 1e-15
        chosen = favourite[rank] if favourite[rank] in tied else tied[0]
        splits[member] = chosen
        excess[chosen] += gain
        filled[chosen] = True


def _deal(
    profiles: Profiles,
    splits: NDArray[np.int8],
    members: NDArray[np.int64],
    fractions: NDArray[np.float64],
    *,
    n_later: int,
) -> None:
    """Deal `members` into `splits` by what each split still lacks; `n_later` more are still to come."""
    if not len(members):
        return
    size = profiles.counts[:, -2]
    have = np.array([size[splits == split].sum() for split in range(len(fractions))])
    lack = np.maximum(fractions * size.sum() - have, 0.0)
    rarest, member_size = _rarest(profiles, members)
    mostly = [profiles.counts[members, block].argmax(axis=1) for block in profiles.strata if block.start < block.stop]
    alike = members[np.lexsort((members, profiles.ticket[members], member_size, *mostly, rarest))]
    sequence = np.arange(1, len(alike) + 1, dtype=np.uint64) * np.uint64(GOLDEN)  # wraps: that is its point
    bounds = np.cumsum(lack / lack.sum())[:-1]
    splits[alike] = np.searchsorted(bounds, sequence / 2.0**64, side="right")
