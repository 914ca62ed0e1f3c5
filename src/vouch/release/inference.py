"""What an opened bundle says of photographs: the raw answer, calibrated, and decided by its one policy."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.calibration.apply.calibrator import calibrated
from vouch.calibration.apply.probabilities import PROBABILITY
from vouch.errors import BundleError, Problem
from vouch.policies.apply.policy import decided
from vouch.policies.apply.selective import score_column
from vouch.release.opening import Opened
from vouch.vision import runtime
from vouch.vision.progress import shown
from vouch.vision.rows import classification_rows
from vouch.vision.runtime import Runtime

BATCH = 8


def answer(opened: Opened, images: Sequence[Path]) -> pd.DataFrame:
    """Return what the bundle says, calibrated and decided.

    Parameters
    ----------
    opened : Opened
        From `opening.open_bundle`.
    images : sequence of paths
        Photographs.

    Returns
    -------
    table
        A detector: one row a detection: image, class_pred, score, confidence, accept, x1, y1, x2, y2 (pixels).
        A classifier: one row a photograph: image, class_pred, confidence, accept, prediction_set, why and
        probability_<class>.

    Raises
    ------
    BundleError
        When the bundle is trivial: it does not look at photographs.
    """
    loaded = trained(opened)
    return (_classes if loaded.preprocess.task == "classify" else _detections)(opened, loaded, images)


def seen(opened: Opened, images: Sequence[Path]) -> tuple[pd.DataFrame, NDArray[np.float64] | None]:
    """Return a classifier's calibrated and decided rows, one a photograph, and their embeddings where it gives them.

    Raises
    ------
    BundleError
        When the bundle is trivial.
    """
    loaded = trained(opened)
    if loaded.embed is None:
        return _decided(opened, images, runtime.classify(loaded, images, batch=BATCH)), None
    pairs = list(shown(runtime.embed(loaded, images, batch=BATCH), len(images), "embed"))
    return _decided(opened, images, (answers for answers, _ in pairs)), np.stack([embedding for _, embedding in pairs])


def trained(opened: Opened) -> Runtime:
    """Return the bundle's network.

    Raises
    ------
    BundleError
        When the bundle is trivial: it does not look at photographs.
    """
    if opened.runtime is None:
        where = f"bundle {opened.manifest['name']}"
        raise BundleError([Problem(where, "a trained bundle", "a trivial one", "run `dvc repro`, or name another")])
    return opened.runtime


def _detections(opened: Opened, loaded: Runtime, images: Sequence[Path]) -> pd.DataFrame:
    assert opened.postprocess is not None  # a detector's bundle does not verify without it
    found = runtime.detect(loaded, images, opened.postprocess, batch=BATCH)
    rows = [
        (str(image), opened.classes[class_id], float(score), *(float(value) for value in box))
        for image, (one, _) in zip(images, shown(found, len(images), "predict"), strict=True)
        for class_id, score, box in zip(one.class_ids, one.scores, one.boxes_xyxy, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["image", "class_pred", "score", "x1", "y1", "x2", "y2"])
    table = decided(opened.policy, calibrated(opened.calibrator, table.astype({"score": "float64"})))
    return table[["image", "class_pred", "score", "confidence", "accept", "x1", "y1", "x2", "y2"]]


def _classes(opened: Opened, loaded: Runtime, images: Sequence[Path]) -> pd.DataFrame:
    answers = shown(runtime.classify(loaded, images, batch=BATCH), len(images), "predict")
    rows = _decided(opened, images, answers).rename(columns={"sample_id": "image"})
    rows["why"] = [_why(opened.policy, row) for row in rows.to_dict("records")]
    probabilities = [PROBABILITY + name for name in opened.classes]
    return rows[["image", "class_pred", "confidence", "accept", "prediction_set", "why", *probabilities]]


def _decided(opened: Opened, images: Sequence[Path], answers: Iterable[NDArray[np.float64]]) -> pd.DataFrame:
    names = [str(image) for image in images]
    samples = pd.DataFrame({"sample_id": names, "group": names, "label": None})
    rows = classification_rows(samples, answers, opened.classes).drop(columns=["class_true", "correct"])
    return decided(opened.policy, calibrated(opened.calibrator, rows))


def _why(policy: dict[str, Any], row: dict[Any, Any]) -> str:
    """Say in words why the policy answers, or hands the photograph to a person."""
    if not policy["feasible"]:
        return "the policy is infeasible: it answers nothing"
    score = score_column(policy)
    limit = policy["threshold"] if "threshold" in policy else policy["lam1"]
    if not row["selected"]:
        return f"{score} {row[score]:.3f} is below {limit:.3f}"
    if not row["accept"]:
        return f"{int(row['set_size'])} classes are possible at the promised risk"
    return f"{score} {row[score]:.3f} reaches {limit:.3f}, and one class is possible"
