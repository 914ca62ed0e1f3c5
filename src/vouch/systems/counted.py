"""What a system says of photographs: every object, its product or that it is unknown, and how many of each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.calibration.apply.calibrator import calibrated
from vouch.errors import DataError
from vouch.policies.apply.policy import decided
from vouch.release.inference import trained
from vouch.systems.system import System
from vouch.tables import UNKNOWN
from vouch.vision.boxes import Detections, iou_matrix, suppress
from vouch.vision.identification import Identified, identified
from vouch.vision.images import threads
from vouch.vision.images.source import Image, Pixels, parts, read_images
from vouch.vision.preprocess import Placed, as_batch, letterbox
from vouch.vision.runtime import found

CORNERS = ["x1", "y1", "x2", "y2"]
OBJECTS = (
    *CORNERS,  # pixels of the upright photograph
    "class_pred",  # as the detector calls it
    "score",  # the detector's, raw
    "detection_confidence",  # calibrated: that there is such an object
    "product",  # the nearest, whether it is accepted or not; null where the gallery is empty
    "similarity",
    "margin",
    "confidence",  # calibrated: that it is this product, if it is a known one
    "known",  # the policy accepts the product; else the object counts as unknown
    "candidates",  # tuple of (product, similarity), the nearest first
)
OF_PRODUCT = ("product", "score", "similarity", "margin")
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Counted:
    """What a system says of one photograph.

    Attributes
    ----------
    name : of the image
    size : width and height of the upright photograph, pixels
    objects : table of `OBJECTS`, one row for each accepted detection, best score first, and of those on one place,
        whatever their class, for the best alone; none where nothing was found
    limit_reached : whether there are as many detections as the detector gives at most: there may be more objects
    """

    name: str
    size: tuple[int, int]
    objects: pd.DataFrame
    limit_reached: bool

    @property
    def named(self) -> list[str | None]:
        """The product of each object, None where it is unknown."""
        products, known = self.objects["product"], self.objects["known"]
        return [name if sure else None for name, sure in zip(products, known, strict=True)]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each product, and of `unknown`; what is not there is not named."""
        return dict(sorted(Counter(UNKNOWN if name is None else name for name in self.named).items()))


def counted(system: System, images: Iterable[Image], *, batch: int) -> Iterator[Counted | DataError]:
    """Yield, image by image, what is counted, or why it cannot be used: that takes no other image with it.

    Each photograph is decoded once; its crops go through the embedder together. A photograph on which nothing is
    found has no objects.

    Parameters
    ----------
    system : System
        From `system_of`.
    batch : int
        Images that a thread holds decoded at a time, and that calibration and policies see together.

    Raises
    ------
    BundleError
        When a network does not answer.
    """
    yield from (
        one
        for results in threads.ahead(trained(system.detector).pool, partial(_of_part, system), parts(images, batch))
        for one in results
    )


def _of_part(system: System, part: list[Image]) -> list[Counted | DataError]:
    pixels = list(read_images(part))
    images = list(zip(part, pixels, strict=True))
    usable = [(image.name, one) for image, one in images if not isinstance(one, DataError)]
    answers = iter(_of_pixels(system, usable) if usable else [])
    return [one if isinstance(one, DataError) else next(answers) for _, one in images]


def _of_pixels(system: System, usable: Sequence[tuple[str, Pixels]]) -> list[Counted | DataError]:
    detected = _detected(system, usable)
    accepted, of_photograph = _accepted(system, detected)
    corners = accepted[CORNERS].to_numpy(np.float64)
    named = [
        one if isinstance(one, DataError) else _named(system, name, pixels, corners[rows])
        for (name, pixels), one, rows in zip(usable, detected, of_photograph, strict=True)
    ]
    tables = iter(_decided(system, accepted, of_photograph, named))
    return [
        one if isinstance(one, DataError) else Counted(name, _size(pixels), next(tables), _full(system, found))
        for (name, pixels), one, found in zip(usable, named, detected, strict=True)
    ]


def _detected(system: System, usable: Sequence[tuple[str, Pixels]]) -> list[Detections | DataError]:
    """Return what the detector finds on each photograph, one by one.

    Eight canvases of 640 px as float32 are 39 MB, which the C library takes from the system anew each time (all beyond
    32 MB): the pages alone cost 8 ms a photograph, and the network is no faster for it.
    """
    network = trained(system.detector)
    canvases = (Placed(name, *letterbox(one, network.preprocess.size_px), _size(one)) for name, one in usable)
    answers = (found(canvas, network.run(as_batch([canvas]))[0], system.postprocess) for canvas in canvases)
    return [one if isinstance(one, DataError) else one[0] for one in answers]


