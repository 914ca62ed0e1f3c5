"""What ONNX Runtime never sees: files with loops, other files, code of others, or shapes without bounds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from vouch.errors import BundleError
from vouch.vision import runtime
from vouch.vision.onnx_limits import checked_network
from vouch.vision.onnx_shapes import _result, inferred_shapes
from vouch.vision.preprocess import Preprocess

SIZE = 32
FLOAT = TensorProto.FLOAT
IMAGES = helper.make_tensor_value_info("images", FLOAT, ["batch", 3, SIZE, SIZE])
OUTPUT = helper.make_tensor_value_info("output0", FLOAT, ["batch", 3])
MEAN = [
    helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
    helper.make_node("Flatten", ["mean"], ["row"]),
]
ANSWER = helper.make_node("Identity", ["row"], ["output0"])


def model(nodes, constants=(), inputs=(IMAGES,), outputs=(OUTPUT,), domains=()):
    graph = helper.make_graph(
        [*MEAN, *nodes],
        "network",
        list(inputs),
        list(outputs),
        [numpy_helper.from_array(array, name) for name, array in dict(constants).items()],
    )
    opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def added(*nodes, **constants):
    """A network whose answer adds the scalar `huge` that these nodes make."""
    return model([*nodes, helper.make_node("Add", ["row", "huge"], ["output0"])], constants)


def shaped(*lengths):
    return np.array(lengths, np.int64)


def reduced(name):
    return helper.make_node("ReduceMax", [name], ["huge"], keepdims=0)


def loop():
    """A network that passes its row on for ever."""
    true = numpy_helper.from_array(np.array(True), "on")
    body = helper.make_graph(
        [helper.make_node("Identity", ["on_in"], ["on_out"]), helper.make_node("Identity", ["x_in"], ["x_out"])],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, []),
            helper.make_tensor_value_info("on_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_in", FLOAT, ["batch", 3]),
        ],
        [
            helper.make_tensor_value_info("on_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_out", FLOAT, ["batch", 3]),
        ],
    )
    made = model([helper.make_node("Loop", ["", "on", "row"], ["output0"], body=body)])
    made.graph.initializer.append(true)
    return made


def elsewhere():
    made = model([helper.make_node("Add", ["row", "w"], ["output0"])], {"w": np.zeros(3, np.float32)})
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return made


def claiming():
    made = model([helper.make_node("Add", ["row", "w"], ["output0"])], {"w": np.zeros(3, np.float32)})
    made.graph.initializer[0].dims[:] = [2**20, 2**20]
    return made


def of_no_type():
    made = model([helper.make_node("Add", ["row", "w"], ["output0"])], {"w": np.zeros(3, np.float32)})
    made.graph.initializer[0].data_type = 124
    return made


def with_function():
    made = model([helper.make_node("Twice", ["row"], ["output0"], domain="own")], domains=["own"])
    double = helper.make_node("Add", ["x", "x"], ["y"])
    made.functions.append(helper.make_function("own", "Twice", ["x"], ["y"], [double], [helper.make_opsetid("", 18)]))
    return made


def chain(count):
    """Each slice begins where arithmetic on the shape of the last one says."""
    nodes = [helper.make_node("Identity", ["row"], ["x0"])]
    for step in range(count):
        nodes += [
            helper.make_node("Shape", [f"x{step}"], [f"shape{step}"]),
            helper.make_node("Gather", [f"shape{step}", "one"], [f"width{step}"]),
            helper.make_node("Div", [f"width{step}", "one"], [f"end{step}"]),
            helper.make_node("Slice", [f"x{step}", "zero", f"end{step}", "one"], [f"x{step + 1}"]),
        ]
    constants = {"zero": shaped(0), "one": shaped(1)}
    return model([*nodes, helper.make_node("Identity", [f"x{count}"], ["output0"])], constants)


TEXT = helper.make_tensor_value_info("images", TensorProto.STRING, ["batch", 3, SIZE, SIZE])
OTHER = helper.make_tensor_value_info("other", FLOAT, ["batch"])
FIXED = helper.make_tensor_value_info("images", FLOAT, [1, 3, SIZE, SIZE])
HALF = helper.make_tensor_value_info("images", TensorProto.FLOAT16, ["batch", 3, SIZE, SIZE])
WHOLE = helper.make_tensor_value_info("output0", TensorProto.INT64, ["batch", 3])
REFUSED = {
    "no inputs": (lambda: model([ANSWER], inputs=[]), "one input, got 0"),
    "two inputs": (lambda: model([ANSWER], inputs=[IMAGES, OTHER]), "one input, got 2"),
    "text": (lambda: model([ANSWER], inputs=[TEXT]), "got images STRING"),
    "a fixed batch": (lambda: model([ANSWER], inputs=[FIXED]), r"got images FLOAT \(1, 3, 32, 32\)"),
    "half precision": (lambda: model([ANSWER], inputs=[HALF]), "got images FLOAT16"),
    "whole numbers": (
        lambda: model([helper.make_node("Cast", ["row"], ["output0"], to=TensorProto.INT64)], outputs=[WHOLE]),
        "got output0 INT64",
    ),
    "no outputs": (lambda: model([ANSWER], outputs=[]), "one output, and perhaps an embedding, got 0"),
    "an input for an answer": (lambda: model([ANSWER], outputs=[IMAGES]), "that an operator makes"),
    "huge constant": (
        lambda: added(helper.make_node("ConstantOfShape", ["s"], ["big"]), reduced("big"), s=shaped(2**40)),
        "values in memory",
    ),
    "huge constant, step by step": (
        lambda: added(
            helper.make_node("Mul", ["s", "s"], ["ss"]),
            helper.make_node("ConstantOfShape", ["ss"], ["big"]),
            reduced("big"),
            s=shaped(2**20),
        ),
        "values in memory",
    ),
    "huge expansion": (
        lambda: added(
            helper.make_node("Expand", ["v", "s"], ["big"]), reduced("big"), v=np.ones(1, "f"), s=shaped(2**40)
        ),
        "values in memory",
    ),
    "huge tiling": (
        lambda: added(helper.make_node("Tile", ["row", "s"], ["big"]), reduced("big"), s=shaped(1, 2**40)),
        "values in memory",
    ),
    "huge picture": (
        lambda: added(
            helper.make_node("Resize", ["images", "", "s"], ["big"]), reduced("big"), s=np.array([1, 1, 1e5, 1e5], "f")
        ),
        "values in memory",
    ),
    "huge product": (
        lambda: added(
            helper.make_node("Reshape", ["images", "s"], ["tall"]),
            helper.make_node("Transpose", ["tall"], ["wide"], perm=[1, 0]),
            helper.make_node("Mul", ["tall", "wide"], ["big"]),
            reduced("big"),
            s=shaped(-1, 1),
        ),
        "values in memory",
    ),
    "a shape that pixels decide": (
        lambda: added(
            helper.make_node("NonZero", ["images"], ["found"]),
            helper.make_node("Cast", ["found"], ["f"], to=1),
            reduced("f"),
        ),
        "one that depends on more than the canvas",
    ),
    "a shape that pixels count": (
        lambda: added(
            helper.make_node("ReduceMax", ["images"], ["most"], keepdims=0),
            helper.make_node("Cast", ["most"], ["whole"], to=TensorProto.INT64),
            helper.make_node("Unsqueeze", ["whole", "zero"], ["s"]),
            helper.make_node("ConstantOfShape", ["s"], ["big"]),
            reduced("big"),
            zero=shaped(0),
        ),
        "one that depends on more than the canvas",
    ),
    "more slices on slices than any network has": (lambda: chain(40), "one that depends on more than the canvas"),
    "a loop": (loop, "no operator with a graph of its own"),
    "another file": (elsewhere, "weights inside, got w in another file"),
    "a tensor that claims more than it holds": (claiming, "tensors that hold what they claim"),
    "a tensor of no type": (of_no_type, "tensors of numbers, got w of type 124"),
    "a function": (with_function, "no functions"),
    "an operator of others": (
        lambda: model([helper.make_node("Own", ["row"], ["output0"], domain="evil")], domains=["evil"]),
        r"operators of ONNX alone, got evil\.Own",
    ),
    "an operator that is none": (lambda: model([helper.make_node("Zebra", ["row"], ["output0"])]), "a valid graph"),
    "operators in a circle": (
        lambda: model(
            [helper.make_node("Add", ["row", "b"], ["a"]), helper.make_node("Add", ["a", "a"], ["b"]), ANSWER]
        ),
        "a valid graph",
    ),
    "shapes that do not fit": (
        lambda: model([helper.make_node("MatMul", ["row", "w"], ["output0"])], {"w": np.ones((4, 3), np.float32)}),
        "a valid graph",
    ),
    "strides of nothing": (
        lambda: added(
            helper.make_node("AveragePool", ["images"], ["big"], kernel_shape=[2, 2], strides=[0, 0]), reduced("big")
        ),
        "a valid graph",
    ),
    "another answer every time": (
        lambda: added(helper.make_node("RandomUniform", [], ["huge"], shape=[1])),
        "the same answer every time, got RandomUniform",
    ),
}


@pytest.mark.parametrize(("made", "said"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_may_do_more_than_answer_is_refused_by_name(made, said):
    with pytest.raises(BundleError, match=said):
        checked_network(made().SerializeToString(), SIZE, "model.onnx")


def test_names_that_are_no_text_are_refused():
    made = model([ANSWER], outputs=[OTHER])
    made.metadata_props.add(key="labels", value="xyz")
    content = made.SerializeToString()
    for old, new in ((b"batch", b"bat\xffh"), (b"xyz", b"x\xffz")):
        with pytest.raises(BundleError):
            checked_network(content.replace(old, new), SIZE, "model.onnx")
    fine = model([ANSWER])
    fine.metadata_props.add(key="labels", value="xyz")
    with pytest.raises(BundleError, match="metadata in UTF-8"):
        checked_network(fine.SerializeToString().replace(b"xyz", b"x\xffz"), SIZE, "model.onnx")


@pytest.mark.parametrize("content", [b"", b"\0", b"junk", model([ANSWER]).SerializeToString()[:-9]])
def test_bytes_that_are_no_model_are_refused(content):
    with pytest.raises(BundleError):
        checked_network(content, SIZE, "model.onnx")


def test_a_file_says_what_it_takes_and_gives():
    made = model([ANSWER])
    made.metadata_props.add(key="labels", value="{}")
    found = checked_network(made.SerializeToString(), SIZE, "model.onnx")
    assert (found.input, found.outputs, found.metadata) == ("images", {"output0": (3,)}, {"labels": "{}"})


def test_shapes_that_follow_from_arithmetic_on_shapes_are_known():
    """A slice of the second half of the channels, as YOLO's blocks take it: ONNX alone does not know its shape."""
    nodes = [
        helper.make_node("Shape", ["images"], ["lengths"]),
        helper.make_node("Gather", ["lengths", "one"], ["channels"]),
        helper.make_node("Add", ["channels", "one"], ["more"]),
        helper.make_node("Div", ["more", "two"], ["half"]),
        helper.make_node("Slice", ["images", "half", "channels", "one"], ["second"]),
        ANSWER,
    ]
    made = model(nodes, {"one": shaped(1), "two": shaped(2)})
    assert inferred_shapes(made)["second"] == (1, 1, SIZE, SIZE)
    plain = onnx.shape_inference.infer_shapes(made, data_prop=True)
    claimed = next(value for value in plain.graph.value_info if value.name == "second")
    assert not claimed.type.tensor_type.shape.dim[1].HasField("dim_value")


