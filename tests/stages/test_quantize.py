"""The stages quantize and parity_quantized on a data set of a dozen photographs."""

import json
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from vouch import io, paths
from vouch.errors import BundleError, ParamsError
from vouch.retrieval.gallery_file import from_bytes
from vouch.stages import gallery, parity_quantized, quantize
from vouch.tables import BOXES
from vouch.vision.preprocess import Preprocess, to_json
from vouch.vision.quantization import is_quantized

SIZE = 16
SECTION = {
    "kind": "static",
    "photographs": 4,
    "batch": 3,
    "calibration": {"method": "minmax"},
    "per_channel": True,
    "reduce_range": False,
    "exclude": [],
}


def network(turn=1.0):
    """Two classes: how much redder than blue a photograph is, and the reverse; `turn` -1 exchanges them."""
    weights = turn * np.array([[9, 0, -9], [-9, 0, 9]], np.float32)[..., None, None]
    nodes = [
        helper.make_node("Conv", ["images", "weights"], ["a"], name="/Conv"),
        helper.make_node("GlobalAveragePool", ["a"], ["b"], name="/Pool"),
        helper.make_node("Flatten", ["b"], ["output0"], name="/Flatten"),
    ]
    return made(nodes, {"weights": weights}, ["batch", 2])


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A model `m` on twelve photographs, of which those of train alone exist."""
    monkeypatch.chdir(tmp_path)
    names, rng = [f"{index:02}" for index in range(12)], np.random.default_rng(1)
    for index, name in enumerate(names[:8]):
        colour = (150, 0, 60) if index % 2 else (60, 0, 150)
        pixels = np.clip(rng.normal(colour, 20, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    samples = pd.DataFrame({"sample_id": names, "image": [f"{name}.png" for name in names]})
    io.write_table(paths.manifest("d", "samples"), samples)
    io.write_table(paths.manifest("d", "boxes"), pd.DataFrame(columns=list(BOXES)))
    for split, chosen in (("train", names[:8]), ("val_select", names[8:])):
        io.write_table(paths.split("d", split), pd.DataFrame({"sample_id": chosen, "group": chosen}))
    io.write_bytes(paths.model("m", "model.onnx"), network())
    io.write_json(paths.model("m", "preprocess.json"), to_json(Preprocess(SIZE, 1, task="classify")))
    io.write_json(paths.model("m", "labels.json"), {"classes": ["red", "blue"]})
    sections = {"quantize": SECTION, "parity_quantized": {"photographs": 8}}
    write_params(sections)
    return tmp_path


def write_params(sections):
    Path("params.yaml").write_text(json.dumps({"models": {"m": sections, "m_int8": sections}}))  # JSON is YAML


def become(task, content, sections):
    """Let the model `m` be of another task, with one box on every photograph: red things and blue ones."""
    io.write_bytes(paths.model("m", "model.onnx"), content)
    for name in ("m", "m_int8"):
        io.write_json(paths.model(name, "preprocess.json"), to_json(Preprocess(SIZE, 1, task=task)))
    names = [f"{index:02}" for index in range(12)]
    boxes = pd.DataFrame({"sample_id": names, "x1": 0.0, "y1": 0.0, "x2": 0.5, "y2": 1.0})
    boxes["class_name"] = [("red", "blue")[1 - index % 2] for index in range(12)]
    io.write_table(paths.manifest("d", "boxes"), boxes)
    write_params(sections)


def embedder():
    """An embedding is a crop's mean colour, in tenths: of no use is its length."""
    weights = np.eye(3, dtype=np.float32)[..., None, None] / 10
    nodes = [
        helper.make_node("Conv", ["images", "weights"], ["a"], name="/Conv"),
        helper.make_node("GlobalAveragePool", ["a"], ["b"], name="/Pool"),
        helper.make_node("Flatten", ["b"], ["output0"], name="/Flatten"),
    ]
    return made(nodes, {"weights": weights}, ["batch", 3])


def detector(shift_px=0.0):
    """A box of 8 pixels in each quarter of the canvas: its redness scores for one class, its blueness for the other."""
    weights = np.zeros((6, 3, 8, 8), np.float32)
    weights[4, 0], weights[5, 2] = 1 / 64, 1 / 64
    nodes = [
        helper.make_node("Conv", ["images", "weights"], ["a"], name="/Conv", strides=[8, 8]),
        helper.make_node("Reshape", ["a", "shape"], ["b"], name="/Reshape"),
        helper.make_node("Add", ["b", "places"], ["output0"], name="/Add"),
    ]
    places = np.zeros((1, 6, 4), np.float32)
    places[0, :4] = [[4 + shift_px, 12, 4, 12], [4, 4, 12, 12], [8] * 4, [8] * 4]
    constants = {"weights": weights, "shape": np.array([0, 6, 4]), "places": places}
    return made(nodes, constants, ["batch", 6, 4])


def made(nodes, constants, shape):
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, shape)
    values = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "network", [image], [output], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


def exported():
    return {
        name: found["all"]["value"]
        for name, found in io.read_json(paths.metrics("m_int8", "export"))["metrics"].items()
    }


def test_a_variant_is_the_source_in_eight_bits_and_answers_nearly_alike(workspace):
    quantize.run("m_int8", "d", "m")
    assert is_quantized(onnx.load(paths.model("m_int8", "model.onnx")))
    for file in ("preprocess.json", "labels.json"):
        assert paths.model("m_int8", file).read_bytes() == paths.model("m", file).read_bytes()
    parity_quantized.run("m_int8", "d", "m")
    found = exported()
    assert (found["changed_photographs"], found["changed_fraction"]) == (0, 0.0)
    assert 0 < found["logit_difference"] < 0.1  # logits reach 3


