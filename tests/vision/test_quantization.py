import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from vouch.errors import BundleError, ParamsError
from vouch.vision.images.source import evenly, files
from vouch.vision.preprocess import as_input
from vouch.vision.quantization import Dynamic, Static, is_quantized, quantized

SIZE = 16
WIDTH = 8


def static(**changes):
    settings = {
        "kind": "static",
        "photographs": 6,
        "batch": 4,
        "calibration": {"method": "minmax"},
        "per_channel": True,
        "reduce_range": True,  # on processors without VNNI eight bits of weights saturate, by a tenth of the answer
        "exclude": [],
    }
    return Static.model_validate_json(json.dumps(settings | changes))


def dynamic(**changes):
    settings = {"kind": "dynamic", "per_channel": False, "reduce_range": False, "exclude": []}
    return Dynamic.model_validate_json(json.dumps(settings | changes))


def model(nodes, weights):
    """A network of these nodes from `images` to a class table and an embedding, as an export leaves it."""
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", count])
        for name, count in (("output0", 3), ("embedding", WIDTH))
    ]
    constants = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    made = helper.make_model(
        helper.make_graph(nodes, "network", [image], outputs, constants),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
        producer_name="vouch",
    )
    made.metadata_props.add(key="task", value="classify")
    return made.SerializeToString(deterministic=True)


@pytest.fixture(scope="module")
def convolutional():
    rng = np.random.default_rng(1)
    weights = {
        "stem": rng.normal(0, 0.3, (WIDTH, 3, 3, 3)).astype(np.float32),
        "body": rng.normal(0, 0.2, (WIDTH, WIDTH, 3, 3)).astype(np.float32),
        "head": rng.normal(0, 0.5, (WIDTH, 3)).astype(np.float32),
        "bias": np.array([0.5, 0, -0.5], np.float32),
    }
    same = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["images", "stem"], ["a"], name="/stem/Conv", strides=[2, 2], **same),
        helper.make_node("Relu", ["a"], ["b"], name="/stem/Relu"),
        helper.make_node("Conv", ["b", "body"], ["c"], name="/body/Conv", **same),
        helper.make_node("GlobalAveragePool", ["c"], ["d"], name="/pool"),
        helper.make_node("Flatten", ["d"], ["embedding"], name="/flat"),
        helper.make_node("Gemm", ["embedding", "head", "bias"], ["output0"], name="/head/Gemm"),
    ]
    return model(nodes, weights)


