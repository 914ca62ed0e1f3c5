"""What an open bundle says of photographs: the raw answer, calibrated, and decided by its one policy."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.calibration.apply.calibrator import calibrated
from vouch.errors import BundleError, DataError, Problem, refuse_any
from vouch.policies.apply.kinds import form_of, score_column
from vouch.policies.apply.policy import decided
from vouch.release.opening import Bundle
from vouch.retrieval.gallery import Gallery, transform
from vouch.tables import PROBABILITY
from vouch.tasks import ByTask
from vouch.vision import runtime
from vouch.vision.identification import identified
from vouch.vision.images.source import Image, required
from vouch.vision.progress import shown
from vouch.vision.rows import classification_rows
from vouch.vision.runtime import Runtime

BATCH = 8
T = TypeVar("T")
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Answered:
    """What a bundle says of the images that can be used, and every problem of the others."""

    rows: pd.DataFrame
    refused: tuple[Problem, ...]


def answer(bundle: Bundle, images: Sequence[Image]) -> Answered:
    """Return what the bundle says, calibrated and decided; an image that fails takes no other with it.

    Parameters
    ----------
    bundle : Bundle
        From `opening.open_bundle`.
    images : sequence of images

    Returns
    -------
    Answered
        A detector: one row per detection: image, class_pred, score, confidence, accept, x1, y1, x2, y2 (pixels).
        A classifier: one row per photograph: image, class_pred, confidence, accept, prediction_set, why and
        probability_<class>. An embedder: one row per image: image, class_pred (the nearest product), similarity,
        margin, confidence (that it is right, if it is known at all), accept, candidates ("<product>=<cosine>|...").

    Raises
    ------
    BundleError
        When the bundle is trivial: it does not look at photographs.
    DataError
        When none of the images can be used.
    """
    return ANSWERS[bundle.task](bundle, trained(bundle), images)


def seen(bundle: Bundle, images: Sequence[Image]) -> tuple[pd.DataFrame, NDArray[np.float64] | None]:
    """Return a classifier's calibrated and decided rows, one per photograph, and their embeddings where it gives them.

    Raises
    ------
    BundleError
        When the bundle is trivial.
    DataError
        For every image that cannot be used.
    """
    loaded = trained(bundle)
    names = [image.name for image in images]
    if loaded.embed is None:
        return _decided(bundle, names, required(runtime.classify(loaded, images, batch=BATCH))), None
    pairs = list(shown(required(runtime.embed(loaded, images, batch=BATCH)), len(images), "embed"))
    return _decided(bundle, names, (outputs for outputs, _ in pairs)), np.stack([embedding for _, embedding in pairs])


def trained(bundle: Bundle) -> Runtime:
    """Return the bundle's network.

    Raises
    ------
    BundleError
        When the bundle is trivial: it does not look at photographs.
    """
    if bundle.runtime is None:
        where = f"bundle {bundle.manifest['name']}"
        raise BundleError([Problem(where, "a trained bundle", "a trivial one", "run `dvc repro`, or name another")])
    return bundle.runtime


def _detections(bundle: Bundle, loaded: Runtime, images: Sequence[Image]) -> Answered:
    assert bundle.postprocess is not None  # a detector's bundle does not verify without it
    used, refused = _sorted_out(images, runtime.detect(loaded, images, bundle.postprocess, batch=BATCH))
    rows = [
        (name, bundle.classes[class_id], float(score), *(float(value) for value in box))
        for name, (one, _) in used
        for class_id, score, box in zip(one.class_ids, one.scores, one.boxes_xyxy, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["image", "class_pred", "score", "x1", "y1", "x2", "y2"])
    table = decided(bundle.policy, calibrated(bundle.calibrator, table.astype({"score": "float64"})))
    return Answered(table[["image", "class_pred", "score", "confidence", "accept", "x1", "y1", "x2", "y2"]], refused)


def _classes(bundle: Bundle, loaded: Runtime, images: Sequence[Image]) -> Answered:
    used, refused = _sorted_out(images, runtime.classify(loaded, images, batch=BATCH))
    rows = _decided(bundle, [name for name, _ in used], (one for _, one in used)).rename(columns={"sample_id": "image"})
    rows["why"] = [_why(bundle.policy, row) for row in rows.to_dict("records")]
    probabilities = [PROBABILITY + name for name in bundle.classes]
    columns = ["image", "class_pred", "confidence", "accept", "prediction_set", "why", *probabilities]
    return Answered(rows[columns], refused)


def _products(bundle: Bundle, loaded: Runtime, images: Sequence[Image]) -> Answered:
    assert bundle.gallery is not None  # an embedder's bundle does not verify without it
    answers = zip(images, runtime.classify(loaded, images, batch=BATCH), strict=True)
    used, refused = _sorted_out(images, (_comparable(bundle.gallery, image, one) for image, one in answers))
    names = [name for name, _ in used]
    seen = identified(bundle.gallery, [one for _, one in used], names)
    columns = {name: getattr(seen, name) for name in ("score", "similarity", "margin")}
    table = pd.DataFrame({"image": names, "class_pred": seen.product, **columns}).astype({"class_pred": "str"})
    table = decided(bundle.policy, calibrated(bundle.calibrator, table))
    table["candidates"] = ["|".join(f"{name}={cosine:.4f}" for name, cosine in one) for one in seen.candidates]
    shown_columns = ["image", "class_pred", "similarity", "margin", "confidence", "accept", "candidates"]
    return Answered(table[shown_columns], refused)


def _comparable(gallery: Gallery, image: Image, embedding: FloatArray | DataError) -> FloatArray | DataError:
    """Return an embedding that the gallery can compare, or why it cannot: of an image by itself, so no other fails."""
    if isinstance(embedding, DataError):
        return embedding
    try:
        transform(gallery, embedding[None], samples=[image.name])
    except DataError as refusal:
        return refusal
    return embedding


ANSWERS: ByTask[Callable[[Bundle, Runtime, Sequence[Image]], Answered]] = ByTask(
    detect=_detections, classify=_classes, identify=_products
)


def _sorted_out(
    images: Sequence[Image], results: Iterable[T | DataError]
) -> tuple[list[tuple[str, T]], tuple[Problem, ...]]:
    """Return the results with the names of their images, and the problems of the images that have none."""
    both = list(zip(images, shown(results, len(images), "predict"), strict=True))
    refused = [problem for _, one in both if isinstance(one, DataError) for problem in one.problems]
    used = [(image.name, one) for image, one in both if not isinstance(one, DataError)]
    if not used:
        refuse_any(DataError, refused)
    return used, tuple(refused)


def _decided(bundle: Bundle, names: Sequence[str], outputs: Iterable[NDArray[np.float64]]) -> pd.DataFrame:
    samples = pd.DataFrame({"sample_id": names, "group": names, "label": None})
    rows = classification_rows(samples, outputs, bundle.classes).drop(columns=["class_true", "correct"])
    return decided(bundle.policy, calibrated(bundle.calibrator, rows))


def _why(policy: dict[str, Any], row: dict[Any, Any]) -> str:
    """Say in words why the policy answers, or hands the photograph to a person."""
    if not policy["feasible"]:
        return "the policy is infeasible: it answers nothing"
    score = score_column(policy)
    limit = policy[form_of(policy).limit]
    if not row["selected"]:
        return f"{score} {row[score]:.3f} is below {limit:.3f}"
    if not row["accept"]:
        return f"{int(row['set_size'])} classes are possible at the promised risk"
    return f"{score} {row[score]:.3f} reaches {limit:.3f}, and one class is possible"
