"""The shape of every tensor of an ONNX graph for one photograph, found without running the graph.

ONNX infers shapes, but follows no arithmetic on them (a slice that begins at half the number of channels, as YOLO's
does). So small tensors that depend on shapes alone are worked out here, put in as constants, and shapes inferred again.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, shape_inference

SMALL = 1024  # values of a tensor that is worked out: lengths and positions have fewer, weights more
ROUNDS = 32  # of inference; a chain of dependent slices takes one each, YOLO's 11
Shape = tuple[int, ...]
Value = NDArray[Any]


def inferred_shapes(model: onnx.ModelProto) -> dict[str, Shape | None]:
    """Return the shape of every node's output when the batch is one photograph; None where it is not known.

    Parameters
    ----------
    model : ModelProto
        One input, whose first dimension is the batch. What the file claims of shapes is not believed.

    Raises
    ------
    onnx.checker.ValidationError, onnx.shape_inference.InferenceError, RuntimeError, ValueError, TypeError
        When the graph is malformed or its shapes contradict each other.
    """
    outline = _outline(model)
    onnx.checker.check_model(outline)
    for claimed in outline.graph.output:
        claimed.type.tensor_type.ClearField("shape")
    produced = {name: None for node in outline.graph.node for name in node.output if name}
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in outline.graph.initializer}
    for _ in range(ROUNDS):
        found = shape_inference.infer_shapes(outline, check_type=True, strict_mode=True, data_prop=True)
        shapes = _shapes(found.graph)
        known = {name: shapes.get(name) for name in produced}
        if None not in known.values() or not _fold(outline.graph, shapes, values):
            return known
    return known


def _outline(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with large weights as inputs, of which the shape alone is known, and a batch of one."""
    outline = onnx.ModelProto()
    outline.CopyFrom(model)
    graph = outline.graph
    del graph.value_info[:], outline.metadata_props[:]
    weights = list(graph.initializer)
    del graph.initializer[:]
    for tensor in weights:
        if math.prod(tensor.dims) <= SMALL:
            graph.initializer.append(tensor)
        else:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return outline


def _shapes(graph: onnx.GraphProto) -> dict[str, Shape]:
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            shapes[value.name] = tuple(dim.dim_value for dim in tensor.shape.dim)
    return shapes


def _fold(graph: onnx.GraphProto, shapes: Mapping[str, Shape], values: dict[str, Value]) -> bool:
    """Replace nodes whose small result is known by that result, and note it; say whether there was any."""
    kept = []
    for node in graph.node:
        result = _result(node, values, shapes)
        if result is None or result.size > SMALL:
            kept.append(node)
        else:
            values[node.output[0]] = result
            graph.initializer.append(numpy_helper.from_array(result, node.output[0]))
    folded = len(kept) < len(graph.node)
    del graph.node[:]
    graph.node.extend(kept)
    return folded


def _result(node: onnx.NodeProto, values: Mapping[str, Value], shapes: Mapping[str, Shape]) -> Value | None:
    if node.op_type not in RESULTS or len(node.output) != 1:
        return None
    known = shapes if node.op_type == "Shape" else values
    if any(name not in known for name in node.input if name):
        return None
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    try:
        with np.errstate(all="ignore"):
            return np.asarray(RESULTS[node.op_type](attributes, *(known.get(name) for name in node.input)))
    except (ValueError, TypeError, IndexError, KeyError, OverflowError):  # numpy's, of operands that do not fit
        return None


def _shape(attributes: Mapping[str, Any], shape: Shape) -> Value:
    return np.array(shape[attributes.get("start", 0) : attributes.get("end")], np.int64)


def _constant(attributes: Mapping[str, Any]) -> Value:
    if "value" not in attributes:  # a number or a list of them, in an attribute of another name
        [(name, value)] = attributes.items()
        return np.array(value, np.int64 if "int" in name else np.float32)
    _sized(np.array(attributes["value"].dims))
    return np.asarray(numpy_helper.to_array(attributes["value"]))


