import os
import subprocess
from pathlib import Path

import pytest

from vouch.commands.wear import wear

PARAMS = """
pipeline:
  models:
    m:
      dataset: d
models:
  m:
    decide:
      alpha: {alpha}
      walks: {walks}
"""
LOCK = """
stages:
  x:
    outs:
    - path: data/splits/d/val_calib.csv
      hash: md5
      md5: {calib}
      size: 1
    - path: data/splits/d/val_test.csv
      hash: md5
      md5: {test}
      size: 1
    - path: data/predictions/m/candidate/val_test.parquet
      hash: md5
      md5: {candidate}
      size: 1
"""
ME = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


def git(*arguments):
    subprocess.run(["git", *arguments], check=True, capture_output=True, env=os.environ | ME)


def state(*, alpha=0.02, walks=1, calib="c1", test="t1", candidate="p1", commit=True):
    Path("params.yaml").write_text(PARAMS.format(alpha=alpha, walks=walks))
    Path("dvc.lock").write_text(LOCK.format(calib=calib, test=test, candidate=candidate))
    if commit:
        git("add", ".")
        git("commit", "-m", "a state")


def test_rules_and_candidates_of_this_data_are_counted_and_no_others():
    git("init", ".")
    state(alpha=0.5, calib="c0", test="t0", candidate="p0")  # of other photographs
    state()
    state(alpha=0.03)
    state(alpha=0.03, walks=2, candidate="p2")  # a declared walk is no other rule
    state(alpha=0.03, walks=2, candidate="p3", commit=False)
    (said,) = wear("m")
    assert "walked with 2 different rules, this val_test has judged 3 different candidates of m" in said


def test_one_of_each_is_said_as_one():
    git("init", ".")
    state()
    assert "walked with 1 rule, this val_test has judged 1 candidate of m" in wear("m")[0]


def test_a_shallow_clone_says_at_least(tmp_path, monkeypatch):
    git("init", ".")
    state()
    state(alpha=0.03)
    git("clone", "--depth", "1", f"file://{tmp_path}/here", str(tmp_path / "there"))
    monkeypatch.chdir(tmp_path / "there")
    assert "at least 1 rule" in wear("m")[0]
    assert "a shallow clone" in wear("m")[0]


def test_a_repository_in_a_folder_of_another_is_read_from_there(tmp_path, monkeypatch):
    git("init", ".")
    (tmp_path / "here/inner").mkdir()
    monkeypatch.chdir(tmp_path / "here/inner")
    state()
    state(alpha=0.03)
    assert "2 different rules" in wear("m")[0]


def test_outside_a_checkout_and_before_the_first_commit_it_says_so_instead_of_failing():
    state(commit=False)
    assert "not known" in wear("m")[0]
    git("init", ".")
    assert "not known" in wear("m")[0]
