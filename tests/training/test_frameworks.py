"""Both frameworks keep the protocol: same bytes, nothing written elsewhere, weights that export to what was trained."""

import os
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
import torch

from training.pictures import ARCHITECTURES, CLASSES, STARTS, draw, lesson, training
from vouch.errors import BundleError, DataError, ParamsError
from vouch.training import weights
from vouch.training.frameworks import FRAMEWORKS, framework
from vouch.training.onnx_export import export_onnx
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.images.source import files
from vouch.vision.preprocess import Preprocess

DETECTORS = [*FRAMEWORKS["detect"]]
ALONE = """
import sys
from pathlib import Path
from training.pictures import STARTS, lesson, training
from vouch.training import weights
from vouch.training.frameworks import framework
name, photographs, result = sys.argv[1:]
trained = framework("detect", name).train(lesson(Path(photographs)), training(), STARTS[name], Path("scratch/m"))
weights.write(Path(result), trained.tensors, trained.description)
trained.curve.to_csv(Path(result, "curve.csv"), index=False)
"""
WRITTEN = ("weights.safetensors", "weights.json", "curve.csv")
SIZE_PX = 64


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("data") / "photographs")


@pytest.fixture(scope="module", params=DETECTORS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def alone(name, photographs, tmp_path_factory):
    """A folder in which a process of its own trained: home, work and result."""
    folder = tmp_path_factory.mktemp(name)
    for part in ("home", "work", "result"):
        (folder / part).mkdir()
    roots = os.pathsep.join([str(ARCHITECTURES.parents[1] / "src"), str(ARCHITECTURES.parents[1] / "tests")])
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "PYTHONPATH": roots}
    command = [sys.executable, "-c", ALONE, name, str(photographs), str(folder / "result")]
    subprocess.run(command, cwd=folder / "work", env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def trained(name, photographs, tmp_path_factory):
    return framework("detect", name).train(
        lesson(photographs), training(), STARTS[name], tmp_path_factory.mktemp("scratch") / "here"
    )


@pytest.fixture(scope="module")
def network(name, trained):
    return framework("detect", name).network(trained.description, trained.tensors)


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    path.write_bytes(export_onnx(network, size_px=SIZE_PX, metadata={"labels": dict(enumerate(CLASSES))}))
    return path


def test_the_same_lesson_gives_the_same_bytes_in_another_process_and_folder(alone, trained, tmp_path):
    weights.write(tmp_path, trained.tensors, trained.description)
    trained.curve.to_csv(tmp_path / "curve.csv", index=False)
    for file in WRITTEN:
        assert (tmp_path / file).read_bytes() == (alone / "result" / file).read_bytes(), file


def test_nothing_is_written_but_the_result_and_working_files(alone, photographs):
    home = {path.relative_to(alone / "home").parts[:2] for path in (alone / "home").rglob("*") if path.is_file()}
    assert home <= {(".cache", "matplotlib")}  # its list of fonts, which every program with matplotlib makes once
    assert {path.name for path in (alone / "work").iterdir()} <= {".dvc", "scratch"}
    assert {path.name for path in (alone / "result").iterdir()} == set(WRITTEN)
    assert not (alone / "work/scratch/m").exists()
    assert {path.name for path in photographs.parent.rglob("*")} == {
        "photographs",
        *(f"{number:02d}.png" for number in range(12)),
    }


def test_the_description_says_what_is_needed_to_rebuild_the_network_and_no_path(name, trained, tmp_path):
    weights.write(tmp_path, trained.tensors, trained.description)
    tensors, description = weights.read(tmp_path)
    assert description["framework"] == name
    assert (description["classes"], description["size_px"], description["stride_px"]) == (list(CLASSES), SIZE_PX, 32)
    assert "/" not in (tmp_path / "weights.json").read_text()
    rebuilt = framework("detect", name).network(description, tensors)
    canvas = torch.rand(1, 3, SIZE_PX, SIZE_PX, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(
            rebuilt(canvas), framework("detect", name).network(trained.description, trained.tensors)(canvas)
        )


def test_the_curve_has_a_row_an_epoch_and_the_score_on_val_select(trained):
    assert trained.curve["epoch"].tolist() == [1, 2]
    assert trained.curve["val_select_map50"].between(0, 1).all()


def test_the_exported_network_answers_as_the_trained_one(network, exported):
    batch = np.random.default_rng(1).random((3, 3, SIZE_PX, SIZE_PX), np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(batch)).numpy()
    found = onnxruntime.InferenceSession(exported).run(None, {"images": batch})[0]
    assert found.shape[:2] == (3, 4 + len(CLASSES))
    assert ((found[:, 4:] >= 0) & (found[:, 4:] <= 1)).all()
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_an_export_has_the_same_bytes_twice(network, exported):
    again = export_onnx(network, size_px=SIZE_PX, metadata={"labels": dict(enumerate(CLASSES))})
    assert again == exported.read_bytes()


def test_detections_do_not_depend_on_the_batch(exported, photographs):
    loaded = runtime.load(exported, Preprocess(SIZE_PX, 32, task="detect"))
    images = files(sorted(photographs.iterdir()))
    postprocess = Postprocess(floor=0.0, max_iou=0.7, limit=5)
    one, five = (list(runtime.detect(loaded, images, postprocess, batch=batch)) for batch in (1, 5))
    assert len(one) == len(images)
    for (first, first_size), (second, second_size) in zip(one, five, strict=True):
        assert first_size == second_size == (64, 48)
        np.testing.assert_array_equal(first.scores, second.scores)
        np.testing.assert_array_equal(first.boxes_xyxy, second.boxes_xyxy)


def test_training_starts_from_a_folder_of_weights(name, alone, photographs, tmp_path, capsys):
    again = framework("detect", name).train(
        lesson(photographs), training(epochs=1), alone / "result", tmp_path / "scratch"
    )
    loaded, total = capsys.readouterr().out.split("starting weights: ")[1].split(" tensors fit")[0].split(" of ")
    assert loaded == total
    assert again.tensors.keys() == weights.read(alone / "result")[0].keys()


def test_a_start_that_is_none_is_refused(name, photographs, tmp_path):
    for start in (tmp_path / "absent.pt", tmp_path / "absent", ARCHITECTURES):
        with pytest.raises((DataError, BundleError)):
            framework("detect", name).train(lesson(photographs), training(), start, tmp_path / "scratch")


def test_a_start_of_the_other_framework_is_refused(name, photographs, tmp_path):
    other = next(one for one in DETECTORS if one != name)
    weights.write(tmp_path / "start", {}, {"framework": other, "architecture": {}, "classes": []})
    with pytest.raises(DataError, match=f"weights of {name}, got {other}"):
        framework("detect", name).train(lesson(photographs), training(), tmp_path / "start", tmp_path / "scratch")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"optimizer": "MuSGD"}, "optimizer"),
        ({"batch": 1}, "batch"),
        ({"augmentation": training().augmentation.model_copy(update={"mosaic": 0.5})}, "mosaic"),
    ],
)
def test_torchvision_refuses_what_it_does_not_have(changes, word, photographs, tmp_path):
    with pytest.raises(ParamsError, match=word):
        framework("detect", "torchvision").train(
            lesson(photographs), training(**changes), STARTS["torchvision"], tmp_path
        )


@pytest.mark.parametrize(("count", "batch"), [(7, 4), (12, 4), (12, 8), (4, 2)])
def test_torchvision_leaves_no_photograph_alone_in_a_batch(count, batch, photographs, tmp_path):
    one_epoch = training(epochs=1, batch=batch)
    trained = framework("detect", "torchvision").train(
        lesson(photographs, count), one_epoch, STARTS["torchvision"], tmp_path
    )
    assert np.isfinite(trained.curve["train_loss"]).all()
