"""Starting weights that an installed package carries: pinned by hash, taken over in order, held to a known answer.

Their file is a pickle of tensors. It is opened only where its hash is the one that the repository names, and without
leave to run anything (`weights_only`): docs/decisions/021.
"""

import hashlib
from importlib import metadata, resources
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from vouch import params
from vouch.errors import BundleError, ParamsError, Problem, WorkspaceError, refuse_any
from vouch.params import Section
from vouch.training import weights
from vouch.training.backbones.timm_backbone import Normalised

TEXTS = {"Apache-2.0": "apache-2.0.txt"}  # of licences, beside this module
CANVAS_PX = 64  # of the known answer
TOLERANCE = 1e-3  # of a feature; sums in another order differ by 1e-6, another padding or mean by .05
HEAD = 2  # tensors of the class layer, the last ones: weight and bias


class Packaged(Section):
    """Which file of which package holds the weights of which backbone, and whose they are."""

    backbone: str
    distribution: str
    version: str
    weights: str  # path below the folder that packages are installed in
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    licence: Literal["Apache-2.0"]
    notice: str  # path of what the package says of its licence
    answer: Annotated[tuple[float, ...], Field(min_length=1)]


class _Start(Section):
    pretrained: Packaged


def read(path: Path) -> Packaged:
    """Read an architecture's .yaml that names a package.

    Raises
    ------
    ParamsError
        When a key is missing, unknown or of another form.
    """
    return params.check(_Start, params.read_params(path), str(path)).pretrained


def fill(backbone: Normalised, packaged: Packaged) -> None:
    """Put a package's weights into a backbone, all but those of their class layer.

    Raises
    ------
    ParamsError
        When they are another backbone's.
    WorkspaceError
        When the package is not installed.
    BundleError
        When the file is another than the one named, its tensors do not fit, or the network answers otherwise.
    """
    if backbone.name.split(".")[0] != packaged.backbone:
        remedy = f"set backbone.name to {packaged.backbone}, or choose another `start`"
        raise ParamsError([Problem("backbone.name", packaged.backbone, backbone.name, remedy)])
    where = f"{packaged.distribution}: {packaged.weights}"
    content = _content(packaged, packaged.weights)
    found = hashlib.sha256(content).hexdigest()
    if found != packaged.sha256:
        expected = f"sha256 {packaged.sha256}"
        raise BundleError([Problem(where, expected, found, f"install {_wanted(packaged)} again")])
    tensors: dict[str, Tensor] = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    weights.fill(backbone.inner, _renamed(tensors, list(backbone.inner.state_dict()), where), where)
    _refuse_other_answer(backbone, packaged, where)


def licences(packaged: Packaged) -> dict[str, str]:
    """Return what must accompany all that descends from a package's weights: its notice and its licence, by name.

    Raises
    ------
    WorkspaceError
        When the package is not installed.
    """
    notice = _content(packaged, packaged.notice).decode("utf-8").strip()
    text = resources.files(__package__).joinpath(TEXTS[packaged.licence]).read_text(encoding="utf-8").strip("\n")
    return {_wanted(packaged): f"{notice}\n\n{text}\n"}


def _wanted(packaged: Packaged) -> str:
    return f"{packaged.distribution}=={packaged.version}"


def _content(packaged: Packaged, path: str) -> bytes:
    try:
        return Path(str(metadata.distribution(packaged.distribution).locate_file(path))).read_bytes()
    except (metadata.PackageNotFoundError, OSError) as error:
        remedy = f"make setup, or pip install {_wanted(packaged)}; or choose another `start`"
        problem = Problem(packaged.distribution, f"the package {_wanted(packaged)}", f"none: {error}", remedy)
        raise WorkspaceError([problem]) from error


def _renamed(tensors: dict[str, Tensor], names: list[str], where: str) -> dict[str, Tensor]:
    """Return tensors under timm's names: both lists follow the network, and the kind of each must agree."""
    theirs, remedy = list(tensors)[: len(names)], "pin the timm that requirements.lock names"
    if len(tensors) != len(names) + HEAD:
        expected = f"{len(names) + HEAD} tensors, {HEAD} of them of the class layer"
        raise BundleError([Problem(where, expected, str(len(tensors)), remedy)])
    refuse_any(
        BundleError,
        [
            Problem(where, f"a tensor for {ours}", name, remedy)
            for name, ours in zip(theirs, names, strict=True)
            if name.rpartition(".")[2] != ours.rpartition(".")[2]
        ],
    )
    return {ours: tensors[name] for name, ours in zip(theirs, names, strict=True)}


def canvas() -> Tensor:
    """Return the fixed canvas of the known answer: float32 (1, 3, 64, 64), RGB in [0, 1], the same on every machine."""
    values = torch.arange(3 * CANVAS_PX * CANVAS_PX) * 37 % 256
    return values.reshape(1, 3, CANVAS_PX, CANVAS_PX).float() / 255


def _refuse_other_answer(backbone: Any, packaged: Packaged, where: str) -> None:
    learning = backbone.training
    with torch.no_grad():
        found = backbone.eval()(canvas())[0, : len(packaged.answer)]
    backbone.train(learning)
    if not torch.allclose(found, torch.tensor(packaged.answer), rtol=0, atol=TOLERANCE):
        got = str([round(value, 4) for value in found.tolist()])
        remedy = "remove backbone.options, and pin the timm that requirements.lock names"
        raise BundleError([Problem(where, f"features {list(packaged.answer)} of the fixed canvas", got, remedy)])