@pytest.mark.parametrize(
    ("operator", "inputs", "attributes", "expected"),
    [  # by hand; lengths are (1, 3, 32, 32), numbers (7, 2, 5)
        ("Shape", ["images"], {"start": 1, "end": 3}, [3, 32]),
        ("Add", ["numbers", "two"], {}, [9, 4, 7]),
        ("Sub", ["numbers", "two"], {}, [5, 0, 3]),
        ("Mul", ["numbers", "two"], {}, [14, 4, 10]),
        ("Div", ["numbers", "two"], {}, [3, 1, 2]),
        ("Div", ["below", "two"], {}, [-3]),  # towards zero
        ("Mod", ["numbers", "two"], {}, [1, 0, 1]),
        ("Neg", ["two"], {}, [-2]),
        ("Equal", ["numbers", "two"], {}, [False, True, False]),
        ("Where", ["chosen", "numbers", "two"], {}, [7, 2, 5]),
        ("Concat", ["two", "numbers"], {"axis": 0}, [2, 7, 2, 5]),
        ("Gather", ["numbers", "two"], {}, [5]),
        ("Slice", ["numbers", "zero", "two"], {}, [7, 2]),
        ("Slice", ["numbers", "last", "first", "zero", "last"], {}, [5, 2, 7]),  # backwards
        ("Unsqueeze", ["numbers", "zero"], {}, [[7, 2, 5]]),
        ("Clip", ["numbers", "three", "six"], {}, [6, 3, 5]),
        ("Min", ["numbers", "three"], {}, [3, 2, 3]),
        ("Max", ["numbers", "three"], {}, [7, 3, 5]),
        ("Reshape", ["numbers", "tall"], {}, [[7], [2], [5]]),
        ("Transpose", ["rows"], {"perm": [1, 0]}, [[1, 3], [2, 4]]),
        ("Squeeze", ["rows_of_one"], {}, [7, 2]),
        ("Expand", ["two", "three_long"], {}, [2, 2, 2]),
        ("ConstantOfShape", ["two_long"], {}, [0.0, 0.0]),
        ("Range", ["none", "three", "one"], {}, [0, 1, 2]),
        ("Cast", ["numbers"], {"to": FLOAT}, [7.0, 2.0, 5.0]),
        ("ReduceProd", ["numbers"], {"keepdims": 0}, 70),
    ],
)
def test_arithmetic_on_lengths_is_onnx_runtimes(operator, inputs, attributes, expected):
    constants = {
        **{"numbers": shaped(7, 2, 5), "two": shaped(2), "zero": shaped(0), "last": shaped(-1), "below": shaped(-7)},
        **{"first": shaped(-(2**63)), "tall": shaped(3, 1), "rows": np.array([[1, 2], [3, 4]])},
        **{"rows_of_one": np.array([[7, 2]]), "three_long": shaped(3), "two_long": shaped(2)},
        **{"none": np.array(0), "one": np.array(1), "three": np.array(3), "six": np.array(6)},
        **{"chosen": np.array([True, False, True])},
    }
    node = helper.make_node(operator, inputs, ["found"], **attributes)
    values = {name: constants[name] for name in inputs if name in constants}
    worked = _result(node, values, {"images": (1, 3, SIZE, SIZE)})
    np.testing.assert_array_equal(worked, expected)
    kind = helper.np_dtype_to_tensor_dtype(np.asarray(worked).dtype)
    given = helper.make_tensor_value_info("found", kind, None)
    made = model([node, ANSWER], constants, outputs=[OUTPUT, given])
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    [run] = session.run(["found"], {"images": np.zeros((1, 3, SIZE, SIZE), np.float32)})
    assert run.dtype == worked.dtype
    np.testing.assert_array_equal(run, expected)


