import json

import pytest
import typer
from typer.testing import CliRunner

from vouch import paths
from vouch.commands.compare import compare
from vouch.errors import WorkspaceError

APP = typer.Typer()
APP.command()(compare)
NOTHING = ("baseline", "delta", "low", "high", "standard_error", "p_holm", "least_p_holm")
ENTRY = {"candidate": 0.9} | dict.fromkeys(NOTHING)
WHOLE = {"map50": {"all": ENTRY | {"verdict": "unknown"}}, "overall": {"all": {"verdict": "unknown"}}}


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "params.yaml").write_text("pipeline: {models: {m: {baseline: registry/m/bundle}}}")
    found = tmp_path / paths.metrics("m", "comparison")
    found.parent.mkdir(parents=True)
    found.write_text(json.dumps(WHOLE))
    return found


def test_a_comparison_is_shown_with_none_where_nothing_was_measured(path):
    shown = CliRunner().invoke(APP, ["m"])
    assert shown.exit_code == 0, shown.exception
    assert {"map50", "0.900", "none", "unknown", "overall"} <= set(shown.output.split())


def test_a_p_that_cannot_be_lower_is_marked_and_few_groups_are_named(path):
    numbers = {"baseline": 0.8, "delta": 0.1, "low": 0.02, "high": 0.2, "standard_error": 0.04, "least_p_holm": 0.0625}
    rows = {
        "all": ENTRY | numbers | {"p_holm": 0.0625, "verdict": "few_groups"},
        "rear": ENTRY | numbers | {"p_holm": 0.25, "verdict": "few_groups"},
    }
    path.write_text(json.dumps(WHOLE | {"recall": rows}))
    output = CliRunner().invoke(APP, ["m"]).output
    first, second = (line for line in output.splitlines() if "too few groups" in line)
    assert ("0.062" in first, "0.250" in second) == (True, True)
    assert output.count("(least)") == 1
    assert "(least)" in output.splitlines()[output.splitlines().index(first) + 1]
    shown = " ".join(output.split())
    assert "corrected over the 2 differences" in shown


def test_a_calibration_error_is_shown_with_what_chance_alone_gives(path):
    both = {"baseline": 0.04, "candidate_by_chance": 0.0166, "baseline_by_chance": None, "verdict": "unknown"}
    path.write_text(json.dumps(WHOLE | {"ece": {"all": ENTRY | both}}))
    shown = CliRunner().invoke(APP, ["m"]).output
    assert "chance 0.017" in shown
    assert shown.count("chance") == 2  # in the cell, and in the sentence that explains it


def test_a_comparison_by_stratum_fits_a_terminal_of_80_columns(path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    numbers = {"baseline": 0.8, "delta": 0.1, "low": 0.02, "high": 0.2, "p_holm": 0.004, "least_p_holm": 0.004}
    row = ENTRY | numbers | {"candidate_by_chance": 0.01, "baseline_by_chance": 0.01, "verdict": "not_worse"}
    path.write_text(json.dumps(WHOLE | {"precision": {"stream=cabin": row}}))
    shown = CliRunner().invoke(APP, ["m"]).output
    assert "…" not in shown
    assert {"precision", "stream=cabin", "candidate", "not_worse", "(least)", "[+0.020,", "+0.200]"} <= {*shown.split()}


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"map50": 3}',
        b'{"map50": {"all": []}}',
        b'{"map50": {"all": {"verdict": "unknown"}}}',
        b'{"overall": {"all": {"verdict": "perfect"}}}',
        b'{"overall": {}, "overall": {}}',
        json.dumps(WHOLE).replace("0.9", "NaN").encode(),
        json.dumps(WHOLE).replace("0.9", '"[/red]"').encode(),
    ],
)
def test_no_comparison_and_a_malformed_one_are_refused_by_name(path, content):
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    refused = CliRunner().invoke(APP, ["m"]).exception
    assert isinstance(refused, WorkspaceError)
    assert "metrics/m/comparison.json" in str(refused)
    assert "run `dvc repro compare@m`" in str(refused)
