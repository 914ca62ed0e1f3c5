"""kill -9 at a chosen moment, without a hook in the code that is killed: Python reports every touch of a file.

A forked process counts the audit events that change the disk and kills itself before the n-th. So each moment at which
a crash can leave something is tried, not those that a clock happens to hit.
"""

import os
import signal
import sys
from collections.abc import Callable

EVENTS = frozenset(
    (
        "open",
        "os.rename",
        "os.remove",
        "os.rmdir",
        "os.mkdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "subprocess.Popen",
    )
)
READ_ONLY = os.O_RDONLY
NEVER = 10**9


def run(enter: Callable[[], object], moment: int = NEVER) -> tuple[int, int]:
    """Enter in a process of its own that kills itself before its n-th touch of the disk.

    Returns
    -------
    tuple
        How it ended (0 well, 1 with an exception, -9 killed), and how often it had touched the disk.
    """
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        count = [0]
        sys.dont_write_bytecode = True  # by Python, which would be counted
        sys.addaudithook(lambda event, words: _count(event, words, count, moment))
        ended = _entered(enter)
        os.write(writing, str(count[0]).encode())
        os._exit(ended)
    os.close(writing)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with os.fdopen(reading) as stream:
        return ended, int(stream.read() or moment)


def _entered(enter: Callable[[], object]) -> int:
    try:
        enter()
    except BaseException as error:  # told by the exit code: nothing of the forked process may run on
        os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
        return 1
    return 0


def _count(event: str, words: tuple[object, ...], count: list[int], moment: int) -> None:
    if event not in EVENTS or (event == "open" and not _writes(words)):
        return
    count[0] += 1
    if count[0] == moment:
        os.kill(os.getpid(), signal.SIGKILL)


def _writes(words: tuple[object, ...]) -> bool:
    flags = words[2]
    return isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) != READ_ONLY
