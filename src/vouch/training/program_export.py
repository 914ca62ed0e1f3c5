"""From a network in torch to a program that another version of torch loads, without the code that made it."""

import io
import warnings

import torch
from torch import nn


def export_program(network: nn.Module, *, size_px: int) -> bytes:
    """Return a network as torch's exported program (.pt2), for one image at a time.

    Parameters
    ----------
    network : module in evaluation mode
        float32 (1, 3, size, size) to its answer.
    size_px : side of the canvas
    """
    stream, example = io.BytesIO(), torch.zeros(1, 3, size_px, size_px)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of weights that share memory, which a copy on the CPU does not mind
        torch.export.save(torch.export.export(network, (example,), strict=False), stream)
    return stream.getvalue()
