"""Processes that survive many cases: each is limited in memory, and replaced when a case kills or blocks it."""

import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from hostile import contract, ground
from hostile.doors import DOORS

SPAWN = multiprocessing.get_context("spawn")
FORK = multiprocessing.get_context("fork")  # a fresh interpreter takes two seconds to import what the doors need
ADDRESSES_MB = 4000  # above what a process starts with: an absurd allocation fails instead of taking the machine down
LOOK_S = 0.5
WAITED = 30  # looks: 15 s without a tick of the processor


@dataclass(frozen=True)
class Case:
    """Seed, door and number: all that it takes to draw a case again."""

    seed: int
    door: str
    number: int

    @property
    def kind(self) -> str:
        """The kinds of a door take turns."""
        kinds = tuple(DOORS[self.door].kinds)
        return kinds[self.number % len(kinds)]

    def __str__(self) -> str:
        return f"{self.seed}:{self.door}:{self.number}"


@dataclass(frozen=True)
class Result:
    """How one case ended."""

    case: Case
    outcome: str  # accepted, refused, or killed
    told: str
    finding: str
    said: str  # the refusal
    seconds: float
    peak_mb: float


def build(folder: Path) -> None:
    """Build the ground in a fresh process.

    Not in this one: the networks' threads must not be there when others are forked. And not in a fork of this one,
    which may have run other tests: a lock that a thread of theirs holds would stay shut in a fork for ever.
    """
    process = SPAWN.Process(target=_build, args=(folder,))
    process.start()
    process.join()
    assert process.exitcode == 0, "the ground could not be built"


def _build(folder: Path) -> None:
    ground.build(folder)


def tried(case: Case, folder: Path, *, keep: bool) -> Result:
    """Draw a case, let it through its door, and remove its folder."""
    place = folder / f"case-{os.getpid()}"
    place.mkdir()
    os.chdir(place)
    rng = np.random.default_rng([case.seed, zlib.crc32(case.door.encode()), case.number])
    try:
        try:
            attempt = DOORS[case.door].kinds[case.kind](rng, place)
        except Exception:  # a fault of the generator, or of a command that it prepares the case with
            return Result(case, "not drawn", "", f"not drawn:\n{contract.last_frames()}", "", 0.0, 0.0)
        _reset_peak()
        before, start = _memory_mb("VmRSS"), time.monotonic()
        verdict = contract.judged(attempt, place)
        peak, seconds = _memory_mb("VmHWM") - before, time.monotonic() - start
    finally:
        os.chdir(folder)
        if not keep:
            contract.remove(place)
    finding = verdict.finding
    if not finding and peak > contract.PEAK_MB:
        finding = f"took {peak:.0f} MB of memory"
    return Result(case, verdict.outcome, attempt.told, finding, verdict.said, seconds, peak)


def _reset_peak() -> None:
    with contextlib.suppress(OSError):  # where the kernel keeps it, a peak is one of the process so far
        Path("/proc/self/clear_refs").write_text("5")


def _memory_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


@dataclass
class Worker:
    """A process, the pipe to it, its case, and for how many looks in a row it has waited without computing."""

    process: Any
    pipe: Connection
    core: int
    case: Case | None = None
    ticks: int = -1
    idle: int = 0


def results(cases: Iterable[Case], folder: Path, *, workers: int, keep: bool = False) -> Iterator[Result]:
    """Try every case in one of `workers` processes, and yield how each ended."""
    queue = iter(cases)
    ground.parameters(), ground.gate_words("driver")  # parsed once, before the processes are forked
    cores = sorted(os.sched_getaffinity(0))
    running = [_started(folder, cores[index % len(cores)], keep) for index in range(workers)]
    try:
        running = [worker for worker in running if _hand_out(queue, worker)]
        while running:
            ready = wait([worker.pipe for worker in running], timeout=LOOK_S)
            for worker in list(running):
                if worker.pipe not in ready and not _is_stuck(worker):
                    continue
                result = _received(worker)
                if result is None:
                    running.remove(worker)
                    result = _killed(worker, folder)
                    running.append(worker := _started(folder, worker.core, keep))
                yield result
                if not _hand_out(queue, worker):
                    running.remove(worker)
    finally:
        for worker in running:
            _end(worker)


def _started(folder: Path, core: int, keep: bool) -> Worker:
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_work, args=(theirs, folder, core, keep), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours, core)


def _hand_out(queue: Iterator[Case], worker: Worker) -> bool:
    worker.case, worker.ticks, worker.idle = next(queue, None), -1, 0
    if worker.case is None:
        _end(worker)
        return False
    worker.pipe.send(worker.case)
    return True


def _received(worker: Worker) -> Result | None:
    try:
        return worker.pipe.recv() if worker.pipe.poll() else None
    except EOFError:
        return None


def _is_stuck(worker: Worker) -> bool:
    """Look whether a process only waits: it is told after WAITED looks, and given up after twice as many."""
    state, ticks = _state(worker.process.pid)
    worker.idle = worker.idle + 1 if state in "SDZ" and ticks == worker.ticks else 0
    worker.ticks = ticks
    if worker.idle == WAITED:
        os.kill(worker.process.pid, signal.SIGALRM)
    return worker.idle >= 2 * WAITED or not worker.process.is_alive()


def _state(pid: int) -> tuple[str, int]:
    """Return R where a thread or child of a process can run, else its state; and the ticks that they have computed."""
    found = [_stat(f"/proc/{pid}")]
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        found.append((_stat(str(thread))[0], 0))  # its ticks are the process's
        with contextlib.suppress(OSError):
            found += [_stat(f"/proc/{child}") for child in (thread / "children").read_text().split()]
    runs = any(state == "R" for state, _ in found)
    return "R" if runs else found[0][0], sum(ticks for _, ticks in found)


def _stat(place: str) -> tuple[str, int]:
    try:
        words = Path(f"{place}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "Z", 0
    return words[0], sum(int(word) for word in words[11:15])


def _end(worker: Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.pipe.close()


def _killed(worker: Worker, folder: Path) -> Result:
    _end(worker)
    shutil.rmtree(folder / f"case-{worker.process.pid}", ignore_errors=True)
    assert worker.case is not None
    finding = (
        f"its process had to be killed, or died (exit code {worker.process.exitcode}): a crash, or it waits for ever"
    )
    return Result(worker.case, "killed", "", finding, "", 0.0, 0.0)


def _work(pipe: Connection, folder: Path, core: int, keep: bool) -> None:
    """Try cases until the other side is gone; a killed one cannot say so: each process holds every end of the pipes."""
    parent = os.getppid()
    os.sched_setaffinity(0, {core})  # the stages take as many processes as they see cores
    os.environ |= {"HOME": str(folder), "MPLCONFIGDIR": str(folder)}
    ground.without_dvc(folder)
    most = int((_memory_mb("VmSize") + ADDRESSES_MB) * (1 << 20))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    sys.stdin.close()
    with contextlib.suppress(EOFError):
        while os.getppid() == parent:
            if pipe.poll(LOOK_S):
                pipe.send(tried(pipe.recv(), folder, keep=keep))