def _accepted(system: System, detected: Sequence[Detections | DataError]) -> tuple[pd.DataFrame, list[slice]]:
    """Return the objects of all photographs that the detector's policy accepts, best score first, and the rows of each.

    One table for all, as one costs as much as a photograph's: tens of operations of 50 to 500 microseconds.
    """
    none = Detections(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64))
    held = [none if isinstance(one, DataError) else one for one in detected]
    corners = dict(zip(CORNERS, np.concatenate([one.boxes_xyxy for one in held]).T, strict=True))
    classes = np.asarray(system.detector.classes, dtype=object)[np.concatenate([one.class_ids for one in held])]
    scores = np.concatenate([one.scores for one in held])
    table = pd.DataFrame(corners | {"class_pred": classes, "score": scores}).astype({"class_pred": "str"})
    table = decided(system.detector.policy, calibrated(system.detector.calibrator, table))
    kept = table["accept"].to_numpy(dtype=bool)
    places = np.repeat(np.arange(len(held)), [len(one.scores) for one in held])
    kept = kept & _once(table, np.where(kept, places, -1), system.postprocess.max_iou)
    places = places[kept]
    table = table[kept].rename(columns={"confidence": "detection_confidence"})[[*OBJECTS[:7]]]
    ends = np.searchsorted(places, np.arange(len(held) + 1)).tolist()
    return table, [slice(*both) for both in pairwise(ends)]


def _once(table: pd.DataFrame, places: NDArray[np.intp], max_iou: float) -> NDArray[np.bool_]:
    """Return which detections no better one of their place, the photograph, lies on; of whatever class they are.

    A detector tells apart what it finds twice in one class alone, and of a shelf's containers one in 35 had two.
    """
    corners, scores = table[CORNERS].to_numpy(np.float64), table["score"].to_numpy(np.float64)
    alone = np.ones(len(table), dtype=bool)
    for place in np.unique(places[places >= 0]):
        rows = np.flatnonzero(places == place)
        boxes = corners[rows]
        if (np.triu(iou_matrix(boxes, boxes), 1) > max_iou).any():
            alone[rows] = False
            alone[rows[suppress(boxes, scores[rows], np.zeros(len(rows), np.int64), max_iou=max_iou)]] = True
    return alone


def _named(system: System, name: str, pixels: Pixels, boxes_xyxy: FloatArray) -> Identified | DataError:
    """Return the nearest product of each object of a photograph."""
    embeddings = _embedded(system, pixels, boxes_xyxy)
    try:
        return identified(system.gallery, embeddings, [f"{name}#{number}" for number in range(len(boxes_xyxy))])
    except DataError as refusal:
        return refusal


def _embedded(system: System, pixels: Pixels, boxes_xyxy: FloatArray) -> list[FloatArray]:
    if not len(boxes_xyxy):
        return []
    network = trained(system.identifier)
    cut = (pixels[y1:y2, x1:x2] for x1, y1, x2, y2 in whole_pixels(boxes_xyxy, _size(pixels)).tolist())
    canvases = [Placed("", *letterbox(one, network.preprocess.size_px), _size(one)) for one in cut]
    return list(network.run(as_batch(canvases)).astype(np.float64))


def whole_pixels(boxes_xyxy: FloatArray, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return the smallest whole pixels that hold each box, at least one of each axis, inside the photograph.

    >>> whole_pixels(np.array([[1.2, 0.0, 3.1, 2.0], [9.0, 4.0, 9.0, 9.0]]), (9, 9)).tolist()
    [[1, 0, 4, 2], [8, 4, 9, 9]]
    """
    most = np.asarray(size, np.int64)
    low = np.clip(np.floor(boxes_xyxy[:, :2]).astype(np.int64), 0, most - 1)
    high = np.clip(np.ceil(boxes_xyxy[:, 2:]).astype(np.int64), low + 1, most)
    return np.concatenate([low, high], axis=1)


def _decided(
    system: System, accepted: pd.DataFrame, of_photograph: Sequence[slice], named: Sequence[Identified | DataError]
) -> list[pd.DataFrame]:
    """Return the objects of each photograph that is not refused, calibrated and decided: all at once."""
    both = [(rows, one) for rows, one in zip(of_photograph, named, strict=True) if not isinstance(one, DataError)]
    if not both:
        return []
    kept = np.concatenate([np.arange(rows.start, rows.stop) for rows, _ in both])
    said = {column: np.concatenate([getattr(one, column) for _, one in both]) for column in OF_PRODUCT}
    asked = pd.DataFrame({"class_pred": said.pop("product"), **said}).astype({"class_pred": "str"})
    answers = decided(system.identifier.policy, calibrated(system.identifier.calibrator, asked))
    candidates: list[Any] = [found for _, one in both for found in one.candidates]
    table = accepted.iloc[kept].reset_index(drop=True)
    table = table.assign(
        product=asked["class_pred"],
        similarity=asked["similarity"],
        margin=asked["margin"],
        confidence=answers["confidence"],
        known=answers["accept"].to_numpy(dtype=bool) & asked["class_pred"].notna().to_numpy(),
        candidates=candidates,
    )[[*OBJECTS]]
    ends = np.cumsum([0, *(len(one.score) for _, one in both)]).tolist()
    return [table.iloc[start:end].reset_index(drop=True) for start, end in pairwise(ends)]


def _full(system: System, found: Detections | DataError) -> bool:
    return not isinstance(found, DataError) and len(found.scores) >= system.postprocess.limit


def _size(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]
