"""Tensors of a served model: what config.pbtxt says of them, what an ONNX file says, and whether the two agree."""

from itertools import zip_longest
from typing import Any

import onnx

KINDS = {"float32": "FP32", "float64": "FP64", "float16": "FP16", "bfloat16": "BF16", "object": "STRING"}
ANY = -1  # a dimension that may have any length

Config = dict[str, Any]
Tensor = tuple[str, list[int]]  # data type and dimensions, the batch's first


def onnx_tensor(info: Any) -> Tensor:
    """Return what an input or output of an ONNX graph is; a named or unknown length may be any."""
    kind = onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type).name
    dims = [dim.dim_value if dim.HasField("dim_value") else ANY for dim in info.type.tensor_type.shape.dim]
    return f"TYPE_{KINDS.get(kind, kind.upper())}", dims


def tensors(config: Config, side: str, *, reshaped: bool = False) -> dict[str, Tensor]:
    """Return a side's tensors, with the batch's dimension where there is one: a client's view, or the file's.

    The file sees what `reshape` makes of `dims`.
    """
    batch = [ANY] if config.get("max_batch_size", 0) > 0 else []
    return {
        tensor["name"]: (tensor["data_type"], batch + _dims(tensor, reshaped=reshaped))
        for tensor in config.get(side, [])
        if "name" in tensor and "data_type" in tensor
    }


def _dims(tensor: Config, *, reshaped: bool) -> list[int]:
    shape = tensor["reshape"].get("shape", []) if reshaped and "reshape" in tensor else tensor.get("dims", [])
    return list(shape)


def joins(made: Tensor, taken: Tensor) -> bool:
    """Whether one step's tensor can be another's: a length that either leaves open is no contradiction."""
    lengths = zip_longest(made[1], taken[1], fillvalue=0)
    return made[0] == taken[0] and all(
        one == other or (ANY in (one, other) and one * other != 0) for one, other in lengths
    )


def fits(theirs: Tensor, ours: Tensor) -> bool:
    """Whether a configured tensor is one that the file has: a length that the file leaves open may be stated."""
    lengths = zip_longest(theirs[1], ours[1], fillvalue=0)
    return theirs[0] == ours[0] and all(one in (ANY, other) and other != 0 for one, other in lengths)


def spelled(tensor: Tensor) -> str:
    """Return a tensor for a reader."""
    return f"{tensor[0]} {tensor[1]}"
