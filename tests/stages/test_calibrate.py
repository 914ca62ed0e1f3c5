from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.calibrating import check_that_two_runs_write_the_same, outputs, write
from vouch import io, paths
from vouch.calibration.apply.calibrator import confidence
from vouch.calibration.apply.validity import validate_calibrator
from vouch.errors import DataError, ParamsError
from vouch.stages.calibrate import run

PARAMS = """
pipeline: {models: {toy: {task: detect}}}
models:
  toy:
    calibrate:
      methods:
      - identity
      - temperature
      - platt
      - beta
      - isotonic
      rows_per_parameter: 0
      events_per_parameter: 0
      intraclass_floor: 0.05
      folds: 4
      floor: 0.05
      min_rows: 100
      min_groups: 4
      bins: 15
"""


def waist(n: int, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    score = np.round(generator.uniform(0.01, 0.99, n), 3)
    correct = generator.random(n) < score**3
    name = np.array(["phone", "cone"], dtype=object)[(generator.random(n) < 0.1).astype(int)]
    table = pd.DataFrame(
        {
            "sample_id": [f"s{index // 3}" for index in range(n)],
            "group": [f"g{index % 12}" for index in range(n)],
            "stratum_stream": np.where(np.arange(n) % 12 < 6, "cabin", "rear"),
            "class_true": np.where(correct, name, None),
            "class_pred": name,
            "score": score,
            "correct": correct,
            "x1": 0.0,
            "y1": 0.0,
            "x2": generator.uniform(5, 50, n),
            "y2": generator.uniform(5, 50, n),
            "iou": np.where(correct, 0.8, 0.1),
            "hits": np.zeros(n, dtype=np.uint16),
        }
    )
    missed = table[:20].assign(class_true="phone", class_pred=None, score=0.0, correct=False, iou=0.0)
    return pd.concat([table, missed], ignore_index=True)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS, encoding="utf-8")
    return tmp_path


def test_calibrate_writes_what_it_says_and_the_same_bytes_again(workspace: Path) -> None:
    check_that_two_runs_write_the_same(waist(900))


def test_the_stored_calibrator_lowers_the_error_of_rows_it_has_not_seen(workspace: Path) -> None:
    write(waist(1500))
    run("toy")
    calibrator = io.read_json(paths.model("toy", "calibrator.json"))
    validate_calibrator(calibrator)
    fresh = waist(3000, seed=1).query("class_pred == 'phone' and score >= 0.05")
    said = confidence(calibrator, fresh["score"].to_numpy(), fresh["class_pred"])
    assert abs(said.mean() - fresh["correct"].mean()) < 0.04 < abs(fresh["score"].mean() - fresh["correct"].mean())
    metrics = io.read_json(paths.metrics("toy", "calibration"))
    assert metrics["ece"]["all"]["value"] < metrics["ece_before"]["all"]["value"] / 2
    assert metrics["nll_confidence"]["all"]["value"] < metrics["nll_confidence_before"]["all"]["value"]


def test_metrics_have_the_form_that_others_read(workspace: Path) -> None:
    rows = waist(600)
    write(rows)
    run("toy")
    metrics = io.read_json(paths.metrics("toy", "calibration"))
    errors = {"ece", "ece_adaptive", "ece_debiased", "ece_class_mean", "mce", "d_ece", "laece0", "laace0"}
    wanted = errors | {"nll_confidence", "brier_confidence"}
    assert set(metrics) == wanted | {f"{metric}_before" for metric in wanted}
    population = rows[rows["class_pred"].notna() & (rows["score"] >= 0.05)]
    for strata in metrics.values():
        assert sorted(strata) == ["all", "class=cone", "class=phone"]
        assert {key: strata["all"][key] for key in ("low", "high", "n_rows", "n_groups")} == {
            "low": None,
            "high": None,
            "n_rows": len(population),
            "n_groups": 12,
        }


def test_the_plot_table_shows_both_sides_with_every_row_counted(workspace: Path) -> None:
    rows = waist(600)
    write(rows)
    run("toy")
    table = pd.read_csv(paths.plots("toy", "calibration.csv"))
    assert list(table.columns) == ["side", "bin_low", "bin_high", "n", "confidence", "accuracy", "low", "high"]
    population = rows[rows["class_pred"].notna() & (rows["score"] >= 0.05)]
    assert table.groupby("side")["n"].sum().to_dict() == {"after": len(population), "before": len(population)}
    gap = ((table["accuracy"] - table["confidence"]).abs() * table["n"]).groupby(table["side"]).sum() / len(population)
    assert gap["after"] < gap["before"] / 2
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()


def test_no_detection_at_all_gives_the_identity_with_a_reason(workspace: Path) -> None:
    write(waist(50)[50:])
    run("toy")
    calibrator = io.read_json(paths.model("toy", "calibrator.json"))
    assert calibrator["global"]["method"] == "identity"
    assert "0 predictions" in calibrator["global"]["reason"]
    assert io.read_json(paths.metrics("toy", "calibration")) == {}
    lookup = pd.read_csv(paths.model("toy", "calibrator.csv"))
    assert sorted(lookup["class"].unique()) == ["*", "phone"]


def test_rows_of_a_detector_without_boxes_are_refused_by_metric_and_nothing_is_written(workspace: Path) -> None:
    write(waist(600).drop(columns=["x1", "y1", "x2", "y2", "iou", "hits"]))
    with pytest.raises(DataError, match="metric d_ece"):
        run("toy")
    assert outputs() == {}


def test_bad_scores_are_refused_and_nothing_is_written(workspace: Path) -> None:
    write(waist(50).assign(score=2.0))
    with pytest.raises(DataError, match="row 0: score"):
        run("toy")
    assert outputs() == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("folds: 4", "folds: 1"),
        ("floor: 0.05", "floor: 1.0"),
        ("- beta", "- magic"),
        ("bins: 15", "bins: 0"),
        ("bins: 15", "bins: 15\n      extra: 1"),
        ("min_rows: 100", "min_rows: 100.5"),
    ],
)
def test_impossible_parameters_are_refused(workspace: Path, old: str, new: str) -> None:
    Path("params.yaml").write_text(PARAMS.replace(old, new), encoding="utf-8")
    write(waist(50))
    with pytest.raises(ParamsError):
        run("toy")
