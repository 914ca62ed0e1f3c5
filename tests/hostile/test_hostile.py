"""Hostile input on every door, from a fixed seed; `make fuzz MINUTES=60` goes on with others."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hostile import contract
from hostile.contract import Attempt, Refused
from hostile.doors import DOORS
from vouch.errors import DataError, Problem

ROOT = Path(__file__).parents[2]
SEED = 8
COUNTS = re.compile(r"^(\w[\w ]*): (\d+) tried, (\d+) accepted, (\d+) refused$", re.MULTILINE)


@pytest.mark.slow
def test_every_door_answers_rightly_or_refuses_by_name():
    words = [sys.executable, "-m", "hostile.fuzz", "--seed", str(SEED), "--workers", "1"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4000:]
    counts = {
        door: (int(tried), int(accepted), int(refused))
        for door, tried, accepted, refused in COUNTS.findall(done.stdout)
    }
    assert {door: tried for door, (tried, _, _) in counts.items()} == {name: door.cases for name, door in DOORS.items()}
    for door, (tried, accepted, refused) in counts.items():  # what is only ever refused tries nothing beyond the lock
        assert accepted > tried / 50, door
        assert refused > tried / 50, door


def _refused(*problems):
    raise DataError(problems)


def _blocked():
    os.kill(os.getpid(), contract.signal.SIGALRM)
    time.sleep(60)


def _for_memory():
    try:
        raise MemoryError
    except MemoryError as error:
        raise DataError([Problem("a", "b", "c", "d")]) from error


@pytest.mark.parametrize(
    ("enter", "said"),
    [
        (lambda: [][0], "IndexError"),
        (lambda: sys.exit(1), "SystemExit"),
        (lambda: _refused(), "without a problem"),
        (lambda: _refused(Problem("nan", "b", "c", "d")), "does not say where"),
        (lambda: _refused(Problem("a", "b", "c", "")), "what to do"),
        (lambda: _for_memory(), "memory ran out"),
        (lambda: _blocked(), "waits for ever"),
        (lambda: Path("a.txt").write_text("other"), "changed 'a.txt'"),
        (lambda: Path("a.txt").unlink(), "removed 'a.txt'"),
        (lambda: Path("b.txt").touch(), "added 'b.txt'"),
        (lambda: Path("owned/b.txt").touch(), ""),
        (
            lambda: (Path("owned/b.txt").touch(), _refused(Problem("a", "b", "c", "d"))),
            "refused, and added 'owned/b.txt'",
        ),
        (lambda: Path("owned/a.txt").write_text("other"), "changed 'owned/a.txt'"),
        (lambda: _refused(Problem("a", "b", "c", "d")), ""),
        (lambda: (_ for _ in ()).throw(Refused("")), "without a word"),
    ],
)
def test_the_contract_can_be_broken(tmp_path, monkeypatch, enter, said):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("a person's")
    Path("owned").mkdir()
    Path("owned/a.txt").write_text("a person's")
    found = contract.judged(Attempt("", enter, lambda _: "", new=("owned",)), tmp_path).finding
    assert said in found
    assert bool(found) == bool(said)


def test_a_wrong_answer_is_a_finding(tmp_path):
    assert contract.judged(Attempt("", lambda: 1, lambda _: "wrong"), tmp_path) == contract.Verdict(
        "accepted", "wrong", ""
    )
