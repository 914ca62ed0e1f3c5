"""An embedder takes the same graph: crops of shelves to a gallery, an open-set policy, a verdict and a page."""

import json
import sys

import pandas as pd
import pytest

from pipeline import workspace
from pipeline.alone import differences
from vouch.retrieval.gallery_file import from_bytes
from vouch.tables import IDENTIFICATION, ROWS

pytestmark = pytest.mark.slow


# in place of litert-torch: the program that is sent to it, run by torch, and called both precisions
PRETENDED = """
import sys
from pathlib import Path
import numpy as np
import torch
folder = Path(sys.argv[1])
network = torch.export.load(folder / "network.pt2").module()
with torch.no_grad():
    answers = [network(torch.from_numpy(one[None])).numpy() for one in np.load(folder / "compared.npy")]
for name in ("float32", "int8"):
    (folder / f"{name}.tflite").write_bytes(name.encode())
    np.save(folder / f"{name}.npy", np.concatenate(answers))
"""


def table(folder, path):
    return pd.read_parquet(folder / f"data/{path}.parquet")


def test_every_output_of_every_stage_exists(tiny_embedder):
    stages = workspace.locked(tiny_embedder)
    assert {name.split("@")[0] for name in stages} >= {"train_embedder", "export", "parity", "gallery", "decide"}
    missing = [out["path"] for stage in stages.values() for out in stage["outs"]]
    assert [path for path in missing if not (tiny_embedder / path).exists()] == []


def test_a_row_of_the_waist_is_a_crop_with_a_product(tiny_embedder):
    boxes = table(tiny_embedder, "manifests/shelf/boxes")
    for side, split in (("candidate", "val_calib"), ("candidate", "val_test"), ("baseline", "val_test")):
        rows = table(tiny_embedder, f"predictions/sku/{side}/{split}")
        members = pd.read_csv(tiny_embedder / f"data/splits/shelf/{split}.csv")
        held = boxes[boxes["sample_id"].isin(members["sample_id"]) & boxes["product"].notna()]
        assert {*ROWS, *IDENTIFICATION} <= set(rows.columns)
        assert sorted(rows["product"]) == sorted(held["product"])
        assert set(rows["sample_id"].str.rpartition("#")[0]) == set(held["sample_id"])


def test_unknown_products_stand_in_their_own_split_and_in_no_gallery(tiny_embedder):
    samples, boxes = table(tiny_embedder, "manifests/shelf/samples"), table(tiny_embedder, "manifests/shelf/boxes")
    shown = boxes.merge(samples[["sample_id", "split_stated"]], on="sample_id").dropna(subset="product")
    common = set(shown.loc[shown["split_stated"].isna(), "product"])  # stores that state no split have known ones alone
    strange = {word: set(part["product"]) - common for word, part in shown.groupby("split_stated")}
    assert strange["val_calib"]
    assert strange["val_test"]
    assert not strange["val_calib"] & strange["val_test"]
    path = tiny_embedder / "models/sku/gallery.safetensors"
    known = set(from_bytes(path.read_bytes(), "gallery").products)
    assert known <= common
    for split in ("val_select", "val_calib", "val_test"):
        rows = table(tiny_embedder, f"predictions/sku/candidate/{split}")
        assert set(rows["product"]) - common == strange.get(split, set())
        assert rows["class_true"].isna().tolist() == (~rows["product"].isin(known)).tolist()


def test_a_verdict_names_the_gallery_and_the_page_says_what_was_asked(tiny_embedder):
    verdict = json.loads((tiny_embedder / "metrics/sku/gate.json").read_text())
    policy = json.loads((tiny_embedder / "models/sku/policy.json").read_text())
    assert policy["kind"] == "open_set"
    assert "gallery.safetensors" in verdict["judged"]["files"]
    assert verdict["passed"] is False  # after two epochs
    assert {"top1", "unknown_accepts", "export_embeddings"} <= verdict["rules"].keys()
    assert verdict["rules"]["export_embeddings"]["passed"] is True
    page = (tiny_embedder / "reports/sku/index.html").read_text()
    assert "Top-1" in page


