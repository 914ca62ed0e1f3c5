"""`vouch deploy`: a checked bundle in the form that a server takes."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vouch import paths
from vouch.commands.known import bundle_of, chosen, listed_photographs
from vouch.commands.outputs import Output, refuse_outputs
from vouch.commands.unheeded import unheeded, unheeded_by
from vouch.deployment.openvino import deploy_openvino
from vouch.deployment.parity import Tolerance
from vouch.deployment.tensorrt import Precision, deploy_tensorrt
from vouch.deployment.triton import deploy_triton
from vouch.deployment.triton_lint import refuse_repository
from vouch.errors import ParamsError, Problem, refuse_any
from vouch.release.bundle import read
from vouch.release.opening import open_contents
from vouch.vision.images.source import files


class Server(StrEnum):
    """What a bundle can be deployed to."""

    OPENVINO = "openvino"
    TRITON = "triton"
    TENSORRT = "tensorrt"


TOLERANCE, BOX_TOLERANCE_PX = 1e-3, 0.05  # what holds unless it is said
MAX_BATCH, DELAY_US = 32, 1000
COMPARED, BATCHED = frozenset({Server.OPENVINO, Server.TENSORRT}), frozenset({Server.TRITON, Server.TENSORRT})
HEEDED = {  # by which servers; what is not here, by each of them
    "--photographs": COMPARED,
    "--tolerance": COMPARED,
    "--box-tolerance-px": COMPARED,
    "--max-batch": BATCHED,
    "--delay-us": frozenset({Server.TRITON}),
}


def deploy(
    model: Annotated[str | None, typer.Argument(help="Model of params.yaml, say driver.")] = None,
    folder: Annotated[Path | None, typer.Argument(help="New folder to write, or an empty one.")] = None,
    to: Annotated[str | None, typer.Option(metavar="|".join(Server), help="The server.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Another bundle than models/MODEL/bundle.")] = None,
    photographs: Annotated[
        Path | None, typer.Option(help="Photograph or folder to compare on: OpenVINO, TensorRT.")
    ] = None,
    precision: Annotated[
        str, typer.Option(metavar="|".join(Precision), help="Of TensorRT alone.")
    ] = Precision.FLOAT32.value,
    tolerance: Annotated[
        float, typer.Option(help="Largest difference of a logit or score.", min=0, max=1e6)
    ] = TOLERANCE,
    box_tolerance_px: Annotated[
        float, typer.Option(help="Largest difference of a box, canvas pixels.", min=0, max=1e6)
    ] = BOX_TOLERANCE_PX,
    max_batch: Annotated[int, typer.Option(help="Photographs at once: Triton, TensorRT.", min=1, max=1024)] = MAX_BATCH,
    delay_us: Annotated[int, typer.Option(help="Triton: microseconds to wait for a fuller batch.", min=0)] = DELAY_US,
    lint: Annotated[Path | None, typer.Option(help="Only check this model repository of Triton.")] = None,
) -> None:
    """Turn a model's checked bundle into what OpenVINO, Triton or TensorRT serves, and prove that it answers alike.

    Raises
    ------
    VouchError
        When the bundle does not check, an option is of another server, FOLDER may not be written, or answers differ.
    """
    of_servers: dict[str, object] = {
        "--photographs": photographs,
        "--tolerance": tolerance != TOLERANCE,
        "--box-tolerance-px": box_tolerance_px != BOX_TOLERANCE_PX,
        "--max-batch": max_batch != MAX_BATCH,
        "--delay-us": delay_us != DELAY_US,
    }
    needed = {"MODEL": model, "FOLDER": folder, "--to": to}
    if lint is not None:
        beside = {**needed, "--bundle": bundle, "--precision": precision != Precision.FLOAT32, **of_servers}
        refuse_any(ParamsError, unheeded(beside, "--lint alone", "both", "leave it out, or --lint"))
        refuse_repository(lint)
        typer.echo(f"{lint}: Triton can serve it")
        return
    if model is None or folder is None or to is None:
        lacking = ", ".join(f"no {name}" for name, word in needed.items() if word is None)
        expected = "MODEL FOLDER --to SERVER, or --lint FOLDER"
        raise ParamsError([Problem("vouch deploy", expected, lacking, "say what is lacking")])
    server, wanted = chosen("--to", to, Server), chosen("--precision", precision, Precision)
    if wanted != Precision.FLOAT32 and server != Server.TENSORRT:
        expected = f"{Precision.FLOAT32}, which the calibrator was made in and {server} serves"
        raise ParamsError([Problem("--precision", expected, wanted, f"leave it out, or --to {Server.TENSORRT}")])
    refuse_any(ParamsError, unheeded_by("--to", server, of_servers, HEEDED))
    source = bundle or paths.model(model, "bundle")
    images = [] if photographs is None else listed_photographs([photographs])
    given = [] if photographs is None else [photographs]
    refuse_outputs([Output("FOLDER", folder)], [source, *given, *images], overwrite=False)
    allowed = Tolerance(tolerance, box_tolerance_px)
    contents = read(bundle_of(model, bundle))
    checked = open_contents(contents, str(source))
    if server == Server.TRITON:
        deploy_triton(contents, checked, folder, max_batch=max_batch, delay_us=delay_us)
        typer.echo(f"{folder}: a model repository; clients call {checked.manifest['name']}_ensemble")
        return
    compared = files(images)
    if server == Server.OPENVINO:
        found = deploy_openvino(contents, checked, folder, compared, allowed)
    else:
        found = deploy_tensorrt(contents, checked, folder, compared, allowed, precision=wanted, max_batch=max_batch)
    for name, value in found["differences"].items():
        typer.echo(f"{name}: {value:.2g}")
    typer.echo(f"{folder}: answers as ONNX Runtime does, on {found['compared']}")
