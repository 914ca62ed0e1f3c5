"""A system takes the graph: two bundles to counts, a verdict and one bundle that answers in one call."""

import json

import pandas as pd
import pytest

from pipeline import workspace
from pipeline.alone import differences
from vouch.tables import COUNTS

pytestmark = pytest.mark.slow
STAGES = (
    *("compose", "compose_baseline", "evaluate_counts", "compare_counts"),
    *("gate_system", "bundle_system", "report_system"),
)


def test_every_photograph_of_val_test_is_counted_and_judged(tiny_system):
    counts = pd.read_parquet(tiny_system / "data/predictions/shelf_count/val_test.parquet")
    members = pd.read_csv(tiny_system / "data/splits/shelf/val_test.csv")
    assert set(COUNTS) <= set(counts.columns)
    assert set(counts["sample_id"]) == set(members["sample_id"])
    boxes = pd.read_parquet(tiny_system / "data/manifests/shelf/boxes.parquet")
    held = boxes[boxes["sample_id"].isin(members["sample_id"]) & boxes["product"].notna()]
    assert counts["n_true"].sum() == len(held)  # unknown products among them
    assert counts.loc[counts["class"] == "unknown", "n_true"].sum() > 0
    verdict = json.loads((tiny_system / "metrics/shelf_count/gate.json").read_text())
    assert verdict["passed"] is False  # after an epoch
    assert "count_mae" in verdict["rules"]


def test_its_stages_read_what_they_declare_and_give_the_same_bytes(tiny_system, tmp_path):
    stages = workspace.locked(tiny_system)
    own = {name: stages[name] for name in (f"{stage}@shelf_count" for stage in STAGES)}
    assert differences(tiny_system, own, tmp_path) == {}


def test_one_call_counts_a_photograph(tiny_system, tmp_path):
    image = str(next((tiny_system / "data/sources/shelf/render/images").iterdir()))
    outputs = ("-o", str(tmp_path / "drawn.jpg"), "--json", str(tmp_path / "said.json"))
    said = workspace.vouch(tiny_system, "predict", "shelf_count", image, *outputs)
    assert said.returncode == 0, said.stdout
    (one,) = json.loads((tmp_path / "said.json").read_text())["photographs"]
    assert sum(one["counts"].values()) == len(one["objects"])
    assert (tmp_path / "drawn.jpg").stat().st_size > 0


def test_another_limit_judges_again_and_runs_nothing_else(tiny_system, tmp_path):
    mine = workspace.copy(tiny_system, tmp_path / "mine")
    workspace.change(mine, {"systems.shelf_count.gate_system.rules.count_mae.limit": 0.2})
    ran = workspace.repro(mine, "report_system@shelf_count", "bundle_system@shelf_count")
    assert ran == {"gate_system@shelf_count", "report_system@shelf_count"}


def test_a_detector_in_eight_bits_is_a_smaller_file_whose_boxes_are_compared(tiny_system, tmp_path):
    sizes = [(tiny_system / f"models/{name}/model.onnx").stat().st_size for name in ("shelf", "shelf_int8")]
    export = json.loads((tiny_system / "metrics/shelf_int8/export.json").read_text())["metrics"]
    assert export["file_bytes"]["all"]["value"] == sizes[1] < sizes[0]
    assert {"boxes_found_again", "box_difference_px", "score_difference"} <= export.keys()
    stages = workspace.locked(tiny_system)
    own = {name: stages[name] for name in ("quantize@shelf_int8", "parity_quantized@shelf_int8")}
    assert differences(tiny_system, own, tmp_path) == {}