def _divided(attributes: Mapping[str, Any], first: Value, second: Value) -> Value:
    if first.dtype.kind == "f":
        return np.asarray(first / second)
    if (second == 0).any():
        raise ValueError("division by zero")
    return np.asarray(np.trunc(first / second)).astype(first.dtype)  # towards zero, as ONNX has it


def _sliced(
    attributes: Mapping[str, Any], data: Value, starts: Value, ends: Value, axes: Any = None, steps: Any = None
) -> Value:
    slices = [slice(None)] * data.ndim
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        slices[place if axes is None else int(axes[place])] = slice(
            start, end, None if steps is None else int(steps[place])
        )
    return np.asarray(data[tuple(slices)])


def _axes(axes: Value | None) -> tuple[int, ...] | None:
    return None if axes is None else tuple(int(axis) for axis in axes)


def _sized(shape: Value) -> Sequence[int]:
    """Return a shape that is small, so that a value of it may be made."""
    lengths = [int(length) for length in shape]
    if math.prod(lengths) > SMALL:
        raise ValueError("too large to be worked out")
    return lengths


def _filled(attributes: Mapping[str, Any], shape: Value) -> Value:
    value = numpy_helper.to_array(attributes["value"]) if "value" in attributes else np.zeros(1, np.float32)
    return np.full(_sized(shape), value.reshape(-1)[0], value.dtype)


def _ranged(attributes: Mapping[str, Any], start: Value, limit: Value, delta: Value) -> Value:
    _sized(np.array([math.ceil((limit - start) / delta)]))
    return np.asarray(np.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype))


def _cast(attributes: Mapping[str, Any], value: Value) -> Value:
    return value.astype(onnx.helper.tensor_dtype_to_np_dtype(attributes["to"]))


RESULTS: dict[str, Callable[..., Any]] = {  # of ONNX's operators, on values; attributes first
    "Shape": _shape,
    "Constant": _constant,
    "Add": lambda attributes, first, second: first + second,
    "Sub": lambda attributes, first, second: first - second,
    "Mul": lambda attributes, first, second: first * second,
    "Div": _divided,
    "Neg": lambda attributes, value: -value,
    "Floor": lambda attributes, value: np.floor(value),
    "Ceil": lambda attributes, value: np.ceil(value),
    "Sqrt": lambda attributes, value: np.sqrt(value),
    "Equal": lambda attributes, first, second: first == second,
    "Where": lambda attributes, condition, first, second: np.where(condition, first, second),
    "Identity": lambda attributes, value: value,
    "Cast": _cast,
    "Concat": lambda attributes, *parts: np.concatenate(parts, attributes["axis"]),
    "Gather": lambda attributes, data, places: np.take(data, places, attributes.get("axis", 0)),
    "Slice": _sliced,
    "Squeeze": lambda attributes, value, axes=None: np.squeeze(value, _axes(axes)),
    "Unsqueeze": lambda attributes, value, axes: np.expand_dims(value, [int(axis) for axis in axes]),
    "Transpose": lambda attributes, value: np.transpose(value, attributes.get("perm")),
    "Mod": lambda attributes, first, second: np.mod(first, second),  # of lengths, which are not negative
    "Clip": lambda attributes, value, least=None, most=None: np.clip(value, least, most),
    "Min": lambda attributes, *values: reduce(np.minimum, values),
    "Max": lambda attributes, *values: reduce(np.maximum, values),
    "Reshape": lambda attributes, value, shape: value.reshape([int(length) for length in shape]),
    "Expand": lambda attributes, value, shape: value * np.ones(_sized(shape), value.dtype),
    "ConstantOfShape": _filled,
    "Range": _ranged,
    "ReduceProd": lambda attributes, value: np.prod(value, keepdims=bool(attributes.get("keepdims", 1))),
}
