"""Only what changed runs again."""

import re

import pandas as pd
import pytest
from PIL import Image

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


def test_another_photograph_under_the_name_of_one_of_val_test_is_judged_again_and_trains_nothing(mine):
    params = (mine / "params.yaml").read_text()  # photographs of a person's own, which no stage draws again:
    (mine / "params.yaml").write_text(re.sub(r"  rendered:.*\n(  - .*\n)+", "  rendered: []\n", params))
    chosen = pd.read_csv(mine / "data/splits/driver/val_test.csv")["sample_id"][0]
    samples = pd.read_parquet(mine / "data/manifests/driver/samples.parquet").set_index("sample_id")
    path = mine / samples.loc[chosen, "image"]
    Image.open(path).point(lambda level: min(level + 3, 255)).save(path)
    ran = {name.split("@")[0] for name in workspace.repro(mine)}
    assert {"ingest", "scan", "split", "predict_candidate", "predict_baseline", "evaluate", "report"} <= ran
    assert not ran & {"train_detector", "export", "parity", "calibrate", "decide"}


def test_a_comment_runs_its_stage_and_stops_there(mine):
    comment(mine / "src/vouch/evaluation/comparison/differences.py")
    comment(mine / "src/vouch/stages/split.py")
    assert workspace.repro(mine) == {"compare@driver", "split@driver"}


def test_a_change_of_the_ground_or_of_a_command_runs_nothing(mine):
    for name in ("errors", "io", "documents", "names", "paths", "params", "roads", "tables", "cli", "commands/gate"):
        comment(mine / f"src/vouch/{name}.py")
    assert workspace.repro(mine) == set()


def test_make_repro_ends_with_the_verdicts_the_page_and_what_git_sees(mine):
    workspace.change(mine, {"models.driver.gate.rules.precision.limit": 0.9999})
    finished = workspace.run(mine, "env", "PYTHONPATH=src", "python", "-m", "vouch.commands.rebuild")
    assert finished.returncode == 0, finished.stdout
    assert re.search(
        r"^\d+ stages as they were\n\[\d+ of \d+\] gate@driver\nRunning stage", finished.stdout, re.MULTILINE
    )
    assert re.search(r"^Longest: .*gate@driver \d+ s", finished.stdout, re.MULTILINE)
    assert re.search(r"^ *driver +failed +recall \d", finished.stdout, re.MULTILINE)
    assert "stands against a release: driver: precision" in finished.stdout
    assert "reports/index.html" in finished.stdout
    assert "metrics/: figures and verdicts" in finished.stdout
    again = workspace.run(mine, "env", "PYTHONPATH=src", "python", "-m", "vouch.commands.rebuild", "nobody")
    assert again.returncode == 1
    assert "MODEL_OR_SYSTEM: expected the name of a model or system of params.yaml: driver, got nobody" in again.stdout
    assert "stage" not in again.stdout