def test_photographs_that_change_their_class_are_counted(workspace):
    quantize.run("m_int8", "d", "m")
    io.write_bytes(paths.model("m_int8", "model.onnx"), network(turn=-1.0))
    parity_quantized.run("m_int8", "d", "m")
    found = exported()
    assert (found["changed_photographs"], found["changed_fraction"]) == (8, 1.0)
    assert found["logit_difference"] > 3


def test_a_variant_of_a_variant_is_refused_and_nothing_is_written(workspace):
    quantize.run("m_int8", "d", "m")
    io.write_bytes(paths.model("m", "model.onnx"), paths.model("m_int8", "model.onnx").read_bytes())
    paths.model("m_int8", "model.onnx").unlink()
    with pytest.raises(BundleError, match="a network in single precision"):
        quantize.run("m_int8", "d", "m")
    assert not paths.model("m_int8", "model.onnx").exists()


GALLERY = {"prototypes_per_product": 1, "whiten": None, "seed": 1, "batch": 4}


def test_an_embedder_is_measured_on_crops_and_compared_by_the_nearest_product_of_each_gallery(workspace):
    sections = {"quantize": SECTION, "parity_quantized": {"photographs": 8}, "gallery": GALLERY}
    become("identify", embedder(), sections)
    quantize.run("m_int8", "d", "m")
    for name in ("m", "m_int8"):
        gallery.run(name, "d", name)
    parity_quantized.run("m_int8", "d", "m")
    found = exported()
    assert (found["changed_photographs"], found["changed_fraction"]) == (0, 0.0)
    assert 0.999 < found["least_cosine"] < 1
    assert 0 < found["embedding_difference"] < 0.01  # colours reach .06 here
    assert found["file_bytes"] == paths.model("m_int8", "model.onnx").stat().st_size
    assert found["file_fraction"] == pytest.approx(found["file_bytes"] / len(embedder()), abs=1e-9)


def test_the_ranges_of_an_embedder_are_those_of_its_crops(workspace):
    """A crop is the left half of its photograph: what stands on the right of it is white, and in no range."""
    for path in workspace.glob("*.png"):
        pixels = np.asarray(Image.open(path)).copy()
        pixels[:, SIZE // 2 :] = 255
        Image.fromarray(pixels).save(path)
    become("identify", embedder(), {"quantize": SECTION})
    quantize.run("m_int8", "d", "m")
    graph = onnx.load(paths.model("m_int8", "model.onnx")).graph
    scale = {one.name: numpy_helper.to_array(one) for one in graph.initializer}["images_scale"]
    assert float(scale) < 0.95 / 255  # a white pixel would make it 1 / 255


def test_a_gallery_of_another_network_is_no_evidence(workspace):
    sections = {"quantize": SECTION, "parity_quantized": {"photographs": 8}, "gallery": GALLERY}
    become("identify", embedder(), sections)
    quantize.run("m_int8", "d", "m")
    gallery.run("m", "d", "m")
    path = paths.model("m_int8", "gallery.safetensors")
    path.write_bytes(paths.model("m", "gallery.safetensors").read_bytes())
    with pytest.raises(BundleError, match="model_sha256"):
        parity_quantized.run("m_int8", "d", "m")
    assert not paths.metrics("m_int8", "export").exists()


DETECT = {"photographs": 8, "floor": 0.25, "max_iou": 0.7, "limit": 10, "least_iou": 0.9}


def test_a_detector_is_compared_by_the_boxes_that_are_found_again(workspace):
    section = SECTION | {"exclude": ["Add", "Reshape"]}
    become("detect", detector(), {"quantize": section, "parity_quantized": DETECT})
    quantize.run("m_int8", "d", "m")
    parity_quantized.run("m_int8", "d", "m")
    found = exported()
    assert found["boxes_found_again"] == 1.0
    assert found["box_difference_px"] == 0.0
    assert 0 < found["score_difference"] < 0.02
    io.write_bytes(paths.model("m_int8", "model.onnx"), detector(shift_px=2.0))  # 6 of 10 pixels overlap
    parity_quantized.run("m_int8", "d", "m")
    assert exported()["boxes_found_again"] == 0.75
    assert exported()["box_difference_px"] == 2.0


@pytest.mark.parametrize("key", ["floor", "least_iou"])
def test_a_detector_says_which_boxes_it_compares(workspace, key):
    become("detect", detector(), {"parity_quantized": {name: DETECT[name] for name in DETECT if name != key}})
    with pytest.raises(ParamsError, match=key):
        parity_quantized.run("m_int8", "d", "m")


@pytest.mark.parametrize("overlap", [0.45, 0.92, 1.0])
def test_an_overlap_that_no_threshold_has_is_refused(workspace, overlap):
    become("detect", detector(), {"parity_quantized": DETECT | {"least_iou": overlap}})
    with pytest.raises(ParamsError, match="least_iou"):
        parity_quantized.run("m_int8", "d", "m")


@pytest.mark.parametrize("overlap", [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
def test_every_threshold_of_coco_is_taken(overlap):
    assert parity_quantized.Detect.model_validate(DETECT | {"least_iou": overlap}).least_iou == overlap


def test_the_gallery_of_a_variant_lacks_what_a_person_took_out_of_its_sources(workspace):
    become("identify", embedder(), {"quantize": SECTION, "gallery": GALLERY})
    quantize.run("m_int8", "d", "m")
    io.write_text(paths.additions("m"), "product,photograph,sha256\nred,,\n")
    for name in ("m", "m_int8"):
        gallery.run(name, "d", "m")
        content = paths.model(name, "gallery.safetensors").read_bytes()
        assert from_bytes(content, "gallery").products == ("blue",)
