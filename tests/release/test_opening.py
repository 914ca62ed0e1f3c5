import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from policies.made import accepting, unchanged
from vouch import io
from vouch.errors import BundleError
from vouch.release import opening
from vouch.release.bundle import MANIFEST, write_bundle
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.preprocess import Preprocess, to_json

SIZE = 32
PREPROCESS = Preprocess(SIZE, SIZE, task="detect")
POLICY = accepting({"red": 0.5})
CALIBRATOR = unchanged()


def network(side_px=8.0):
    """A network whose every box has one side, as surely as the pixels are red."""
    weights = np.zeros((5, 3, 1, 1), np.float32)
    weights[4, 0] = 1
    constants = {
        "weights": weights,
        "bias": np.array([16, 16, side_px, side_px, 0], np.float32),
        "shape": np.array([0, 5, 64]),
    }
    nodes = [
        helper.make_node("AveragePool", ["images"], ["mean"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["mean", "weights", "bias"], ["rows"]),
        helper.make_node("Reshape", ["rows", "shape"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "reds",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 5, 64])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


@pytest.fixture
def sample(tmp_path):
    (tmp_path / "model.onnx").write_bytes(network())
    return {"output": opening.sample_output(runtime.load(tmp_path / "model.onnx", PREPROCESS))}


def build(folder, sample, model=None, **changes):
    """Build a bundle; its manifest always agrees with its files."""
    contents = {
        "preprocess.json": to_json(PREPROCESS),
        "postprocess.json": {"floor": 0.01, "max_iou": 0.7, "limit": 10},
        "sample.json": sample,
        "labels.json": {"classes": ["red"]},
        "calibrator.json": CALIBRATOR,
        "policy.json": POLICY,
    } | changes
    files = {name: io.dumps(content).encode() for name, content in contents.items()}
    write_bundle(folder, "m", "0.1.0", "detect", "trained", files | {"model.onnx": model or network()})
    return folder


def test_a_checked_bundle_is_ready_to_predict(tmp_path, sample):
    found = opening.open_bundle(build(tmp_path / "bundle", sample))
    assert found.classes == ("red",)
    assert found.postprocess == Postprocess(0.01, 0.7, 10)
    assert found.manifest["version"] == "0.1.0"
    red = np.zeros((1, 3, SIZE, SIZE), np.float32)
    red[:, 0] = 0.25
    assert found.runtime.run(red)[0, :, 0].tolist() == [16, 16, 8, 8, 0.25]


def test_a_trivial_bundle_has_no_network(tmp_path):
    contents = {"labels.json": {"classes": ["red"]}, "calibrator.json": CALIBRATOR, "policy.json": POLICY}
    files = {name: io.dumps(content).encode() for name, content in contents.items()}
    write_bundle(tmp_path / "bundle", "m", "0.0.0", "detect", "trivial", files)
    assert opening.open_bundle(tmp_path / "bundle").runtime is None


def test_a_sample_that_the_network_does_not_reproduce_is_refused(tmp_path, sample):
    sample["output"][100] += 0.5
    with pytest.raises(BundleError, match=r"sample\.json: .*a difference of 0\.5"):
        opening.open_bundle(build(tmp_path / "bundle", sample))


def test_eight_bits_may_round_otherwise_on_another_processor_but_no_more(tmp_path, sample):
    quantised = onnx.load_model_from_string(network())
    quantised.metadata_props.add(key="quantization", value="{}")
    sample["output"][-1] += 0.04
    with pytest.raises(BundleError, match=r"sample\.json"):
        opening.open_bundle(build(tmp_path / "float", sample))
    assert opening.open_bundle(build(tmp_path / "eight", sample, quantised.SerializeToString())).runtime.eight_bits
    sample["output"][-1] += 0.5
    with pytest.raises(BundleError, match=r"within 0\.25, got a difference of 0\.54"):
        opening.open_bundle(build(tmp_path / "other", sample, quantised.SerializeToString()))


def test_a_sample_of_another_length_is_refused(tmp_path, sample):
    sample["output"].pop()
    with pytest.raises(BundleError, match="expected 256 finite numbers, got 255 values"):
        opening.open_bundle(build(tmp_path / "bundle", sample))


def test_another_network_under_an_honest_manifest_is_refused(tmp_path, sample):
    with pytest.raises(BundleError, match=r"sample\.json"):
        opening.open_bundle(build(tmp_path / "bundle", sample, model=network(side_px=9.0)))


def test_a_network_changed_after_the_manifest_is_refused_before_it_is_loaded(tmp_path, sample):
    folder = build(tmp_path / "bundle", sample)
    (folder / "model.onnx").write_bytes(network(side_px=9.0))
    with pytest.raises(BundleError, match=r"model\.onnx"):
        opening.open_bundle(folder)


def test_what_is_no_network_is_refused(tmp_path, sample):
    with pytest.raises(BundleError, match="an ONNX model"):
        opening.open_bundle(build(tmp_path / "bundle", sample, model=b"junk"))


def test_another_form_of_preprocessing_is_refused(tmp_path, sample):
    other = to_json(PREPROCESS) | {"colour": "BGR"}
    with pytest.raises(BundleError, match=r"preprocess\.json"):
        opening.open_bundle(build(tmp_path / "bundle", sample, **{"preprocess.json": other}))


def test_a_policy_that_is_not_exactly_one_is_refused(tmp_path, sample):
    with pytest.raises(BundleError, match="policy"):
        build(tmp_path / "bundle", sample, **{"policy.json": POLICY | {"kind": "two"}})
    assert not (tmp_path / "bundle" / MANIFEST).exists()
