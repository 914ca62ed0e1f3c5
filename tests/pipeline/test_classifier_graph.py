"""A classifier takes the same graph as a detector, from three sources of photographs to the page."""

import json

import pandas as pd
import pytest

from pipeline import workspace
from vouch.tables import ROWS

pytestmark = pytest.mark.slow


def test_every_output_of_every_stage_exists(tiny_classifier):
    stages = workspace.locked(tiny_classifier)
    roads = {"train_classifier", "extract_features", "train_cached", "export_classifier", "parity_classifier"}
    assert {name.split("@")[0] for name in stages} >= roads
    missing = [out["path"] for stage in stages.values() for out in stage["outs"]]
    assert [path for path in missing if not (tiny_classifier / path).exists()] == []


def test_words_of_three_sources_become_the_classes_of_one_data_set(tiny_classifier):
    samples = pd.read_parquet(tiny_classifier / "data/manifests/roadwork/samples.parquet")
    assert set(samples["label"]) == {"no_roadwork", "roadwork"}
    assert set(samples["source"]) == {"dashcam", "pole", "phone"}


def test_a_row_of_the_waist_is_a_photograph(tiny_classifier):
    for side, split in (("candidate", "val_calib"), ("candidate", "val_test"), ("baseline", "val_test")):
        rows = pd.read_parquet(tiny_classifier / f"data/predictions/roadwork/{side}/{split}.parquet")
        members = pd.read_csv(tiny_classifier / f"data/splits/roadwork/{split}.csv")
        assert {*ROWS, "logit_no_roadwork", "logit_roadwork"} <= set(rows.columns)
        assert ("gate_logit" in rows) == (side == "candidate")
        assert rows["sample_id"].tolist() == members["sample_id"].tolist()


def test_a_model_of_one_epoch_abstains_and_fails_its_gate_by_name(tiny_classifier):
    policy = json.loads((tiny_classifier / "models/roadwork/policy.json").read_text())
    verdict = json.loads((tiny_classifier / "metrics/roadwork/gate.json").read_text())
    assert policy["feasible"] is False
    assert verdict["passed"] is False
    assert verdict["rules"]["coverage"]["passed"] is False
    assert verdict["rules"]["misses_among_answers"]["passed"] is False  # nothing was answered: no evidence
    assert verdict["rules"]["export_answers"]["passed"] is True
    assert "infeasible" in (tiny_classifier / "reports/roadwork/index.html").read_text()


def test_the_command_line_says_probabilities_set_decision_and_why(tiny_classifier):
    image = next((tiny_classifier / "data/sources/roadwork/pole/images").iterdir())
    said = workspace.vouch(tiny_classifier, "predict", "roadwork", str(image))
    assert said.returncode == 0, said.stdout
    for word in ("defers to a person", "infeasible", "probabilities: no_roadwork", "set: no_roadwork, roadwork"):
        assert word in said.stdout
    drawn = workspace.vouch(tiny_classifier, "predict", "roadwork", str(image), "-o", "x.jpg")
    assert drawn.returncode == 1
    assert "expected a detector" in drawn.stdout


def test_a_change_of_the_policy_alone_trains_nothing_again(tiny_classifier, tmp_path):
    mine = workspace.copy(tiny_classifier, tmp_path / "mine")
    workspace.change(mine, {"models.roadwork.decide.delta": 0.1})
    ran = {name.split("@")[0] for name in workspace.repro(mine, "report@roadwork")}
    assert "decide" in ran
    assert not ran & {"train_classifier", "export_classifier", "predict_candidate", "calibrate"}
