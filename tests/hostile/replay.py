"""Try one case again: `python -m hostile.replay SEED:DOOR:CASE`; its folder is kept and named."""

import sys
import tempfile
from pathlib import Path

from hostile import pool


def main() -> None:
    """Draw the case, try it in a process as the pool does, and say how it ended."""
    seed, door, number = sys.argv[1].split(":")
    case = pool.Case(int(seed), door, int(number))
    folder = Path(tempfile.mkdtemp(prefix="vouch-replay-"))
    pool.build(folder)
    result = next(pool.results([case], folder, workers=1, keep=True))
    print(f"{case} ({case.kind}): {result.told}\n{result.outcome}, {result.seconds:.2f} s, {result.peak_mb:.0f} MB")
    print(result.said)
    print(f"its folder, as it was left: {folder}")
    sys.exit(result.finding or None)


if __name__ == "__main__":
    main()
