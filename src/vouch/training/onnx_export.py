"""From a network in torch to an ONNX file."""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import onnx
import torch
from torch import Tensor, nn

from vouch.training.onnx_softmax import channels_last
from vouch.vision.onnx_file import cleaned

OPSET = 18  # ONNX Runtime 1.14 (2023) and later read it
OUTPUTS = ("output0", "embedding")


@runtime_checkable
class Embeds(Protocol):
    """A network that can say where a photograph lies, beside its answer."""

    def embedded(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the network answers, and float32 (n, d)."""
        ...


class _Both(nn.Module):
    def __init__(self, network: Embeds) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.embedded(images)


def export_onnx(network: nn.Module, *, size_px: int, metadata: Mapping[str, object]) -> bytes:
    """Return a network as single-precision ONNX with a dynamic batch and a fixed canvas.

    Parameters
    ----------
    network : module in evaluation mode
        float32 (n, 3, size, size) -> (n, 4 + classes, candidates) or (n, classes + 1)
    size_px : side of the canvas
    metadata : what the file says of itself; values become JSON text unless they are text

    Returns
    -------
    bytes
        One input `images`, one output `output0` and, of a network that `Embeds`, another, `embedding`; weights inside.
        A softmax over channels, as YOLO's head has it, is over the last axis, where `onnx_softmax` can put it there.
    """
    example = torch.zeros(2, 3, size_px, size_px)
    with tempfile.TemporaryDirectory() as folder, torch.no_grad(), warnings.catch_warnings():
        # the tracing exporter is marked legacy, but needs no dynamic shapes to be proved and keeps the graph small
        warnings.simplefilter("ignore")
        path = Path(folder, "model.onnx")
        names, traced = (OUTPUTS, _Both(network).eval()) if isinstance(network, Embeds) else (OUTPUTS[:1], network)
        torch.onnx.export(
            traced,
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=list(names),
            dynamic_axes={name: {0: "batch"} for name in ("images", *names)},
        )
        model = onnx.load(path)
    channels_last(model)
    return cleaned(model, metadata)
