import json
import os
import subprocess
import sys

import pytest

from vouch.commands import dvc_busy, rebuild
from vouch.errors import WorkspaceError

PLAN = ["render@d", "split@d", "train@m", "gate@m"]
OUTPUT = [
    "Stage 'render@d' didn't change, skipping",
    "Stage 'split@d' is cached - skipping run, checking out outputs",
    "Running stage 'train@m':",
    "> python train",
    "epoch 1",
    "",
    "Running stage 'gate@m':",
    "> python gate",
    "Use `dvc push` to send your updates to remote storage.",
]


def followed(output, before, plan=PLAN):
    ticks = iter([0, 1, 2, 130, 130, 190])
    seconds = {}
    told = list(rebuild.told(output, lambda: plan, before, seconds, clock=lambda: next(ticks)))
    return told, seconds


def test_each_stage_says_which_of_how_many_it_is_and_what_is_left_at_most():
    told, seconds = followed(OUTPUT, {"train@m": 200.0, "gate@m": 6.0})
    assert told == [
        "2 stages as they were",
        "[3 of 4] train@m, at most 3 min left by the last run here",
        "Running stage 'train@m':",
        "> python train",
        "epoch 1",
        "",
        "[4 of 4] gate@m, at most 6 s left by the last run here",
        "Running stage 'gate@m':",
        "> python gate",
        "Use `dvc push` to send your updates to remote storage.",
    ]
    assert seconds == {"train@m": 128, "gate@m": 60}


def test_what_was_never_timed_is_not_guessed_at():
    told, _ = followed(OUTPUT, {"gate@m": 6.0})
    assert "[3 of 4] train@m" in told
    assert "[4 of 4] gate@m, at most 6 s left by the last run here" in told
    told, _ = followed(OUTPUT, {}, plan=[])  # where DVC says itself why there is no plan
    assert "[3] train@m" in told


def test_a_build_without_work_says_so_in_one_line():
    told, seconds = followed([f"Stage '{name}' didn't change, skipping" for name in PLAN], {})
    assert (told, seconds) == (["4 stages as they were"], {})


def test_of_a_line_that_is_written_over_the_last_state_is_shown():
    stream = [b"plain\n", b"\r\x1b[K 1/6: 10%\r\x1b[K 1/6: 100%\r\n", b"\xff\n"]
    assert list(rebuild.lines(stream)) == ["plain", " 1/6: 100%", "\ufffd"]


def test_a_system_is_built_with_the_pages_and_bundles_of_its_models():
    systems = {"s": {"dataset": "d", "detector": "m", "identifier": "sku"}}
    assert rebuild.targets_of("m", systems) == ["report@m", "bundle@m"]
    assert rebuild.targets_of("s", systems) == [
        *("report@m", "bundle@m", "report@sku", "bundle@sku"),
        *("report_system@s", "bundle_system@s"),
    ]


def test_make_asks_dvc_for_a_system(checkout, monkeypatch):
    content = {"pipeline": {"systems": {"s": {"detector": "m", "identifier": "sku"}}}}
    (checkout / "params.yaml").write_text(json.dumps(content))
    monkeypatch.setattr(rebuild, "check_params", lambda _: None)
    asked = []

    def refused(command, **_):
        asked.append(command)
        raise KeyboardInterrupt

    monkeypatch.setattr(rebuild.subprocess, "Popen", refused)
    with pytest.raises(KeyboardInterrupt):
        rebuild.rebuild("s")
    assert asked == [["dvc", "repro", *rebuild.targets_of("s", content["pipeline"]["systems"])]]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path


def git(*arguments):
    own = {f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], check=True, capture_output=True, env=os.environ | own)


def test_git_says_which_kinds_of_files_a_build_changed(checkout):
    assert rebuild.seen_by_git() == []  # no checkout
    git("init", ".")
    (checkout / "dvc.lock").write_text("a")
    (checkout / "params.yaml").write_text("a")
    git("add", ".")
    git("commit", "-m", "a state")
    (checkout / "params.yaml").write_text("a person's own change")
    assert rebuild.seen_by_git() == ["git status: the build gave what is committed, to the byte"]
    (checkout / "dvc.lock").write_text("b")
    (checkout / "metrics/m").mkdir(parents=True)
    (checkout / "metrics/m/test.json").write_text("{}")
    first, lock, metrics, last = rebuild.seen_by_git()
    assert lock.startswith("  dvc.lock: hashes")
    assert metrics.startswith("  metrics/: figures")
    assert (first, "commit" in last) == ("git status: the build changed", True)


def test_imported_photographs_come_back_and_outputs_that_no_cache_has_are_not_asked_for(checkout, monkeypatch):
    (checkout / "data/sources").mkdir(parents=True)
    (checkout / "data/sources/d.dvc").write_text("outs: []\n")
    asked = []

    def run(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, len(asked) - 1, "", "ERROR: no\ncache")

    monkeypatch.setattr(dvc_busy.subprocess, "run", run)
    rebuild._bring_back()
    assert asked == [[sys.executable, "-m", "dvc", "checkout", "data/sources/d.dvc"]]
    with pytest.raises(WorkspaceError, match="got ERROR: no cache; run `dvc pull`"):
        rebuild._bring_back()