def test_a_product_is_added_without_training_and_known_from_then_on(tiny_embedder, tmp_path):
    mine = workspace.copy(tiny_embedder, tmp_path / "mine")
    image = str(next((mine / "data/sources/shelf/render/images").iterdir()))
    added = workspace.vouch(mine, "gallery", "add", "sku", "new_product", image)
    assert added.returncode == 0, added.stdout
    ran = workspace.repro(mine, "bundle@sku")
    assert {name.split("@")[0] for name in ran} == {"gallery", "predict_candidate", "calibrate", "decide", "bundle"}
    said = workspace.vouch(mine, "predict", "sku", image, "-o", str(tmp_path / "answer.jpg"))
    assert said.returncode == 0, said.stdout
    assert "new_product=1.0000" in said.stdout
    status = workspace.done(mine, "git", "status", "--porcelain", "--", "data").split()
    assert "data/gallery/sku/additions.csv" in status
    assert "data/gallery/sku/photographs.dvc" in status
    assert (tmp_path / "answer.jpg").stat().st_size > 0


def test_a_bundle_with_the_gallery_of_another_network_is_refused(tiny_embedder, tmp_path):
    mine = workspace.copy(tiny_embedder, tmp_path / "mine")
    workspace.change(mine, {"models.sku.train_embedder.seed": 2})
    workspace.done(mine, "dvc", "repro", "--single-item", "train_embedder@sku")
    workspace.done(mine, "dvc", "repro", "--single-item", "export@sku")
    refused = workspace.run(mine, "dvc", "repro", "--single-item", "bundle@sku")
    assert refused.returncode != 0
    assert "model_sha256" in refused.stdout


def test_a_variant_in_eight_bits_has_a_gallery_of_its_own_and_is_compared_with_its_source(tiny_embedder):
    sizes = [(tiny_embedder / f"models/{name}/model.onnx").stat().st_size for name in ("sku", "sku_int8")]
    assert sizes[1] < sizes[0]
    galleries = [
        from_bytes((tiny_embedder / f"models/{name}/gallery.safetensors").read_bytes(), name)
        for name in ("sku", "sku_int8")
    ]
    assert galleries[0].products == galleries[1].products
    assert galleries[0].model_sha256 != galleries[1].model_sha256
    source, compared = (
        table(tiny_embedder, f"predictions/{side}/val_test") for side in ("sku/candidate", "sku_int8/baseline")
    )
    pd.testing.assert_frame_equal(source, compared)
    export = json.loads((tiny_embedder / "metrics/sku_int8/export.json").read_text())["metrics"]
    assert export["least_cosine"]["all"]["value"] > 0.9
    assert export["file_bytes"]["all"]["value"] == sizes[1]
    rules = json.loads((tiny_embedder / "metrics/sku_int8/gate.json").read_text())["rules"]
    assert rules["export_products"]["metric"] == "changed_fraction"
    assert {"not_worse", "not_worse_unknown"} <= rules.keys()
    refused = workspace.vouch(tiny_embedder, "gallery", "remove", "sku_int8", "any")
    assert refused.returncode == 1
    assert "expected sku, as which sku_int8 is judged" in refused.stdout


def test_what_makes_and_compares_a_variant_reads_what_it_declares(tiny_embedder, tmp_path):
    stages = workspace.locked(tiny_embedder)
    wanted = ("quantize", "gallery", "parity_quantized", "gate", "bundle")
    assert differences(tiny_embedder, {f"{one}@sku_int8": stages[f"{one}@sku_int8"] for one in wanted}, tmp_path) == {}


def test_what_goes_to_litert_answers_as_the_bundle_does_and_all_that_serves_it_goes_along(tiny_embedder, tmp_path):
    mine = workspace.copy(tiny_embedder, tmp_path / "mine")
    python, script = mine / ".venv-litert/bin/python", mine / "envs/litert/convert.py"
    for path, content in ((python, f'#!/bin/sh\nexec {sys.executable} "$@"\n'), (script, PRETENDED)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    python.chmod(0o755)
    said = workspace.done(mine, "env", "PYTHONPATH=src", "python", "-m", "vouch.commands.litert", "sku")
    assert "float32: changed_fraction 0" in said
    report = json.loads((mine / "exports/litert/sku/report.json").read_text())
    assert report["float32"]["metrics"]["file_bytes"]["all"]["value"] == len("float32")
    assert report["float32"]["metrics"]["least_cosine"]["all"]["value"] > 0.9999
    beside = {"labels.json", "preprocess.json", "calibrator.json", "policy.json", "gallery.safetensors"}
    for precision in ("float32", "int8"):
        files = workspace.contents(mine / f"exports/litert/sku/{precision}")
        assert files.keys() == beside | {"model.tflite"}
        assert all(files[name] == (mine / "models/sku/bundle" / name).read_bytes() for name in beside)