def test_a_network_that_ignores_the_batch_is_refused_when_it_answers():
    made = model([helper.make_node("ReduceMean", ["row", "zero"], ["output0"])], {"zero": shaped(0)})
    loaded = runtime.load_bytes(made.SerializeToString(), Preprocess(SIZE, SIZE, task="classify"), "model.onnx")
    assert loaded.run(np.zeros((1, 3, SIZE, SIZE), np.float32)).shape == (1, 3)
    with pytest.raises(BundleError, match=r"outputs of shape \[\(2, 3\)\]"):
        loaded.run(np.zeros((2, 3, SIZE, SIZE), np.float32))


def test_what_onnx_runtime_refuses_is_told_once_by_the_refusal(capfd):
    nodes = [helper.make_node("Div", ["one", "zero"], ["q"]), helper.make_node("Cast", ["q"], ["huge"], to=FLOAT)]
    made = added(*nodes, one=shaped(1), zero=shaped(0))
    with pytest.raises(BundleError, match=r"expected an ONNX model, got \[ONNXRuntimeError\]"):
        runtime.load_bytes(made.SerializeToString(), Preprocess(SIZE, SIZE, task="classify"), "model.onnx")
    assert capfd.readouterr() == ("", "")


def test_a_detectors_answer_is_no_classifiers():
    with pytest.raises(BundleError, match="candidates"):
        runtime.load_bytes(model([ANSWER]).SerializeToString(), Preprocess(SIZE, SIZE, task="detect"), "model.onnx")


LIMITED = """
import resource, sys
from vouch.errors import BundleError
from vouch.vision import runtime
from vouch.vision.preprocess import Preprocess
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        runtime.load_bytes(open(path, "rb").read(), Preprocess(32, 32, task="classify"), path)
    except BundleError:
        continue
    raise SystemExit(f"{path} opened")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_what_is_refused_takes_no_memory(tmp_path):
    paths = []
    for name, (made, _) in REFUSED.items():
        paths.append(tmp_path / f"{name}.onnx")
        paths[-1].write_bytes(made().SerializeToString())
    command = [sys.executable, "-c", LIMITED, *map(str, paths)]
    environment = {"PYTHONPATH": str(Path(runtime.__file__).parents[2]), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 64 * 2**20
