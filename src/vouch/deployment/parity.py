"""Parity of a deployed network with ONNX Runtime, by whose answers calibrator, policy and gate were made."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vouch.errors import BundleError, Problem, refuse_any
from vouch.evaluation.parity import compare
from vouch.release.inference import trained
from vouch.release.opening import Bundle, sample_input
from vouch.vision.images.source import Image, required
from vouch.vision.preprocess import as_batch, placed

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Tolerance:
    """The largest differences that count as rounding, not as another network."""

    output: float  # of a logit, or of a detector's class score
    box_px: float  # of a box's centre or side, on the canvas


def demand_parity(
    bundle: Bundle, run: Run, photographs: Sequence[Image], tolerance: Tolerance, *, batch: int
) -> dict[str, Any]:
    """Return the largest differences between `run` and ONNX Runtime, as parity.json has them, when all are rounding.

    Parameters
    ----------
    bundle : Bundle
        Its runtime is the reference.
    run : float32 (n, 3, size, size) -> float32, as `preprocess.output` says
    photographs : sequence of images
        None: the bundle's own sample is compared.
    tolerance : Tolerance
    batch : int
        Photographs that `run` takes at once.

    Raises
    ------
    BundleError
        Listing every difference beyond the tolerance, and what could not be compared.
    DataError
        For every photograph that cannot be read.
    """
    reference = trained(bundle)
    pairs = ((reference.run(inputs), run(inputs)) for inputs in _inputs(bundle, photographs, batch))
    floor = None if bundle.postprocess is None else bundle.postprocess.floor
    found = compare(bundle.task, pairs, n_classes=len(bundle.classes), floor=floor)
    values = refuse_differences(bundle.manifest["name"], found, tolerance)
    compared = f"{found['photographs']} photographs" if photographs else "the bundle's own sample"
    return {"compared": compared, "differences": values, "tolerance": asdict(tolerance), "with": "ONNX Runtime"}


def refuse_differences(name: str, found: dict[str, Any], tolerance: Tolerance) -> dict[str, float | None]:
    """Return the differences of a comparison, in the form of metrics/M/export.json, when all are rounding.

    Raises
    ------
    BundleError
        Listing every difference beyond the tolerance, and what could not be compared.
    """
    values = {metric: strata["all"]["value"] for metric, strata in found["metrics"].items()}
    refuse_any(BundleError, _problems(name, values, tolerance))
    return values


def _inputs(bundle: Bundle, photographs: Sequence[Image], batch: int) -> Iterator[NDArray[np.float32]]:
    preprocess = trained(bundle).preprocess
    if not photographs:
        yield sample_input(preprocess)
    coming = required(placed(photographs, preprocess.size_px))
    while some := list(islice(coming, batch)):
        yield as_batch(some)


def _problems(name: str, values: dict[str, float | None], tolerance: Tolerance) -> Iterator[Problem]:
    limits = {
        "logit_difference": tolerance.output,
        "score_difference": tolerance.output,
        "embedding_difference": tolerance.output,
        "box_difference_px": tolerance.box_px,
        # a set of candidates may change where one of thousands lies within rounding of the floor; a class may not
        "changed_photographs": np.inf if "box_difference_px" in values else 0,
    }
    for metric, value in values.items():
        where = f"{name}: {metric}"
        if metric not in limits:  # says the same in another way, or a size
            continue
        if value is None:
            remedy = "give --photographs on which the model finds something"
            yield Problem(where, "a candidate to compare", "none", remedy)
        elif not value <= limits[metric]:  # NaN is no parity either
            yield Problem(where, f"at most {limits[metric]:g}", f"{value:.6g}", "do not serve it: another network")
