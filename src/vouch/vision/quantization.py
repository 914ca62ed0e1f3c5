"""INT8: a network in eight bits, QUInt8 activations and QInt8 weights; what it has learned is not trained again."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime import quantization as ort
from onnxruntime.quantization.shape_inference import quant_pre_process
from pydantic import Field

from vouch.errors import BundleError, ParamsError, Problem, refuse_any
from vouch.params import Section
from vouch.vision.images.source import Image
from vouch.vision.onnx_file import cleaned
from vouch.vision.preprocess import as_input
from vouch.vision.runtime import QUANTIZATION

EIGHT_BITS = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")  # every form of quantised network has one


class MinMax(Section):
    """The whole range that was seen."""

    method: Literal["minmax"]


class Entropy(Section):
    """The range that loses least information (Kullback-Leibler) of the histogram."""

    method: Literal["entropy"]


class Percentile(Section):
    """The range that holds so many of a hundred values."""

    method: Literal["percentile"]
    percentile: Annotated[float, Field(gt=50, le=100)]


class Static(Section):
    """Ranges of activations are measured once, on photographs: for convolutional networks."""

    kind: Literal["static"]
    photographs: Annotated[int, Field(ge=1)]  # evenly spaced over train
    batch: Annotated[int, Field(ge=1)]  # photographs whose activations are in memory together
    calibration: Annotated[MinMax | Entropy | Percentile, Field(discriminator="method")]
    per_channel: bool  # a scale for each output channel of the weights; one for all is a little faster
    reduce_range: bool  # weights in seven bits
    exclude: tuple[str, ...]  # patterns of node names, or operator types, that stay in single precision


class Dynamic(Section):
    """Ranges of activations are measured in each run, and only matrix products take part: for transformers."""

    kind: Literal["dynamic"]
    per_channel: bool
    reduce_range: bool
    exclude: tuple[str, ...]


def quantized(content: bytes, settings: Static | Dynamic, images: Sequence[Image], size_px: int) -> bytes:
    """Return a network in eight bits, with the inputs, outputs and metadata of the one in single precision.

    Parameters
    ----------
    content : bytes
        An ONNX file, float32 (n, 3, size, size) -> float32 outputs, n dynamic.
    settings : Static or Dynamic
        What becomes eight bits, and how ranges are found.
    images : sequence of images
        The photographs that ranges are measured on; a dynamic quantisation looks at none.
    size_px : int
        Side of the canvas.

    Raises
    ------
    BundleError
        When `content` is no ONNX network in single precision.
    ParamsError
        When a pattern of `exclude` fits no node, or everything is excluded.
    """
    source = _single_precision(content)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):  # the histograms' progress
        prepared, result = Path(folder, "prepared.onnx"), Path(folder, "quantized.onnx")
        Path(folder, "source.onnx").write_bytes(content)
        quant_pre_process(Path(folder, "source.onnx"), prepared, skip_symbolic_shape=True)  # that would need sympy
        excluded = _excluded(onnx.load(prepared), settings.exclude)
        if isinstance(settings, Static):
            _static(prepared, result, settings, excluded, _Photographs(source, images, size_px, settings.batch))
        else:
            _dynamic(prepared, result, settings, excluded)
        model = onnx.load(result)
    if not is_quantized(model):
        where, got = "exclude", ", ".join(settings.exclude) or "nothing"
        raise ParamsError([Problem(where, "something left for eight bits", got, "shorten it, or choose another kind")])
    return _stripped(model, source, settings)


def is_quantized(model: onnx.ModelProto) -> bool:
    """Whether any operator of a network works in eight bits."""
    return any(node.op_type in EIGHT_BITS for node in model.graph.node)


def _single_precision(content: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(content)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's and the checker's own types
        got = str(error).splitlines()[0]
        raise BundleError([Problem("model.onnx", "an ONNX model", got, "export it again")]) from error
    if is_quantized(model):
        problem = Problem("model.onnx", "a network in single precision", "one in eight bits", "name its source")
        raise BundleError([problem])
    return model


def _excluded(model: onnx.ModelProto, patterns: Sequence[str]) -> list[str]:
    """Return the names of the nodes that stay in single precision."""
    found = {
        pattern: [node.name for node in model.graph.node if pattern == node.op_type or fnmatchcase(node.name, pattern)]
        for pattern in patterns
    }
    expected = "a pattern of node names, or an operator type, of the network"
    idle = [pattern for pattern, names in found.items() if not names]
    refuse_any(ParamsError, [Problem("exclude", expected, pattern, "respell or remove it") for pattern in idle])
    return [name for names in found.values() for name in names]


class _Photographs(ort.CalibrationDataReader):  # type: ignore[misc] # ONNX Runtime asks for this class
    """Photographs one by one, `batch` of them between two calls of `set_range`."""

    def __init__(self, model: onnx.ModelProto, images: Sequence[Image], size_px: int, batch: int) -> None:
        self.name = model.graph.input[0].name
        self.parts = [images[start : start + batch] for start in range(0, len(images), batch)]
        self.size_px = size_px
        self.ahead: Iterator[Image] = iter(())

    def __len__(self) -> int:
        return len(self.parts)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Go to the part of this index; every range is one part long."""
        del end_index
        self.ahead = iter(self.parts[start_index])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next photograph of the part."""
        image = next(self.ahead, None)
        return None if image is None else {self.name: as_input(image, self.size_px)}


def _static(prepared: Path, result: Path, settings: Static, excluded: list[str], photographs: _Photographs) -> None:
    methods = {
        "minmax": ort.CalibrationMethod.MinMax,
        "entropy": ort.CalibrationMethod.Entropy,
        "percentile": ort.CalibrationMethod.Percentile,
    }
    options: dict[str, object] = {"CalibStridedMinMax": 1}  # parts of the reader, whatever the method
    if isinstance(settings.calibration, Percentile):
        options["CalibPercentile"] = settings.calibration.percentile
    ort.quantize_static(
        prepared,
        result,
        photographs,
        quant_format=ort.QuantFormat.QDQ,
        activation_type=ort.QuantType.QUInt8,
        weight_type=ort.QuantType.QInt8,
        per_channel=settings.per_channel,
        reduce_range=settings.reduce_range,
        nodes_to_exclude=excluded,
        calibrate_method=methods[settings.calibration.method],
        extra_options=options,
    )


def _dynamic(prepared: Path, result: Path, settings: Dynamic, excluded: list[str]) -> None:
    ort.quantize_dynamic(
        prepared,
        result,
        op_types_to_quantize=["MatMul"],
        per_channel=settings.per_channel,
        reduce_range=settings.reduce_range,
        weight_type=ort.QuantType.QInt8,
        nodes_to_exclude=excluded + [f"{name}_MatMul" for name in excluded],  # what a Gemm becomes on the way
    )


def _stripped(model: onnx.ModelProto, source: onnx.ModelProto, settings: Static | Dynamic) -> bytes:
    """Drop the optimiser's domains and inferred shapes; say what the source said, and how it was quantised."""
    used = {node.domain for node in model.graph.node}
    domains = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(domains)
    del model.graph.value_info[:]
    metadata: dict[str, object] = {item.key: item.value for item in source.metadata_props}
    return cleaned(model, metadata | {QUANTIZATION: settings.model_dump(mode="json")})
