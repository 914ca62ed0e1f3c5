"""A softmax over channels, and the weighted sum that follows it, with channels last: there it needs no copies.

A YOLO detector's head has one: 16 scores of how far a side of a box may lie become a mean distance (distribution
focal loss). ONNX Runtime moves another axis than the last there and back, which took 5 of 37 ms of a photograph of
640 px.
"""

from collections import Counter
from typing import Any

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

LAST, BACK = (0, 2, 3, 1), (0, 3, 1, 2)  # (n, channels, height, width) to (n, height, width, channels), and back
CHANNELS = (1, -3)  # the axis of four
PLAIN = {"group": {1}, "strides": {1}, "pads": {0}}  # what a convolution of one pixel must say, if it does


def channels_last(model: onnx.ModelProto) -> None:
    """Change, in place, every softmax over channels that only a 1 x 1 convolution reads; no answer changes.

    Softmax -> Conv becomes Transpose -> Softmax -> MatMul -> Transpose, under names that begin as theirs did. Every
    other softmax stays, right and no faster: one over another axis, one with more readers, which would be computed
    twice, and one before a convolution with a bias, steps, borders or groups.

    Parameters
    ----------
    model : ModelProto
        Of operator set 13 or later, where a softmax is over one axis.
    """
    graph = model.graph
    kernels = _kernels(graph)
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.output and node.output[0] in kernels:
            nodes += _softmax(node)
        elif node.input and node.input[0] in kernels:
            nodes += _matmul(node)
        else:
            nodes.append(node)
    read = {name for node in nodes for name in node.input} | {output.name for output in (*graph.input, *graph.output)}
    replaced = {kernel.name: kernel for kernel in kernels.values()}
    constants = [array for array in graph.initializer if array.name not in replaced or array.name in read]
    shapes = [shape for shape in graph.value_info if shape.name not in kernels]  # theirs have changed
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*constants, *map(_matrix, replaced.values())])
    graph.value_info.extend(shapes)


def _kernels(graph: GraphProto) -> dict[str, TensorProto]:
    """Return the kernel of each convolution to change, by the output of the softmax before it."""
    weights = {array.name: array for array in graph.initializer}
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(output.name for output in graph.output)
    over_channels = {node.output[0] for node in graph.node if _is_softmax(node)}
    return {
        node.input[0]: weights[node.input[1]]
        for node in graph.node
        if _is_sum(node, weights) and node.input[0] in over_channels and readers[node.input[0]] == 1
    }


def _is_softmax(node: NodeProto) -> bool:
    return node.op_type == "Softmax" and _said(node).get("axis", -1) in CHANNELS


def _is_sum(node: NodeProto, weights: dict[str, TensorProto]) -> bool:
    """Whether a node is a convolution of one pixel that only multiplies and adds up; its input then has four axes."""
    if node.op_type != "Conv" or len(node.input) != 2 or node.input[1] not in weights:
        return False
    said = _said(node)
    plain = all(set(np.atleast_1d(said.get(name, list(only)))) == only for name, only in PLAIN.items())
    return plain and list(weights[node.input[1]].dims[2:]) == [1, 1]


def _said(node: NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _matrix(kernel: TensorProto) -> TensorProto:
    """Return a kernel of one pixel as the matrix (channels, sums)."""
    array = numpy_helper.to_array(kernel)[:, :, 0, 0]
    return numpy_helper.from_array(np.ascontiguousarray(array.T), _name(kernel.name))


def _name(kernel: str) -> str:
    return f"{kernel}.matrix"


def _softmax(node: NodeProto) -> list[NodeProto]:
    moved, made = f"{node.output[0]}_moved", node.output[0]
    return [
        helper.make_node("Transpose", [node.input[0]], [moved], name=f"{node.name}/Transpose", perm=LAST),
        helper.make_node("Softmax", [moved], [made], name=node.name, axis=-1),
    ]


def _matmul(node: NodeProto) -> list[NodeProto]:
    made = f"{node.output[0]}_moved"
    return [
        helper.make_node("MatMul", [node.input[0], _name(node.input[1])], [made], name=f"{node.name}/MatMul"),
        helper.make_node("Transpose", [made], [node.output[0]], name=f"{node.name}/Transpose", perm=BACK),
    ]
