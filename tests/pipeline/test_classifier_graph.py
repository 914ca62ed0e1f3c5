"""A classifier takes the same graph as a detector, from three sources of photographs to the page."""

import json

import pandas as pd
import pytest

from pipeline import workspace
from pipeline.alone import differences
from vouch.tables import ROWS

pytestmark = pytest.mark.slow
BLIND_TO_KIND = {"ingest", "scan", "validate", "split", "gate", "bundle"}  # the detector's line has shown these


def test_every_output_of_every_stage_exists(tiny_classifier):
    stages = workspace.locked(tiny_classifier)
    roads = {"train_classifier", "extract_features", "train_cached", "export", "parity"}
    assert {name.split("@")[0] for name in stages} >= roads | {"quantize", "parity_quantized"}
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


def test_a_variant_in_eight_bits_has_scores_of_its_own_and_is_compared_with_its_source(tiny_classifier):
    sizes = [(tiny_classifier / f"models/{name}/model.onnx").stat().st_size for name in ("roadwork", "roadwork_int8")]
    assert sizes[1] < sizes[0]
    source, variant, compared = (
        pd.read_parquet(tiny_classifier / f"data/predictions/{side}/val_test.parquet")
        for side in ("roadwork/candidate", "roadwork_int8/candidate", "roadwork_int8/baseline")
    )
    pd.testing.assert_frame_equal(source, compared)
    logits = ["logit_no_roadwork", "logit_roadwork"]
    assert not variant[logits].equals(source[logits])
    assert (variant[logits] - source[logits]).abs().to_numpy().max() < 0.5
    refused = workspace.vouch(tiny_classifier, "promote", "roadwork_int8")
    assert refused.returncode == 1
    assert "got models/roadwork/bundle" in refused.stdout
    shown = workspace.vouch(tiny_classifier, "compare", "roadwork_int8").stdout
    assert "roadwork_int8 against models/roadwork/bundle" in shown


def test_the_command_line_says_probabilities_set_decision_and_why(tiny_classifier, tmp_path):
    image = next((tiny_classifier / "data/sources/roadwork/pole/images").iterdir())
    said = workspace.vouch(tiny_classifier, "predict", "roadwork", str(image))
    assert said.returncode == 0, said.stdout
    for word in ("defers to a person", "infeasible", "probabilities: no_roadwork", "set: no_roadwork, roadwork"):
        assert word in said.stdout
    drawn = workspace.vouch(tiny_classifier, "predict", "roadwork", str(image), "-o", str(tmp_path / "x.jpg"))
    assert drawn.returncode == 0, drawn.stdout
    assert (tmp_path / "x.jpg").stat().st_size > 0


def test_a_change_of_the_policy_alone_trains_nothing_again(tiny_classifier, tmp_path):
    mine = workspace.copy(tiny_classifier, tmp_path / "mine")
    workspace.change(mine, {"models.roadwork.decide.delta": 0.1})
    ran = {name.split("@")[0] for name in workspace.repro(mine, "report@roadwork")}
    assert "decide" in ran
    assert not ran & {"train_classifier", "export", "predict_candidate", "calibrate"}


def test_every_stage_that_knows_of_classifiers_reads_what_it_declares(tiny_classifier, tmp_path):
    stages = workspace.locked(tiny_classifier)
    first = {name.split("@")[0]: name for name in reversed(stages)}  # models share the code of a stage
    wanted = [name for verb, name in first.items() if verb not in BLIND_TO_KIND]
    assert {"train_classifier", "train_cached", "quantize", "predict_candidate", "decide"} <= first.keys()
    assert differences(tiny_classifier, {name: stages[name] for name in wanted}, tmp_path) == {}
