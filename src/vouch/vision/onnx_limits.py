"""What an ONNX file must be before ONNX Runtime sees it: self-contained, without loops, of shapes that are known.

Guaranteed of a file that passes: one input, a batch of canvases; float32 outputs of known shape; standard operators
alone, each run once; no other file is read, no subgraph, function or random operator; and for one photograph the values
that are in memory together, in the order of the file, are at most 1024 times those of the canvas (2**30 at most) and 16
for each byte of the file. Not guaranteed: how long it takes, beyond `NODES` operators on tensors of that size.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, NodeProto, TensorProto

from vouch.errors import BundleError, Problem, refuse_any
from vouch.vision.onnx_shapes import Shape, inferred_shapes

NODES = 20_000  # operators; ten views of the deepest DINOv3 have 3,000
PER_CANVAS = 1024  # values in memory for each of the canvas; attention of ViT-L over 1370 patches needs 110
MOST = 2**30  # values in memory, 4 GiB
PER_BYTE = 16  # of the file: eight bits become 32, and a product of weights may be kept beside them
RANK = 16  # dimensions of a constant; ours have at most 5
KINDS = frozenset(TensorProto.DataType.values())
STANDARD = ("", "ai.onnx")
RANDOM = ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
# what onnx raises of a malformed graph: its own two, and what pybind makes of C++'s and numpy of bad constants
MALFORMED = (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, RuntimeError, ValueError, TypeError)
REMEDY = "export the model again"


@dataclass(frozen=True)
class Network:
    """What a checked file says: the name of its input, its outputs' shapes without the batch, its metadata."""

    input: str
    outputs: dict[str, Shape]
    metadata: dict[str, str]


def checked_network(content: bytes, size_px: int, where: str) -> Network:
    """Return what an ONNX file takes and gives, once it is known to be harmless to load.

    Parameters
    ----------
    content : bytes
    size_px : int
        Side of the canvas that the network must take.
    where : str
        Name of the file in a refusal.

    Raises
    ------
    BundleError
        Listing what the file must not have, or what is wrong with its inputs, outputs and shapes.
    """
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise BundleError([Problem(where, "an ONNX model", "bytes that are none", REMEDY)]) from error
    graph = model.graph
    refuse_any(BundleError, [Problem(where, *finding, REMEDY) for finding in _structure(model)])
    refuse_any(BundleError, [Problem(where, *finding, REMEDY) for finding in _ends(graph, size_px)])
    try:
        shapes = inferred_shapes(model)
    except MALFORMED as error:
        got = (str(error).strip() or type(error).__name__).splitlines()[0][:240]
        raise BundleError([Problem(where, "a valid graph", got, REMEDY)]) from error
    room = min(MOST, PER_CANVAS * 3 * size_px**2) + PER_BYTE * len(content)
    refuse_any(BundleError, [Problem(where, *finding, REMEDY) for finding in _sizes(graph, shapes, room)])
    outputs = {output.name: (shapes[output.name] or ())[1:] for output in graph.output}
    return Network(graph.input[0].name, outputs, {item.key: item.value for item in model.metadata_props})


Words = tuple[str, str]  # what was expected, and got


def _structure(model: onnx.ModelProto) -> Iterator[Words]:
    """Say what a file has that no export of ours has, and that could do more than multiply and add."""
    if model.functions:
        yield "no functions", f"{len(model.functions)}"
    if model.training_info:
        yield "no training information", f"{len(model.training_info)}"
    if len(model.graph.node) > NODES:
        yield f"at most {NODES} operators", f"{len(model.graph.node)}"
    if not all(isinstance(text, str) for item in model.metadata_props for text in (item.key, item.value)):
        yield "metadata in UTF-8", "bytes that are not"  # protobuf hands them over as they are
    if model.graph.sparse_initializer:
        yield "no sparse tensors", f"{len(model.graph.sparse_initializer)}"
    for tensor in model.graph.initializer:
        yield from _tensor(tensor)
    for node in model.graph.node:
        yield from _operator(node)


