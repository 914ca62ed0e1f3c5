"""Every way in ends a full disk, a missing permission and a refusal alike: one message, exit 1, no traceback."""

import errno
import os
import sys
from pathlib import Path

import pytest

from vouch import cli, stages
from vouch.errors import DataError, Problem

ENTRIES = {
    "vouch": lambda work, patch: (patch.setattr(cli, "app", work), cli.main()),
    "stage": lambda work, patch: (patch.setattr(sys, "argv", ["s.py"]), stages.main(work)),
}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("entry", ENTRIES)
def test_what_the_machine_refuses_is_named(tmp_path, monkeypatch, entry, number):
    def work():
        raise OSError(number, os.strerror(number), "out/x.csv")

    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("{}")  # of a stage that runs alone
    with pytest.raises(SystemExit, match=r"vouch: cannot run here: 1 problem\n  out/x\.csv: expected"):
        ENTRIES[entry](work, monkeypatch)


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_refusal_is_printed(tmp_path, monkeypatch, entry):
    def work():
        raise DataError([Problem("a", "1", "2", "fix it")])

    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("{}")  # of a stage that runs alone
    with pytest.raises(SystemExit, match="vouch: data refused: 1 problem\n  a: expected 1, got 2; fix it"):
        ENTRIES[entry](work, monkeypatch)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["predict", "driver", ""], "the word behind driver"),
        (["drift", "roadwork", "photographs", "--json="], "--json"),
        (["curate", "resolve", "rows.csv", "--photographs", ""], "the word behind --photographs"),
    ],
)
def test_an_empty_word_is_no_folder(tmp_path, monkeypatch, words, where):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["vouch", *words])
    with pytest.raises(SystemExit, match=f"{where}: expected a word, got an empty one"):
        cli.main()


def test_a_word_that_ends_in_an_equals_sign_is_not_empty():
    assert [*cli.empty(["import", "d", "--label-map", "can=", "--label-map=can=", "-o", "="])] == []
