"""Canonical weights on disk: safetensors and sorted JSON, the same tensors always the same bytes, never a pickle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn

from vouch import io, params
from vouch.errors import BundleError, DataError, ParamsError, Problem
from vouch.params import Section

WEIGHTS, DESCRIPTION = "weights.safetensors", "weights.json"
S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Trained:
    """Canonical weights: tensors by name, a JSON description that rebuilds the network, a curve with column `epoch`."""

    tensors: dict[str, Tensor]
    description: dict[str, Any]
    curve: pd.DataFrame


def write(folder: Path, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
    """Write a folder's weights and their description."""
    content = safetensors.torch.save({name: tensors[name].contiguous() for name in sorted(tensors)})
    io.write_bytes(folder / WEIGHTS, content)
    io.write_json(folder / DESCRIPTION, description)


def read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a folder's weights and their description.

    Raises
    ------
    BundleError
        When either file is absent, truncated or not what its name says.
    """
    try:
        return safetensors.torch.load((folder / WEIGHTS).read_bytes()), io.read_json(folder / DESCRIPTION)
    except (OSError, ValueError, SafetensorError) as error:
        problem = Problem(str(folder), f"{WEIGHTS} and {DESCRIPTION}", str(error), "train or pull them again")
        raise BundleError([problem]) from error


def architecture(kind: type[S], description: dict[str, Any], where: str = DESCRIPTION) -> S:
    """Read the architecture of a description back.

    Raises
    ------
    BundleError
        When it is none of this kind.
    """
    try:
        return params.check(kind, description["architecture"], f"{where}: architecture")
    except ParamsError as error:
        raise BundleError(error.problems) from error


def read_start(folder: Path, *frameworks: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the weights that a training starts from, of one of these frameworks.

    Raises
    ------
    BundleError
        As `read` does.
    DataError
        When another framework trained them: its tensors have other names.
    """
    tensors, description = read(folder)
    if description["framework"] not in frameworks:
        remedy = "correct `start` of the model's entry in `pipeline`"
        raise DataError(
            [Problem(str(folder), f"weights of {' or '.join(frameworks)}", description["framework"], remedy)]
        )
    return tensors, description


def fill(network: nn.Module, tensors: dict[str, Tensor], where: str) -> None:
    """Load tensors into a network of exactly these names and shapes, in the network's own precision.

    Raises
    ------
    BundleError
        Listing every missing, extra and misshapen tensor.
    """
    wanted = network.state_dict()
    problems = [Problem(where, f"tensor {name}", "nothing", "train again") for name in wanted.keys() - tensors.keys()]
    problems += [Problem(where, "no more tensors", name, "train again") for name in tensors.keys() - wanted.keys()]
    for name in wanted.keys() & tensors.keys():
        if wanted[name].shape != tensors[name].shape:
            shapes = f"{name} of shape {tuple(wanted[name].shape)}", str(tuple(tensors[name].shape))
            problems.append(Problem(where, *shapes, "check the architecture"))
    if problems:
        raise BundleError(problems)
    network.load_state_dict({name: tensor.to(wanted[name].dtype) for name, tensor in tensors.items()})


def fill_matching(network: nn.Module, tensors: dict[str, Tensor]) -> tuple[int, int]:
    """Load every tensor of the same name and shape; return how many of how many were loaded.

    Starting weights of another task share all but the class layer, so a partial fit is what fine-tuning means.
    """
    wanted = network.state_dict()
    fitting = {
        name: tensor for name, tensor in tensors.items() if name in wanted and wanted[name].shape == tensor.shape
    }
    merged = wanted | {name: tensor.to(wanted[name].dtype) for name, tensor in fitting.items()}
    network.load_state_dict(merged)
    return len(fitting), len(wanted)
