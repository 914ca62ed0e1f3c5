"""What a system says of photographs: every object, its product or that it is unknown, and how many of each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
from vouch.vision.boxes import Detections
from vouch.vision.identification import identified
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
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Counted:
    """What a system says of one photograph.

    Attributes
    ----------
    name : of the image
    size : width and height of the upright photograph, pixels
    objects : table of `OBJECTS`, one row for each accepted detection, best score first; none where nothing was found
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
        Images that a thread holds decoded at a time, and that the detector sees together.

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
    accepted = _accepted(system, detected)
    named = [
        one if isinstance(one, DataError) else _named(system, name, pixels, table)
        for (name, pixels), one, table in zip(usable, detected, accepted, strict=True)
    ]
    decided_tables = iter(_decided(system, [one for one in named if not isinstance(one, DataError)]))
    return [
        one if isinstance(one, DataError) else Counted(name, _size(pixels), next(decided_tables), _full(system, found))
        for (name, pixels), one, found in zip(usable, named, detected, strict=True)
    ]


def _detected(system: System, usable: Sequence[tuple[str, Pixels]]) -> list[Detections | DataError]:
    network = trained(system.detector)
    canvases = [Placed(name, *letterbox(one, network.preprocess.size_px), _size(one)) for name, one in usable]
    outputs = network.run(as_batch(canvases))
    answers = (found(canvas, output, system.postprocess) for canvas, output in zip(canvases, outputs, strict=True))
    return [one if isinstance(one, DataError) else one[0] for one in answers]


def _accepted(system: System, detected: Sequence[Detections | DataError]) -> list[pd.DataFrame]:
    """Return what the detector's policy accepts of each photograph, best score first; nothing of a refused one."""
    classes, held = np.asarray(system.detector.classes, dtype=object), []
    for place, one in enumerate(detected):
        if not isinstance(one, DataError):
            corners = dict(zip(CORNERS, one.boxes_xyxy.T, strict=True))
            columns = {"place": place, "class_pred": classes[one.class_ids], "score": one.scores}
            held.append(pd.DataFrame(corners | columns, index=range(len(one.scores))))
    none = pd.DataFrame(columns=["place", *CORNERS, "class_pred", "score"])
    table = (pd.concat(held, ignore_index=True) if held else none).astype({"class_pred": "str", "score": "float64"})
    table = decided(system.detector.policy, calibrated(system.detector.calibrator, table))
    table = table[table["accept"].to_numpy(dtype=bool)].rename(columns={"confidence": "detection_confidence"})
    of_place = dict(iter(table.groupby("place", sort=False)))
    return [of_place.get(place, table.iloc[:0])[[*OBJECTS[:7]]] for place in range(len(detected))]


def _named(system: System, name: str, pixels: Pixels, found: pd.DataFrame) -> pd.DataFrame | DataError:
    """Return the objects of a photograph with the nearest product of each, not decided yet."""
    embeddings = _embedded(system, pixels, found[CORNERS].to_numpy(np.float64))
    try:
        seen = identified(system.gallery, embeddings, [f"{name}#{number}" for number in range(len(found))])
    except DataError as refusal:
        return refusal
    columns: dict[str, Any] = {column: getattr(seen, column) for column in ("product", "similarity", "margin")}
    columns |= {"raw": seen.score, "candidates": list(seen.candidates)}
    return found.assign(**columns)


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


def _decided(system: System, named: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the objects of each photograph, calibrated and decided: all at once, for a call takes milliseconds."""
    if not named:
        return []
    lengths = np.cumsum([len(one) for one in named])[:-1]
    table = pd.concat(named, ignore_index=True)
    asked = pd.DataFrame({"class_pred": table["product"], "score": table["raw"].astype("float64")})
    asked = asked.assign(similarity=table["similarity"], margin=table["margin"]).astype({"class_pred": "str"})
    said = decided(system.identifier.policy, calibrated(system.identifier.calibrator, asked))
    known = said["accept"].to_numpy(dtype=bool) & table["product"].notna().to_numpy()
    table = table.assign(confidence=said["confidence"], known=known)[[*OBJECTS]].astype({"product": "str"})
    places = np.split(np.arange(len(table)), lengths)
    return [table.iloc[place].reset_index(drop=True) for place in places]


def _full(system: System, found: Detections | DataError) -> bool:
    return not isinstance(found, DataError) and len(found.scores) >= system.postprocess.limit


def _size(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]
