"""What eight bits cost: how far a quantised network answers from its source, in the form of metrics/M/export.json.

Each comparison says how large the largest difference is, and which share of the answers stays the same.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vouch.evaluation.parity import Pair, as_metrics, compare, compare_answers, compare_embeddings
from vouch.retrieval.embeddings import directions
from vouch.retrieval.gallery import Gallery, transform
from vouch.retrieval.neighbours import NOBODY, nearest
from vouch.vision.boxes import IOU_THRESHOLDS, Postprocess, decode, match

Outputs = NDArray[np.float32]
STEP = float(IOU_THRESHOLDS[1] - IOU_THRESHOLDS[0])


def with_sizes(found: dict[str, Any], *, file_bytes: int, source_bytes: int) -> dict[str, Any]:
    """Return a comparison with the size of the quantised file, and as a share of its source's."""
    sizes = as_metrics({"file_bytes": (file_bytes, 1), "file_fraction": (file_bytes / source_bytes, 1)})
    return found | {"metrics": found["metrics"] | sizes}


def compare_classes(first: Outputs, second: Outputs, *, n_classes: int) -> dict[str, Any]:
    """Compare two classifiers' outputs, float32 (n, classes) or (n, classes + 1): logits, and the best class."""
    found = compare_answers(first, second, n_classes=n_classes)
    changed = found["metrics"].pop("changed_photographs")["all"]["value"]
    return _with(found, _changes(changed, len(first)))


def compare_products(first: Outputs, second: Outputs, *, galleries: tuple[Gallery, Gallery]) -> dict[str, Any]:
    """Compare two embedders' outputs, float32 (n, d): embeddings, and the nearest product in the gallery of each.

    Raises
    ------
    DataError
        When an embedding has no direction, or is of another width than the galleries.
    """
    cosines = (directions(first) * directions(second)).sum(axis=1)
    named = [_names(gallery, outputs) for gallery, outputs in zip(galleries, (first, second), strict=True)]
    changed = sum(one != other for one, other in zip(*named, strict=True))
    least = as_metrics({"least_cosine": (float(cosines.min()) if len(first) else None, len(first))})
    return _with(compare_embeddings(first, second), least | _changes(changed, len(first)))


def compare_boxes(pairs: Sequence[Pair], postprocess: Postprocess, *, least_iou: float) -> dict[str, Any]:
    """Compare two detectors' outputs, one pair a photograph: candidates, and which detections are found again.

    Parameters
    ----------
    pairs : sequence of pairs of float32 (4 + classes, candidates)
    postprocess : Postprocess
        How candidates of both become detections; boxes are compared from its floor on.
    least_iou : float
        One of .50, .55 … .95: a detection is found again when the other network has one of its class that overlaps it
        so much, each counted once.

    Returns
    -------
    dict
        As `parity.summarise`, with `boxes_found_again`: a share of the first network's detections, null where it has
        none. Its `n_rows` is their number.
    """
    found = compare(
        "detect", [(first[None], second[None]) for first, second in pairs], n_classes=0, floor=postprocess.floor
    )
    bit = round((least_iou - float(IOU_THRESHOLDS[0])) / STEP)
    total = again = 0
    for first, second in pairs:
        wanted, got = (decode(output, postprocess) for output in (first, second))
        total += len(wanted.scores)
        again += int((match(got, wanted.boxes_xyxy, wanted.class_ids).hits >> bit & 1).sum())
    return _with(found, as_metrics({"boxes_found_again": (again / total if total else None, total)}))


def _names(gallery: Gallery, outputs: Outputs) -> list[str | None]:
    indices = nearest(gallery, transform(gallery, outputs).astype(np.float32), k=1).product_index[:, 0]
    return [None if index == NOBODY else gallery.products[index] for index in indices.tolist()]


def _changes(changed: int, count: int) -> dict[str, Any]:
    return as_metrics(
        {"changed_photographs": (changed, count), "changed_fraction": (changed / count if count else None, count)}
    )


def _with(found: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return found | {"metrics": found["metrics"] | more}
