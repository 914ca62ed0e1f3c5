"""Try hostile input on every door: `python -m hostile.fuzz --minutes 60 --seed 7` (make fuzz).

Prints what was tried by door and kind, the slowest and the largest case, and every finding; exits 1 on a finding.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from hostile import pool
from hostile.doors import DOORS
from hostile.pool import Case, Result

SHOWN = 12  # findings of one kind: the others of it are counted


def fixed(seed: int, doors: Sequence[str]) -> Iterator[Case]:
    """Yield the cases of one seed: a number of them for each door."""
    return (Case(seed, name, number) for name in doors for number in range(DOORS[name].cases))


def endless(seed: int, doors: Sequence[str], end: float) -> Iterator[Case]:
    """Yield the cases of `fixed`, seed after seed, until `end` on the monotonic clock.

    Those of a seed come in mixed order: however soon the end is, every door was tried in proportion.
    """
    for later in itertools.count(seed):
        cases = list(fixed(later, doors))
        for index in np.random.default_rng(later).permutation(len(cases)):
            if time.monotonic() > end:
                return
            yield cases[index]


def run(cases: Iterable[Case], workers: int) -> list[Result]:
    """Build the ground in a temporary folder and try the cases; a finding is named at once, and told in the report."""
    done = []
    with tempfile.TemporaryDirectory(prefix="vouch-hostile-") as name:
        folder = Path(name)
        pool.build(folder)
        for one in pool.results(cases, folder, workers=workers):
            done.append(one)
            if one.finding:
                print(f"finding: {one.case} ({one.case.kind})", file=sys.stderr, flush=True)
    return done


def report(results: list[Result]) -> Iterator[str]:
    """Yield the lines of the report."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in results:
        counts[one.case.door, one.case.kind][one.outcome] += 1
    for (door, kind), count in sorted(counts.items()):
        yield f"{door:12} {kind:42} " + ", ".join(f"{number} {outcome}" for outcome, number in sorted(count.items()))
    for door in sorted({one.case.door for one in results}):
        held = [one.outcome for one in results if one.case.door == door]
        yield f"{door}: {len(held)} tried, {held.count('accepted')} accepted, {held.count('refused')} refused"
    for title, key in (("slowest", "seconds"), ("largest", "peak_mb")):
        for one in sorted(results, key=lambda one: getattr(one, key), reverse=True)[:3]:
            yield f"{title}: {one.case} {one.seconds:.1f} s, {one.peak_mb:.0f} MB: {one.told[:160]}"
    yield from _findings([one for one in results if one.finding])
    yield f"{len(results)} cases, {sum(bool(one.finding) for one in results)} findings"


def _findings(found: list[Result]) -> Iterator[str]:
    kinds: dict[str, list[Result]] = defaultdict(list)
    for one in found:
        kinds[f"{one.case.door}, {one.finding.strip().splitlines()[-1][:60]}"].append(one)
    for held in kinds.values():
        for one in held[:SHOWN]:
            yield f"FINDING {one.case} ({one.case.kind}) {one.told}\n    " + one.finding.strip().replace("\n", "\n    ")
        if len(held) > SHOWN:
            yield f"... and {len(held) - SHOWN} more like these: {' '.join(str(one.case) for one in held[SHOWN:][:20])}"


def main() -> None:
    """Try new cases for as long as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=None, help="default: the cases of `make test`, once")
    parser.add_argument("--seed", type=int, default=None, help="default: one of the clock")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--doors", nargs="+", choices=DOORS, default=list(DOORS))
    words = parser.parse_args()
    seed = int(time.time()) if words.seed is None else words.seed
    print(f"seed {seed}; one case again: python -m hostile.replay SEED:DOOR:CASE", flush=True)
    end = time.monotonic() + 60 * (words.minutes or 0)
    results = run(fixed(seed, words.doors) if words.minutes is None else endless(seed, words.doors, end), words.workers)
    print(*report(results), sep="\n")
    sys.exit(any(one.finding for one in results))


if __name__ == "__main__":
    main()
