r"""A person's regular expression over many names, in a process of its own that may use so much time and memory.

Python's own engine, since a linear one (RE2) reads `\w` and `\d` as ASCII and would move photographs to other groups.
It backtracks: `^(a+)+$` takes 2^n steps on n letters and `((a?){1000}){1000}` holds a million states, and neither a
thread nor a library bounds both.
"""

import json
import re
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

MOST_S = 1.0  # of processor time, and as much again for each
NAMES = 50_000  # names, which take a tenth of it
MOST_BYTES = 2**31  # of address space: a million names take 200 MB


@dataclass(frozen=True)
class Unfinished:
    """A name on which a search used up its time or memory."""

    name: str
    why: str


def groups(pattern: str) -> int:
    """Return how many groups a pattern has, 0 where it is no regular expression.

    Examples
    --------
    >>> groups("^(s[0-9]+)_"), groups("(a"), groups("a")
    (1, 0, 0)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of `[[a]`, whose meaning may change with Python
            return re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError):
        return 0


def searched(pattern: str, names: Sequence[str]) -> dict[str, str | None] | Unfinished:
    """Return what the first group of `pattern` matches in each name, None where nothing or an empty text.

    Parameters
    ----------
    pattern
        A regular expression with one group.
    names
        Names of files.

    Returns
    -------
    dict or Unfinished
        The matches, or the name on which the processor time or the memory was used up.
    """
    task = json.dumps({"pattern": pattern, "names": list(names)})
    command = [sys.executable, "-I", "-S", __file__]
    done = subprocess.run(command, input=task, capture_output=True, text=True, encoding="ascii", check=False)
    if done.returncode != 0:  # the hard limit, where a search did not heed the soft one
        said = done.stderr.strip().rpartition("\n")[2]
        return Unfinished(f"one of {len(names)} names", said or "more time or memory than it may take")
    answer = json.loads(done.stdout)
    if "why" in answer:
        return Unfinished(**answer)
    return dict(zip(names, answer["found"], strict=True))


def _answer(pattern: str, names: Sequence[str]) -> dict[str, object]:
    """Search name by name until the alarm rings or memory ends."""
    warnings.simplefilter("ignore", FutureWarning)
    found: list[str | None] = []
    name = ""
    try:
        compiled = re.compile(pattern)
        for name in names:
            match = compiled.search(name)
            found.append((match.group(1) or None) if match else None)
    except TimeoutError:
        return {"name": name, "why": f"more than {_most_s(names):.0f} s"}
    except (MemoryError, RecursionError):
        return {"name": name, "why": f"more than {MOST_BYTES // 2**30} GiB of memory"}
    return {"found": found}


def _most_s(names: Sequence[str]) -> float:
    return MOST_S * (1 + len(names) / NAMES)


def _ring(number: int, frame: object) -> None:
    raise TimeoutError


def _main() -> None:
    """Read the task from standard input and write its answer, within the limits."""
    task = json.load(sys.stdin)
    most_s = _most_s(task["names"])
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (int(9 + 2 * most_s), int(9 + 2 * most_s)))
    signal.signal(signal.SIGVTALRM, _ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, most_s)  # the engine looks for signals every 4,096 steps
    answer = _answer(task["pattern"], task["names"])
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _main()
