"""A softmax over channels is taken on the last axis, and no answer changes."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from ultralytics.nn.tasks import DetectionModel, yaml_model_load

from vouch.training.frameworks import framework
from vouch.training.onnx_export import export_onnx
from vouch.training.onnx_softmax import channels_last

SIDES, STEPS, CANDIDATES = 4, 16, 21
KERNEL = np.arange(STEPS, dtype=np.float32).reshape(1, STEPS, 1, 1)
SIZE_PX = 64
YOLO = {"yolov8.yaml": 1, "yolo11.yaml": 1, "yolo26.yaml": 0}  # as shipped, and its softmaxes over channels


def head(*, axis=1, kernel=KERNEL, bias=None, read_twice=False, shown=False, **attributes):
    """A detector's head as YOLO exports it: scores (n, sides * steps, candidates) to distances."""
    weights = {"kernel": kernel, "steps": np.array([0, SIDES, STEPS, -1]), "answer": np.array([0, 0, -1])}
    weights |= {} if bias is None else {"bias": bias}
    read = ["c", "kernel"] if bias is None else ["c", "kernel", "bias"]
    nodes = [
        helper.make_node("Reshape", ["scores", "steps"], ["a"], name="/Reshape"),
        helper.make_node("Transpose", ["a"], ["b"], name="/Transpose", perm=[0, 2, 1, 3]),
        helper.make_node("Softmax", ["b"], ["c"], name="/Softmax", axis=axis),
        helper.make_node("Conv", read, ["d"], name="/Conv", **attributes),
        helper.make_node("Reshape", ["d", "answer"], ["distances"], name="/Answer"),
    ]
    if read_twice:
        nodes.append(helper.make_node("Identity", ["c"], ["again"], name="/Again"))
    names = {"distances": 3} | ({"again": 4} if read_twice else {}) | ({"c": 4} if shown else {})
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * axes) for name, axes in names.items()]
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", SIDES * STEPS, CANDIDATES])
    constants = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "head", [scores], outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def changed(model):
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    channels_last(copy)
    onnx.checker.check_model(copy)
    return copy


def answer(model, scores):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["distances"], {"scores": scores})[0]


def scores():
    """Of two photographs: ordinary, all the same, and so far apart that an exponential alone would overflow."""
    drawn = np.random.default_rng(1).normal(0, 4, (2, SIDES * STEPS, CANDIDATES)).astype(np.float32)
    drawn[:, :, 0] = -3
    drawn[0, :, 1] *= 60
    return drawn


def expected(scores, kernel):
    """The mean of each sum's weights under the softmax, in float64; sums lie one after another, as in memory."""
    apart = scores.astype(np.float64).reshape(len(scores), SIDES, STEPS, -1)
    powers = np.exp(apart - apart.max(axis=2, keepdims=True))
    shares = powers / powers.sum(axis=2, keepdims=True)
    return np.stack([np.einsum("nsba,b->nsa", shares, one[:, 0, 0].astype(np.float64)) for one in kernel], axis=1)


@pytest.mark.parametrize("axis", [1, -3])
@pytest.mark.parametrize("sums", [1, 3])
def test_a_mean_under_a_softmax_over_channels_stays_and_no_softmax_is_over_another_axis_than_the_last(axis, sums):
    kernel = np.concatenate([KERNEL, np.random.default_rng(2).normal(size=(2, STEPS, 1, 1)).astype(np.float32)])[:sums]
    before = head(axis=axis, kernel=kernel)
    after = changed(before)
    found = answer(after, scores())
    wanted = expected(scores(), kernel)
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-5)
    np.testing.assert_allclose(found, answer(before, scores()), atol=1e-5)
    assert axes(after) == [-1]
    assert "Conv" not in {node.op_type for node in after.graph.node}
    assert {array.name for array in after.graph.initializer} == {"steps", "answer", "kernel.matrix"}


def test_a_point_mass_is_the_step_it_lies_on_and_a_flat_one_the_middle():
    certain = np.full((1, SIDES * STEPS, CANDIDATES), -100, np.float32)
    for side, step in enumerate((0, 3, 15, 7)):
        certain[:, side * STEPS + step] = 100
    np.testing.assert_array_equal(answer(changed(head()), certain)[0, 0].reshape(SIDES, -1)[:, 0], [0, 3, 15, 7])
    np.testing.assert_allclose(answer(changed(head()), np.zeros_like(certain)), 7.5, atol=1e-6)


