"""All pairs of 200,000 64-bit hashes within 6 bits, beside faiss: `PYTHONPATH=src python bench/duplicates.py`."""

import importlib.util
import sys

import numpy as np

from sides import in_turns
from vouch.quality.hashes import near_pairs

RUNS = 5
N, RADIUS = 200_000, 6


def made_up_hashes() -> np.ndarray:
    """Random hashes, a fifth with a near copy, 1,000 of one dark frame and 1,000 that differ from it in four bits."""
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**64, N, dtype=np.uint64)
    hashes[:40_000] = hashes[40_000:80_000] ^ flips(generator, 40_000, 5)
    hashes[-2000:] = hashes[-1]
    hashes[-1000:] ^= flips(generator, 1000, 4)
    return hashes


def flips(generator: np.random.Generator, n: int, bits: int) -> np.ndarray:
    mask = np.zeros(n, dtype=np.uint64)
    for _ in range(bits):
        mask ^= np.uint64(1) << generator.integers(0, 64, n, dtype=np.uint64)
    return mask


def peer(hashes: np.ndarray) -> np.ndarray:
    import faiss

    codes = hashes.view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryFlat(64)
    index.add(codes)
    limits, _, found = index.range_search(codes, RADIUS + 1)  # faiss finds distances below its radius
    rows = np.repeat(np.arange(len(hashes)), np.diff(limits.astype(np.int64)))
    pairs = np.stack([rows, found], axis=1)[rows < found]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def main() -> None:
    if importlib.util.find_spec("faiss") is None:
        sys.exit("bench/duplicates.py: the peer faiss-cpu is not installed; run `make bench`, which installs it")
    hashes = made_up_hashes()
    sides = {"ours": lambda: near_pairs(hashes, radius=RADIUS), "peer": lambda: peer(hashes)}
    pairs, seconds = in_turns(sides, RUNS)
    if not np.array_equal(pairs["ours"], pairs["peer"]):
        sys.exit("bench/duplicates.py: the two sides found different pairs")
    mine, theirs = seconds["ours"], seconds["peer"]
    what = f"near pairs of {N:,} hashes at radius {RADIUS} ({len(pairs['ours']):,} pairs, the same)"
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    print(f"| {what} | {mine:.2f} s | {theirs:.2f} s | {theirs / mine:.1f} | 5 |")


if __name__ == "__main__":
    main()
