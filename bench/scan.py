"""Scan of photographs, duplicates included, beside imagededup's perceptual hash: `PYTHONPATH=src python bench/scan.py`.

Both sides decode every photograph on all cores and find near-duplicates; ours also judges, measures and hashes pixels.
"""

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from sides import in_turns
from vouch.quality import images
from vouch.quality.duplicates import find_duplicates
from vouch.sources.tree import photographs_below

RUNS = 5
FOLDERS = (Path("../shared/realdata/waste_scenes/images"), Path("data/sources/driver"))


def photographs() -> tuple[Path, list[Path]]:
    for folder in FOLDERS:
        found = photographs_below(folder)
        if found:
            return folder, found
    sys.exit(f"bench/scan.py: no photographs in {' or '.join(map(str, FOLDERS))}; run `make repro` first")


def ours(paths: list[Path], workers: int) -> int:
    records = list(images.scan(paths, max_megapixels=100.0, workers=workers))
    table = images.tabulate([str(path) for path in paths], records)
    said = pd.DataFrame({"objects": [""] * len(table), "classes": [""] * len(table)})
    home = np.zeros(len(table), dtype=np.int64)
    found = find_duplicates(table, said, home, radius_bits=6, min_correlation=0.9)
    return found.counts["near_pairs"]


def peer(folder: Path, workers: int) -> int:
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)
    encodings = hasher.encode_images(folder, recursive=True, num_enc_workers=workers)
    found = hasher.find_duplicates(encoding_map=encodings, max_distance_threshold=6, num_dist_workers=workers)
    return sum(map(len, found.values())) // 2


def main() -> None:
    if importlib.util.find_spec("imagededup") is None:
        sys.exit("bench/scan.py: the peer imagededup is not installed; run `make bench`, which installs it")
    folder, paths = photographs()
    workers = len(os.sched_getaffinity(0))
    sides = {"ours": lambda: ours(paths, workers), "peer": lambda: peer(folder, workers)}
    pairs, seconds = in_turns(sides, RUNS)
    mine, theirs = seconds["ours"], seconds["peer"]
    what = f"scan {len(paths)} photographs with duplicates ({pairs['ours']} near pairs, imagededup {pairs['peer']})"
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    print(f"| {what} | {mine:.2f} s | {theirs:.2f} s | {theirs / mine:.2f} | 1.5 |")


if __name__ == "__main__":
    main()
