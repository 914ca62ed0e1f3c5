"""Only what changed runs again."""

import pytest

from pipeline import workspace

pytestmark = pytest.mark.slow


def comment(path):
    with path.open("a", encoding="utf-8") as stream:
        stream.write("# a comment\n")


def test_a_gate_limit_runs_one_gate_and_its_pages(mine):
    workspace.change(mine, {"models.driver.gate.rules.precision.limit": 0.5})
    assert workspace.repro(mine) == {"gate@driver", "report@driver", "index"}


def test_a_calibration_method_runs_calibrate_and_what_follows_and_never_training(mine):
    workspace.change(mine, {"models.driver.calibrate.methods": ["temperature"]})
    follows = {"calibrate", "decide", "evaluate", "compare", "gate", "bundle", "report", "index"}
    ran = {name.split("@")[0] for name in workspace.repro(mine)}
    assert {"calibrate", "decide", "evaluate", "compare", "bundle"} <= ran <= follows


def test_a_comment_runs_its_stage_and_stops_there(mine):
    comment(mine / "src/vouch/evaluation/comparison.py")
    comment(mine / "src/vouch/stages/split.py")
    assert workspace.repro(mine) == {"compare@driver", "split@driver"}


def test_a_change_of_the_ground_or_of_a_command_runs_nothing(mine):
    for name in ("errors", "io", "documents", "names", "paths", "params", "roads", "tables", "cli", "commands/gate"):
        comment(mine / f"src/vouch/{name}.py")
    assert workspace.repro(mine) == set()