def _operator(node: NodeProto) -> Iterator[Words]:
    if node.domain not in STANDARD:
        yield "operators of ONNX alone", f"{node.domain}.{node.op_type}"[:80]
    if node.op_type in RANDOM:
        yield "the same answer every time", node.op_type
    for attribute in node.attribute:
        yield from _attribute(node.op_type, attribute)


def _attribute(operator: str, attribute: AttributeProto) -> Iterator[Words]:
    if attribute.HasField("g") or attribute.graphs:
        yield "no operator with a graph of its own, such as a loop", f"{operator}"[:80]
    if attribute.ref_attr_name or attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
        yield "attributes that are values", f"{operator}.{attribute.name}"[:80]
    for tensor in (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors):
        yield from _tensor(tensor)


def _tensor(tensor: TensorProto) -> Iterator[Words]:
    """Say what is wrong with a constant: it lies in another file, is of text, or claims more than it holds."""
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        yield "weights inside", f"{tensor.name[:80]} in another file"
    if tensor.data_type in (TensorProto.UNDEFINED, TensorProto.STRING) or tensor.data_type not in KINDS:
        yield "tensors of numbers", f"{tensor.name[:80]} of type {tensor.data_type}"
    # two of four bits share a byte, so a tensor has at most twice as many values as bytes
    lengths = list(tensor.dims)
    if len(lengths) > RANK or min(lengths, default=0) < 0 or math.prod(lengths) > 2 * tensor.ByteSize():
        yield "tensors that hold what they claim", f"{tensor.name[:80]} of shape {lengths[:RANK]}"


def _ends(graph: onnx.GraphProto, size_px: int) -> Iterator[Words]:
    """Say what is wrong with the inputs and outputs as the file declares them."""
    constants = {tensor.name for tensor in graph.initializer}
    taken = [value for value in graph.input if value.name not in constants]
    if len(taken) != 1 or len(graph.input) != 1:
        yield "one input", f"{len(graph.input)}"
        return
    tensor = taken[0].type.tensor_type
    lengths = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    if tensor.elem_type != TensorProto.FLOAT or lengths != [None, 3, size_px, size_px]:
        yield f"input float32 (n, 3, {size_px}, {size_px})", _spelled(taken[0])
    if not 1 <= len(graph.output) <= 2:
        yield "one output, and perhaps an embedding", f"{len(graph.output)}"
    made = {name for node in graph.node for name in node.output}
    for output in graph.output:
        if output.type.tensor_type.elem_type != TensorProto.FLOAT or output.name not in made:
            yield "float32 outputs that an operator makes", _spelled(output)


def _spelled(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    kind = TensorProto.DataType.Name(tensor.elem_type) if tensor.elem_type in KINDS else str(tensor.elem_type)
    lengths = [f"{dim.dim_value if dim.HasField('dim_value') else dim.dim_param or '?'}" for dim in tensor.shape.dim]
    return f"{value.name[:80]} {kind} ({', '.join(lengths[:8])})"


def _sizes(graph: onnx.GraphProto, shapes: Mapping[str, Shape | None], room: int) -> Iterator[Words]:
    """Say where shapes are unknown or no shapes, and whether one photograph would need more memory than it may."""
    for name, shape in shapes.items():
        if shape is None or any(length < 0 for length in shape):
            got = "one that depends on more than the canvas" if shape is None else str(list(shape))
            yield f"a known shape of {name[:80]}", got
            return
    sizes = {name: math.prod(shape) for name, shape in shapes.items() if shape is not None}
    last = {name: place for place, node in enumerate(graph.node) for name in (*node.input, *node.output)}
    held, most = 0, 0
    for place, node in enumerate(graph.node):
        held += sum(sizes[name] for name in node.output if name)
        most = max(most, held)
        ends = {name for name in (*node.input, *node.output) if last[name] == place}
        held -= sum(sizes.get(name, 0) for name in ends)
    if most > room:
        yield f"at most {room:,} values in memory for a photograph", f"{most:,}"
