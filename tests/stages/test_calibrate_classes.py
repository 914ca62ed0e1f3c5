from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.calibrating import check_that_two_runs_write_the_same, outputs, write
from vouch import io, paths
from vouch.calibration.apply.calibrator import calibrated
from vouch.calibration.apply.validity import validate_calibrator
from vouch.errors import DataError, ParamsError
from vouch.stages.calibrate import run

LINEAR = ["identity", "temperature", "vector", "matrix", "dirichlet", "ensemble_temperature"]
METHODS = [*LINEAR, "platt", "isotonic", "beta", "histogram", "bbq", "spline"]
PARAMS = f"""
pipeline: {{models: {{toy: {{task: classify}}}}}}
models:
  toy:
    calibrate:
      methods: [{", ".join(METHODS)}]
      rows_per_parameter: 0
      events_per_parameter: 0
      intraclass_floor: 0.05
      folds: 3
      bins: 15
"""
CLASSES = ["work", "clear"]


def waist(n: int, seed: int = 0, groups: int = 12) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    logits = np.round(generator.normal(0, 4, (n, 2)), 6)
    truth = (logits / 3 + [0.5, 0.0] + generator.gumbel(size=logits.shape)).argmax(axis=1)
    said = logits.argmax(axis=1)
    names = np.array(CLASSES, dtype=object)
    return pd.DataFrame(
        {
            "sample_id": [f"s{index}" for index in range(n)],
            "group": [f"g{index % groups}" for index in range(n)],
            "stratum_weather": np.where(np.arange(n) % 12 < 6, "rain", "sun"),
            "class_true": pd.array(np.where(np.arange(n) % 50 == 49, None, names[truth]), dtype="str"),
            "class_pred": pd.array(names[said], dtype="str"),
            "score": 1 / (1 + np.exp(-np.abs(logits[:, 0] - logits[:, 1]))),
            "correct": (said == truth) & (np.arange(n) % 50 != 49),
            "logit_work": logits[:, 0],
            "logit_clear": logits[:, 1],
            "gate_logit": generator.normal(0, 1, n) + (said == truth),
        }
    )


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS, encoding="utf-8")
    return tmp_path


def test_the_same_rows_give_the_same_bytes_and_what_a_detector_gets_too(workspace: Path) -> None:
    check_that_two_runs_write_the_same(waist(400))


def test_the_stored_calibrator_is_one_that_fresh_rows_gain_from(workspace: Path) -> None:
    write(waist(1200))
    run("toy")
    calibrator = io.read_json(paths.model("toy", "calibrator.json"))
    validate_calibrator(calibrator)
    assert set(calibrator["cross_validation"]) == set(METHODS)
    assert calibrator["population"]["n_rows"] == 1176  # without the fiftieth of rows that nobody labelled
    fresh = calibrated(calibrator, waist(3000, seed=1).dropna(subset="class_true"))
    gap = abs(fresh["confidence"].mean() - fresh["correct"].mean())
    assert gap < 0.03 < abs(fresh["score"].mean() - fresh["correct_before"].mean())
    assert abs(fresh["gate"].mean() - fresh["correct"].mean()) < 0.03
    metrics = io.read_json(paths.metrics("toy", "calibration"))
    for metric in ("ece", "nll", "ece_classwise", "gate_ece"):
        assert metrics[metric]["all"]["value"] < metrics[f"{metric}_before"]["all"]["value"]
    assert sorted(metrics["one_vs_rest_ece"]) == ["class=clear", "class=work"]


@pytest.mark.parametrize("method", METHODS)
def test_each_method_alone_can_be_stored_and_read_with_what_it_said(workspace: Path, method: str) -> None:
    Path("params.yaml").write_text(PARAMS.replace(", ".join(METHODS), method), encoding="utf-8")
    rows = waist(300)
    write(rows)
    run("toy")
    calibrator = io.read_json(paths.model("toy", "calibrator.json"))
    assert calibrator["map"]["method"] == method
    found = calibrated(calibrator, rows)
    assert (found["probability_work"] + found["probability_clear"]).to_numpy() == pytest.approx(1)


def test_the_lookup_table_has_both_classes_and_the_gate(workspace: Path) -> None:
    write(waist(300))
    run("toy")
    table = pd.read_csv(paths.model("toy", "calibrator.csv"))
    assert table.groupby("class").size().to_dict() == {"*gate": 101, "clear": 101, "work": 101}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"logit_work": np.nan}, "row 0: logit_work"),
        ({"class_true": "clear"}, "clear alone"),
        ({"class_true": "dragon"}, "row 0: class_true"),
        ({"group": None}, "row 0: group"),
    ],
)
def test_bad_rows_are_refused_and_nothing_is_written(workspace: Path, change: dict, word: str) -> None:
    write(waist(50).assign(**change))
    with pytest.raises(DataError, match=word):
        run("toy")
    assert outputs() == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("folds: 3", "folds: 1"),
        ("bins: 15", "bins: 0"),
        ("bins: 15", "bins: 15\n      floor: 0.1"),
        ("vector", "magic"),
        ("task: classify", "task: detect"),
        ("task: classify", "task: identify"),
        ("task: classify", "task: 3"),
        ("{task: classify}", "{}"),
        (PARAMS[PARAMS.index("methods") :], "\n"),
    ],
)
def test_impossible_parameters_are_refused(workspace: Path, old: str, new: str) -> None:
    assert old in PARAMS
    Path("params.yaml").write_text(PARAMS.replace(old, new), encoding="utf-8")
    write(waist(50))
    with pytest.raises(ParamsError):
        run("toy")


def test_a_long_calibration_says_every_ten_seconds_where_it_is(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(waist(120))
    run("toy")
    assert capsys.readouterr().err == ""
    seconds = iter(range(0, 100_000, 3))
    monkeypatch.setattr("vouch.stages.calibrate.time.monotonic", lambda: float(next(seconds)))
    run("toy")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("calibrate: 15 s so far, now ")  # each look at the clock is 3 s later
    assert "without fold" in lines[0]
