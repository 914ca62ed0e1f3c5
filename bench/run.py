"""Every bench of this folder, one after another, as one table with the machine named; `make bench` runs it.

A bench that cannot run for want of a package or of a CUDA device is named with what it lacks; one that fails makes this
one fail too.
"""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
# Those after sides.py train for an hour or more, or judge a model of one's own.
NO_BENCH = (Path(__file__).name, "sides.py", "trials.py", "pretrained.py", "photographs_per_product.py")
COLUMNS = ("what", "ours", "peer", "ratio", "goal")
MISSING = re.compile(
    r"ModuleNotFoundError: No module named '([^']+)'|the peer (\S+) is not installed|needs a CUDA device"
)


def machine():
    """Name the processor, the cores that this process may use, and Python."""
    described = Path("/proc/cpuinfo")
    text = described.read_text(encoding="utf-8") if described.is_file() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    name = model.group(1) if model else platform.processor() or platform.machine()
    return f"{name}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


def rows(text):
    """Pick the table's rows out of what a bench printed: without the header and the line below it."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [line for line in lines if not set(line) <= set("|-: ") and not re.match(r"\|\s*what\s*\|", line)]


def run(bench):
    """Run one bench; return its rows and whether it failed."""
    print(f"{bench.name} ...", file=sys.stderr, flush=True)
    source = str(FOLDER.parent / "src")
    done = subprocess.run(
        [sys.executable, str(bench)],
        capture_output=True,
        text=True,
        check=False,
        cwd=FOLDER.parent,
        env=os.environ | {"PYTHONPATH": source},
    )
    found = rows(done.stdout)
    if done.returncode == 0:
        return found or [f"| {bench.stem} | printed no row | | | |"], not found
    missing = MISSING.search(done.stderr)
    if missing:
        package = missing.lastindex and missing.group(missing.lastindex)
        reason = f"{package} is not installed" if package else "no CUDA device"
        return [*found, f"| {bench.stem} | not run: {reason} | | | |"], False
    print(done.stderr, file=sys.stderr)
    return [*found, f"| {bench.stem} | FAILED with exit code {done.returncode} | | | |"], True


def main():
    print(f"{machine()}; medians of at least five runs, both sides in one run\n")
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS), flush=True)
    failed = []
    for bench in sorted(FOLDER.glob("*.py")):
        if bench.name in NO_BENCH:
            continue
        found, broken = run(bench)
        print("\n".join(found), flush=True)
        failed += [bench.name] if broken else []
    if failed:
        sys.exit(f"bench: failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