@pytest.fixture(scope="module")
def products():
    """Matrix products over patches, as a transformer has them."""
    rng = np.random.default_rng(2)
    weights = {
        "shape": np.array([0, 12, 64]),
        "inner": rng.normal(0, 0.2, (64, WIDTH)).astype(np.float32),
        "head": rng.normal(0, 0.5, (WIDTH, 3)).astype(np.float32),
        "bias": np.zeros(3, np.float32),
        "axis": np.array([1]),
    }
    nodes = [
        helper.make_node("Reshape", ["images", "shape"], ["tokens"], name="/tokens"),
        helper.make_node("MatMul", ["tokens", "inner"], ["a"], name="/inner/MatMul"),
        helper.make_node("ReduceMean", ["a", "axis"], ["embedding"], name="/mean", keepdims=0),
        helper.make_node("Gemm", ["embedding", "head", "bias"], ["output0"], name="/head/Gemm"),
    ]
    return model(nodes, weights)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Photographs of noise, each around a brightness of its own; the last two are dark."""
    folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(3)
    paths = [folder / f"{index}.png" for index in range(8)]
    for index, path in enumerate(paths):
        middle = 20 if index > 5 else 60 + 25 * index
        pixels = np.clip(rng.normal(middle, 30 if index < 6 else 3, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path)
    return files(paths)


def answers(content, images):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    batch = np.concatenate([as_input(image, SIZE) for image in images])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"images": batch}), strict=True))


METHODS = [{"method": "minmax"}, {"method": "entropy"}, {"method": "percentile", "percentile": 99.9}]


@pytest.mark.parametrize("calibration", METHODS, ids=lambda one: one["method"])
def test_a_convolutional_network_answers_nearly_as_before_with_every_output(convolutional, images, calibration):
    made = quantized(convolutional, static(calibration=calibration), images[:6], SIZE)
    before, after = answers(convolutional, images), answers(made, images)
    assert list(after) == list(before) == ["output0", "embedding"]
    for name, expected in before.items():
        np.testing.assert_allclose(after[name], expected, atol=0.05 * np.ptp(expected))
        assert (after[name] != expected).any()
    loaded = onnx.load_model_from_string(made)
    weights = {array.name: array for array in loaded.graph.initializer}
    assert weights["body_quantized"].data_type == TensorProto.INT8
    assert "body" not in weights


def test_matrix_products_measure_their_ranges_themselves_and_need_no_photograph(products, images):
    made = quantized(products, dynamic(), [], SIZE)
    before, after = answers(products, images), answers(made, images)
    for name, expected in before.items():
        np.testing.assert_allclose(after[name], expected, atol=0.05 * np.ptp(expected))
    types = [node.op_type for node in onnx.load_model_from_string(made).graph.node]
    assert types.count("MatMulInteger") == 2
    kept = quantized(products, dynamic(exclude=["Gemm"]), [], SIZE)
    assert [node.op_type for node in onnx.load_model_from_string(kept).graph.node].count("MatMulInteger") == 1


def test_ranges_are_those_of_the_given_photographs_and_of_no_other(convolutional, images):
    dark = quantized(convolutional, static(), images[6:], SIZE)
    bright, others = answers(convolutional, images[:6]), answers(dark, images[:6])
    spread = np.ptp(bright["embedding"])
    assert np.abs(others["embedding"] - bright["embedding"]).max() > 0.2 * spread  # brighter than anything it saw
    scale = {array.name: numpy_helper.to_array(array) for array in onnx.load_model_from_string(dark).graph.initializer}
    brightest = max(float(as_input(image, SIZE).max()) for image in images[6:])
    np.testing.assert_allclose(scale["images_scale"], brightest / 255, rtol=1e-6)


def test_the_same_photographs_give_the_same_bytes_in_parts_of_any_size(convolutional, images):
    first, again, other = (quantized(convolutional, static(batch=batch), images[:6], SIZE) for batch in (4, 4, 6))
    strip = {onnx.load_model_from_string(made).graph.SerializeToString(deterministic=True) for made in (first, other)}
    assert first == again
    assert len(strip) == 1


def test_the_file_says_what_its_source_said_and_how_it_was_made_and_no_more(convolutional, images):
    made = onnx.load_model_from_string(quantized(convolutional, static(exclude=["/stem/*"]), images[:6], SIZE))
    said = {item.key: item.value for item in made.metadata_props}
    assert set(said) == {"task", "quantization"}
    assert '"exclude": ["/stem/*"]' in said["quantization"]
    assert [opset.domain for opset in made.opset_import] == [""]
    assert made.producer_name == "vouch"
    stem = next(node for node in made.graph.node if node.name == "/stem/Conv")
    assert stem.input[1] == "stem"  # in single precision


def test_what_excludes_nothing_or_everything_is_refused(convolutional, images):
    with pytest.raises(ParamsError, match=r"(?s)got /stam/\*.*got Softmax"):
        quantized(convolutional, static(exclude=["/stam/*", "Conv", "Softmax"]), images[:1], SIZE)
    with pytest.raises(ParamsError, match="something left for eight bits"):
        quantized(convolutional, static(exclude=["*"]), images[:1], SIZE)


def test_what_is_no_network_or_already_in_eight_bits_is_refused(convolutional, products, images):
    with pytest.raises(BundleError, match=r"model\.onnx: expected an ONNX model"):
        quantized(b"junk", static(), images, SIZE)
    for made in (quantized(convolutional, static(), images[:1], SIZE), quantized(products, dynamic(), [], SIZE)):
        assert is_quantized(onnx.load_model_from_string(made))
        with pytest.raises(BundleError, match="a network in single precision, got one in eight bits"):
            quantized(made, static(), images, SIZE)


def test_photographs_are_evenly_spaced_and_never_twice():
    names = [str(index) for index in range(10)]
    assert [path.name for path in evenly(files(names), 4)] == ["0", "3", "6", "9"]
    assert [path.name for path in evenly(files(names), 99)] == names
