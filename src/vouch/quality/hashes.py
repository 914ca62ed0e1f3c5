"""Every pair of 64-bit hashes within a Hamming radius, exactly, without comparing every pair."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCKS = 4  # of 16 bits: a table of 65,536 lists, some three hashes each at 200,000 hashes
BITS = 16
BATCH = 1 << 21  # candidate pairs compared at a time: 60 MB, whatever the number of hashes
MAX_RADIUS = 15  # beyond, three flipped bits a block make the search slower than comparing all


def pair_batches(hashes: NDArray[np.uint64], *, radius: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield every pair within the radius exactly once, in batches of bounded size and in a fixed order.

    Parameters
    ----------
    hashes : uint64 array (n,)
        Perceptual hashes; equal ones are pairs too.
    radius : int
        Largest Hamming distance, 0..15 bits.

    Yields
    ------
    tuple of int64 arrays (m,)
        Positions i < j of each pair.

    Notes
    -----
    Multi-index hashing (Norouzi, Punjani, Fleet 2012): the 64 bits are dealt into four blocks with radii t whose sum of
    t + 1 is radius + 1, so two hashes within the radius are within t in at least one block. Bits are dealt by
    how evenly they are set, so that a bit that nearly all pictures share does not leave one block without information.
    """
    if not 0 <= radius <= MAX_RADIUS:
        raise ValueError(f"radius: expected 0..{MAX_RADIUS} bits, got {radius}")
    codes, first, counts, members = _distinct(hashes)
    yield from _equal_pairs(first, counts, members)
    for left, right in _code_pairs(codes, radius):
        yield from _expand(left, right, first, counts, members)


def near_pairs(hashes: NDArray[np.uint64], *, radius: int) -> NDArray[np.int64]:
    """Return every pair within the radius as rows (i, j), i < j, sorted; see `pair_batches` for what it promises.

    Parameters
    ----------
    hashes : uint64 array (n,)
        Perceptual hashes.
    radius : int
        Largest Hamming distance, 0..15 bits.

    Returns
    -------
    int64 array (m, 2)
    """
    batches = [np.stack(batch, axis=1) for batch in pair_batches(hashes, radius=radius)]
    pairs = np.concatenate(batches) if batches else np.empty((0, 2), dtype=np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _distinct(
    hashes: NDArray[np.uint64],
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Distinct codes; where each code's list starts in `members`, how long it is, and the positions that carry it."""
    members = np.argsort(hashes, kind="stable").astype(np.int64)
    codes, first, counts = np.unique(hashes[members], return_index=True, return_counts=True)
    return codes, first.astype(np.int64), counts.astype(np.int64), members


def _equal_pairs(
    first: NDArray[np.int64], counts: NDArray[np.int64], members: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pair the positions that carry the same code, each with those behind it in its list."""
    starts, lengths = np.repeat(first, counts), np.repeat(counts, counts)
    places = np.arange(len(members), dtype=np.int64)
    behind = lengths - (places - starts) - 1
    for rows, partners in _join(places + 1, behind):
        yield members[rows], members[partners]  # a stable sort keeps i < j


def _expand(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    first: NDArray[np.int64],
    counts: NDArray[np.int64],
    members: NDArray[np.int64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Turn pairs of codes into pairs of the positions that carry them."""
    for rows, left_places in _join(first[left], counts[left]):
        code_right = right[rows]
        for again, right_places in _join(first[code_right], counts[code_right]):
            one, other = members[left_places[again]], members[right_places]
            yield np.minimum(one, other), np.maximum(one, other)


def _code_pairs(codes: NDArray[np.uint64], radius: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of positions in `codes` (distinct) within the radius; a pair counts in the first block that finds it."""
    keys = _blocks(codes)
    radii = [(radius + 1 + block) // BLOCKS - 1 for block in range(BLOCKS)]
    for block, block_radius in enumerate(radii):
        for left, right in _candidates(keys[block], block_radius):
            near = np.bitwise_count(codes[left] ^ codes[right]) <= radius
            left, right = left[near], right[near]
            for earlier in range(block):
                distance = np.bitwise_count(keys[earlier][left] ^ keys[earlier][right])
                unseen = distance.astype(np.int64) > radii[earlier]
                left, right = left[unseen], right[unseen]
            yield left, right


def _blocks(codes: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Deal the 64 bits into four 16-bit keys, snake-wise from the most evenly set bit to the least."""
    bits = np.unpackbits(codes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    unevenness = np.abs(2 * bits.sum(axis=0, dtype=np.int64) - len(codes))
    ranked = np.argsort(unevenness, kind="stable").reshape(BITS, BLOCKS)
    ranked[1::2] = ranked[1::2, ::-1]
    weights = 1 << np.arange(BITS, dtype=np.int32)
    return np.stack([bits[:, ranked[:, block]] @ weights for block in range(BLOCKS)]).astype(np.uint16)


def _candidates(keys: NDArray[np.uint16], radius: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs whose keys differ in at most `radius` bits, each once."""
    if radius < 0:
        return
    order = np.argsort(keys, kind="stable").astype(np.int64)
    ordered = keys[order].astype(np.int64)
    starts = np.searchsorted(ordered, np.arange((1 << BITS) + 1)).astype(np.int64)
    places = np.arange(len(keys), dtype=np.int64)
    for rows, partners in _join(places + 1, starts[ordered + 1] - places - 1):
        yield order[rows], order[partners]
    for mask in _masks(radius):
        lower = np.flatnonzero(ordered < ordered ^ mask)  # of two lists that are each other's mirror, start at one
        mirror = ordered[lower] ^ mask
        for rows, partners in _join(starts[mirror], starts[mirror + 1] - starts[mirror]):
            yield order[lower[rows]], order[partners]


def _masks(radius: int) -> NDArray[np.int64]:
    """All 16-bit numbers with 1 to `radius` bits set."""
    numbers = np.arange(1, 1 << BITS, dtype=np.int64)
    return numbers[np.bitwise_count(numbers) <= radius]


def _join(
    starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (row, place) for every place in start..start + length of every row, about BATCH at a time."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    for begin in range(0, total, BATCH):
        end = min(begin + BATCH, total)
        low, high = np.searchsorted(ends, [begin, end - 1], side="right")
        taken = np.arange(low, high + 1, dtype=np.int64)
        before = ends[taken] - lengths[taken]
        counts = np.minimum(ends[taken], end) - np.maximum(before, begin)
        rows = np.repeat(taken, counts)
        places = np.arange(begin, end, dtype=np.int64) - np.repeat(before, counts)
        yield rows, starts[rows] + places
