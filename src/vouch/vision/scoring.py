"""A network, or a trivial bundle in its place, scores photographs: the waist's rows, by task."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import DataError
from vouch.retrieval.gallery import Gallery
from vouch.tasks import ByTask
from vouch.vision import runtime
from vouch.vision.boxes import Detections, Postprocess
from vouch.vision.crops import crops, images
from vouch.vision.identification import identified
from vouch.vision.images.source import files, read_images, required
from vouch.vision.progress import shown
from vouch.vision.rows import classification_rows, detection_rows, identification_rows
from vouch.vision.runtime import Runtime


@dataclass(frozen=True)
class Network:
    """What answers: a loaded network, or none where a trivial bundle finds nothing or says the prior."""

    runtime: Runtime | None
    classes: tuple[str, ...]
    postprocess: Postprocess | None  # of a detector
    prior: tuple[float, ...] | None  # of a trivial classifier
    gallery: Gallery | None  # of an embedder


def scored_boxes(network: Network, samples: pd.DataFrame, boxes: pd.DataFrame, batch: int, label: str) -> pd.DataFrame:
    """Return `rows.detection_rows` of the photographs; `label` stands beside the progress."""
    photographs = files(samples["image"])
    if network.runtime is None:
        nothing = Detections(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64))
        found: Iterator[runtime.Found | DataError] = (
            one if isinstance(one, DataError) else (nothing, (one.shape[1], one.shape[0]))
            for one in read_images(photographs)
        )
    else:
        assert network.postprocess is not None  # ships with every detector's network
        found = runtime.detect(network.runtime, photographs, network.postprocess, batch=batch)
    return detection_rows(samples, boxes, shown(required(found), len(photographs), label), network.classes)


def scored_classes(
    network: Network, samples: pd.DataFrame, boxes: pd.DataFrame, batch: int, label: str
) -> pd.DataFrame:
    """Return `rows.classification_rows` of the photographs; boxes, if there are any, say nothing here."""
    photographs = files(samples["image"])
    if network.runtime is None:
        same = np.log(np.asarray(network.prior, dtype=np.float64))
        answers: Iterator[NDArray[np.float64] | DataError] = (same for _ in photographs)
    else:
        answers = runtime.classify(network.runtime, photographs, batch=batch)
    return classification_rows(samples, shown(required(answers), len(photographs), label), network.classes)


def scored_products(
    network: Network, samples: pd.DataFrame, boxes: pd.DataFrame, batch: int, label: str
) -> pd.DataFrame:
    """Return `rows.identification_rows` of the crops of the photographs, as `crops.crops` cuts them."""
    cut = crops(samples, boxes)
    if network.runtime is None or network.gallery is None:
        return identification_rows(cut, None, network.classes)
    answers = runtime.classify(network.runtime, images(cut), batch=batch)
    embeddings = list(shown(required(answers), len(cut), label))
    seen = identified(network.gallery, embeddings, cut["sample_id"].tolist())
    return identification_rows(cut, seen, network.gallery.products)


SCORED: ByTask[Callable[[Network, pd.DataFrame, pd.DataFrame, int, str], pd.DataFrame]] = ByTask(
    detect=scored_boxes, classify=scored_classes, identify=scored_products
)
