"""The stages quantize and parity_quantized on a data set of a dozen photographs."""

import json

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from vouch import io, paths
from vouch.errors import BundleError
from vouch.stages import parity_quantized, quantize
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
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 2])
    graph = helper.make_graph(nodes, "network", [image], [output], [numpy_helper.from_array(weights, "weights")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


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
    for split, chosen in (("train", names[:8]), ("val_select", names[8:])):
        io.write_table(paths.split("d", split), pd.DataFrame({"sample_id": chosen, "group": chosen}))
    io.write_bytes(paths.model("m", "model.onnx"), network())
    io.write_json(paths.model("m", "preprocess.json"), to_json(Preprocess(SIZE, 1, task="classify")))
    io.write_json(paths.model("m", "labels.json"), {"classes": ["red", "blue"]})
    sections = {"quantize": SECTION, "parity_quantized": {"photographs": 8}}
    (tmp_path / "params.yaml").write_text(json.dumps({"models": {"m_int8": sections}}))  # JSON is YAML
    return tmp_path


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
