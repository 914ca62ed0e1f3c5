"""Opening a bundle to predict with it: hashes, policy and a stored sample are checked before anything is used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vouch import io
from vouch.errors import BundleError, Problem
from vouch.release import bundle
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.preprocess import Preprocess, from_json
from vouch.vision.runtime import Runtime

SAMPLE_VALUES = 256  # evenly spaced values of the output: enough to see another network, few enough to read
SAMPLE_TOLERANCE = 1e-2  # canvas pixels and score: kernels of other processors differ by about 1e-3 pixels
# kernels that round an activation to the next of 256 steps change logits by about 0.04 (roadwork_int8, fused or not)
SAMPLE_TOLERANCE_EIGHT_BITS = 0.25


@dataclass(frozen=True)
class Opened:
    """A checked bundle, ready to predict; a trivial one has no runtime: it finds nothing, or says the prior."""

    manifest: dict[str, Any]
    runtime: Runtime | None
    postprocess: Postprocess | None
    prior: tuple[float, ...] | None
    classes: tuple[str, ...]
    calibrator: dict[str, Any]
    policy: dict[str, Any]


def open_bundle(folder: Path) -> Opened:
    """Verify a bundle, load it, and run its sample.

    Raises
    ------
    BundleError
        When a hash, the policy, the network or the sample does not check.
    """
    manifest = bundle.verify(folder)
    contents = {name: io.read_json(folder / f"{name}.json") for name in ("labels", "calibrator", "policy")}
    held = manifest["files"]
    return Opened(
        manifest,
        _load(folder) if "model.onnx" in held else None,
        Postprocess(**io.read_json(folder / "postprocess.json")) if "postprocess.json" in held else None,
        tuple(io.read_json(folder / "prior.json")["prior"]) if "prior.json" in held else None,
        tuple(contents["labels"]["classes"]),
        contents["calibrator"],
        contents["policy"],
    )


def sample_output(loaded: Runtime) -> list[float]:
    """Return a few output values for a fixed synthetic canvas: what another machine must reproduce."""
    values = loaded.run(sample_input(loaded.preprocess)).ravel()
    places = np.linspace(0, values.size - 1, SAMPLE_VALUES).astype(int)
    return [float(value) for value in values[places]]


def sample_input(preprocess: Preprocess) -> NDArray[np.float32]:
    """Return smooth colour waves, the same on every machine, which excite a network more than grey does."""
    axis = np.arange(preprocess.size_px, dtype=np.float64) / preprocess.size_px
    waves = [
        0.5 + 0.5 * np.sin(2 * np.pi * (f * axis[:, None] + g * axis[None, :])) for f, g in ((3, 5), (7, 2), (1, 11))
    ]
    return np.stack(waves)[None].astype(np.float32)


def _load(folder: Path) -> Runtime:
    preprocess = from_json(io.read_json(folder / "preprocess.json"), f"{folder}/preprocess.json")
    loaded = runtime.load(folder / "model.onnx", preprocess)
    expected, found = np.array(io.read_json(folder / "sample.json")["output"]), np.array(sample_output(loaded))
    tolerance = SAMPLE_TOLERANCE_EIGHT_BITS if loaded.eight_bits else SAMPLE_TOLERANCE
    if expected.shape != found.shape or not np.allclose(expected, found, rtol=SAMPLE_TOLERANCE, atol=tolerance):
        largest = (
            f"a difference of {np.abs(expected - found).max():.4f}" if expected.shape == found.shape else "another size"
        )
        problem = Problem(f"{folder}/sample.json", f"its output within {tolerance}", largest, "export and build again")
        raise BundleError([problem])
    return loaded
