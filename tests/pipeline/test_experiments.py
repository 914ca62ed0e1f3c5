"""DVC's own commands work on the graph: experiments, differences of metrics, plots with confidence bands."""

import pytest

from pipeline import workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def experiment(tiny, tmp_path_factory):
    """A copy in which an experiment changed a calibration, and what it printed."""
    folder = workspace.copy(tiny, tmp_path_factory.mktemp("experiment") / "workspace")
    setting = "presets/detect.yaml:calibrate.methods=[identity]"
    return folder, workspace.done(folder, "dvc", "exp", "run", "--set-param", setting, "--name", "raw")


def test_an_experiment_changes_one_line_and_runs_what_follows(experiment):
    folder, output = experiment
    assert "calibrate@driver" in workspace.executed(output)
    assert "train_detector@driver" not in workspace.executed(output)
    changed = workspace.done(folder, "git", "diff", "--unified=0", "HEAD", "--", "params.yaml", "presets")
    lines = [line for line in changed.splitlines() if line[0] in "+-" and not line.startswith(("+++", "---"))]
    assert lines == [f"-  - {name}" for name in ("temperature", "platt", "beta", "isotonic")]


def test_its_metrics_are_compared(experiment):
    shown = workspace.done(experiment[0], "dvc", "metrics", "diff", "HEAD", "--all", "--md")
    assert "ece" in shown
    assert "metrics/driver/summary.json" in shown


def test_its_plots_are_drawn_with_bands(experiment, tmp_path):
    workspace.done(experiment[0], "dvc", "plots", "diff", "HEAD", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots/index.html").read_text()
    assert "precision over recall on val_test" in page
    assert "errorband" in page or '"area"' in page


def test_another_workspace_runs_it_too(mine):
    output = workspace.done(mine, "dvc", "exp", "run", "--temp", "-S", "+models.driver.gate.rules.precision.limit=0.5")
    assert workspace.executed(output) == {"gate@driver", "report@driver", "index"}
    assert workspace.done(mine, "git", "status", "--porcelain") == ""
