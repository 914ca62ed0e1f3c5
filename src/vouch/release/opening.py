"""Opening a bundle to predict with it: hashes, policy and a stored sample are checked before anything is used."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vouch.documents import DocumentError, parse_json
from vouch.errors import BundleError, Problem, refuse_any
from vouch.release import bundle
from vouch.release.bundle import Contents
from vouch.release.licences import licences_in, licences_text
from vouch.release.parts import SAMPLE_VALUES, Parts
from vouch.retrieval.gallery import Gallery
from vouch.tasks import ByTask, Task
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.preprocess import Preprocess, to_json
from vouch.vision.runtime import Runtime

SAMPLE_TOLERANCE = 1e-2  # canvas pixels and score: kernels of other processors differ by about 1e-3 pixels
# kernels that round an activation to the next of 256 steps change logits by about 0.04 (roadwork_int8, fused or not)
SAMPLE_TOLERANCE_EIGHT_BITS = 0.25
VALUES: ByTask[Callable[[Parts], tuple[int, ...]]] = ByTask(  # rows that an output for these parts may have
    detect=lambda parts: (4 + len(parts.classes),),  # a box's four before the classes
    classify=lambda parts: (len(parts.classes), len(parts.classes) + 1),  # the last one of a gate
    identify=lambda parts: () if parts.gallery is None else (len(parts.gallery.mean),),
)


@dataclass(frozen=True)
class Bundle:
    """A checked bundle, ready to predict; a trivial one has no runtime: it finds nothing, or says the prior."""

    manifest: dict[str, Any]
    task: Task
    runtime: Runtime | None
    postprocess: Postprocess | None
    prior: tuple[float, ...] | None
    classes: tuple[str, ...]
    calibrator: dict[str, Any]
    policy: dict[str, Any]
    gallery: Gallery | None  # of an embedder


def open_bundle(folder: Path) -> Bundle:
    """Verify a bundle, load it, and run its sample.

    Raises
    ------
    BundleError
        As `open_contents` does, and when a hash or a part does not check.
    """
    return open_contents(bundle.read(folder), str(folder))


def open_contents(contents: Contents, where: str) -> Bundle:
    """Load the network of a bundle that was read, and run its sample.

    What can be known of the order of the labels is: a network that says its own, and a classifier's calibrator, must
    have that of labels.json. Of a detector whose file says nothing, an order that fits its hash is believed.

    Raises
    ------
    BundleError
        When the network does not load, does not answer for these classes, says other labels or another preprocessing,
        or does not reproduce the sample.
    """
    parts = contents.parts
    return Bundle(
        contents.manifest,
        contents.manifest["task"],
        None if parts.preprocess is None else _load(contents, parts.preprocess, where),
        parts.postprocess,
        parts.prior,
        parts.classes,
        parts.calibrator,
        parts.policy,
        parts.gallery,
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


def _load(contents: Contents, preprocess: Preprocess, where: str) -> Runtime:
    loaded = runtime.load_bytes(contents.files["model.onnx"], preprocess, f"{where}/model.onnx")
    looked = (_output_problems, _metadata_problems, _licence_problems)
    refuse_any(BundleError, [problem for look in looked for problem in look(contents, loaded, where)])
    expected, found = np.array(contents.parts.sample), np.array(sample_output(loaded))
    tolerance = SAMPLE_TOLERANCE_EIGHT_BITS if loaded.eight_bits else SAMPLE_TOLERANCE
    if not np.allclose(expected, found, rtol=SAMPLE_TOLERANCE, atol=tolerance):
        largest = f"a difference of {np.abs(expected - found).max():.4f}"
        problem = Problem(f"{where}/sample.json", f"its output within {tolerance}", largest, "export and build again")
        raise BundleError([problem])
    return loaded


def _output_problems(contents: Contents, loaded: Runtime, where: str) -> list[Problem]:
    """List an output that has another number of classes, and a gate that only one of network and calibrator has."""
    count, values, remedy = len(contents.parts.classes), loaded.shape[0], "export and build again"
    possible = VALUES[loaded.preprocess.task](contents.parts)
    if values not in possible:
        expected = f"an output of {' or '.join(map(str, possible))} rows, for the {count} classes of labels.json"
        return [Problem(f"{where}/model.onnx", expected, f"one of shape {list(loaded.shape)}", remedy)]
    mapped = contents.parts.calibrator.get("gate") is not None  # as no detector's is
    if mapped and values == count:
        return [Problem(f"{where}/model.onnx", "a gate's logit, which the calibrator maps", "none", remedy)]
    return []


def _metadata_problems(contents: Contents, loaded: Runtime, where: str) -> list[Problem]:
    """List what the file says of its labels and its input against labels.json and preprocess.json."""
    held = {
        "labels": {str(place): name for place, name in enumerate(contents.parts.classes)},
        "preprocess": to_json(loaded.preprocess),
    }
    problems: list[Problem] = []
    for key, expected in held.items():
        place = f"{where}/model.onnx: metadata {key}"
        try:
            said = parse_json(loaded.metadata[key], place) if key in loaded.metadata else expected
        except DocumentError as error:
            problems += error.problems
            continue
        if said != expected:
            problems.append(Problem(place, str(expected)[:240], str(said)[:240], "export and build again"))
    return problems


def _licence_problems(contents: Contents, loaded: Runtime, where: str) -> list[Problem]:
    """List licences that the network names and the bundle does not carry, word for word, or the other way round."""
    try:
        said = licences_in(loaded.metadata, f"{where}/model.onnx")
    except BundleError as error:
        return list(error.problems)
    expected, found = licences_text(said) if said else None, contents.files.get("licences.txt")
    if found == expected:
        return []
    wanted = f"the licences of {', '.join(said)}"[:240] if said else "no licences, for the network names none"
    got = "nothing" if found is None else "another text"
    return [Problem(f"{where}/licences.txt", wanted, got, "build it again")]