OTHERS = {
    "over another axis": {"axis": 2},
    "over the last": {"axis": -1},
    "read twice": {"read_twice": True},
    "an output too": {"shown": True},
    "with a bias": {"bias": np.ones(1, np.float32)},
    "with steps": {"strides": [2, 2]},
    "with a border": {"pads": [0, 1, 0, 1]},
    "in groups": {"kernel": np.ones((2, STEPS // 2, 1, 1), np.float32), "group": 2},
    "of several pixels": {"kernel": np.ones((1, STEPS, 1, 3), np.float32)},
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_mean_under_a_softmax_over_channels_stays_as_it_is(other):
    model = head(**OTHERS[other])
    assert changed(model) == model


def test_weights_that_something_else_reads_stay_for_it():
    model = head()
    model.graph.node.append(helper.make_node("Identity", ["kernel"], ["weights"], name="/Weights"))
    model.graph.output.append(helper.make_tensor_value_info("weights", TensorProto.FLOAT, [1, STEPS, 1, 1]))
    after = changed(model)
    np.testing.assert_allclose(answer(after, scores()), answer(model, scores()), atol=1e-5)
    assert {"kernel", "kernel.matrix"} <= {array.name for array in after.graph.initializer}


def test_what_the_graph_holds_beside_stays_and_shapes_are_no_longer_said_where_they_changed():
    before = onnx.shape_inference.infer_shapes(head())
    before.graph.initializer.append(numpy_helper.from_array(np.ones(3, np.float32), "unread"))
    before.graph.input.append(helper.make_tensor_value_info("kernel", TensorProto.FLOAT, KERNEL.shape))  # old files
    assert {"c", "d"} <= {shape.name for shape in before.graph.value_info}
    after = changed(before)
    assert {"unread", "kernel", "kernel.matrix"} <= {array.name for array in after.graph.initializer}
    assert "d" in {shape.name for shape in after.graph.value_info}
    onnx.shape_inference.infer_shapes(after, strict_mode=True, check_type=True)
    np.testing.assert_allclose(answer(after, scores()), answer(before, scores()), rtol=1e-6)


def test_two_means_may_have_the_same_weights():
    model = head()
    model.graph.node.extend(
        [
            helper.make_node("Softmax", ["b"], ["e"], name="/Softmax_1", axis=1),
            helper.make_node("Conv", ["e", "kernel"], ["second"], name="/Conv_1"),
        ]
    )
    model.graph.output.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, [None] * 4))
    after = changed(model)
    session = onnxruntime.InferenceSession(after.SerializeToString(), providers=["CPUExecutionProvider"])
    first, second = session.run(["distances", "second"], {"scores": scores()})
    wanted = expected(scores(), KERNEL)
    for found in (first, second):
        np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-5)


@pytest.mark.parametrize("shipped", YOLO)
def test_no_yolo_is_exported_with_a_softmax_over_another_axis_than_the_last(shipped):
    architecture = yaml_model_load(shipped) | {"scales": {"n": [0.33, 0.125, 1024]}, "scale": "n"}
    torch.manual_seed(1)
    tensors = DetectionModel(architecture, nc=2, verbose=False).state_dict()
    description = {"architecture": architecture, "classes": ["red", "blue"]}
    network = framework("detect", "ultralytics").network(description, tensors)
    exported = export_onnx(network, size_px=SIZE_PX, metadata={})
    model = onnx.load_model_from_string(exported)
    assert set(axes(model)) <= {-1, 3}
    matrices = [array.name for array in model.graph.initializer if array.name.endswith(".matrix")]
    assert len(matrices) == YOLO[shipped]
    batch = np.random.default_rng(3).random((3, 3, SIZE_PX, SIZE_PX), np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(batch)).numpy()
    found = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"]).run(None, {"images": batch})[0]
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def axes(model):
    """The axis of every softmax of a graph."""
    said = (node.attribute for node in model.graph.node if node.op_type == "Softmax")
    return [next((one.i for one in attributes if one.name == "axis"), -1) for attributes in said]
