"""Mistakes as pictures: the whole photograph with its box, and a closer look beside it."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from vouch.errors import DataError, Problem, refuse_any
from vouch.vision.draw import caption, draw_boxes

HEIGHT_PX = 260  # of both panels: about 25 kB a picture, legible on a phone
MOST_COUNTED_PX = 1400  # of a photograph with every object and a legend: about 200 kB
MOST_WIDTH_PX = 470  # of the photograph's panel
CLOSER = 2.5  # the closer look shows this many times the longer side of the box
LEAST_PX = 64  # and never less than this, so that its surroundings can be told
COLOUR = {
    "miss": 3,
    "false_alarm": 5,
    "wrong_exit": 5,
    "abstention": 3,
    "wrong_product": 5,
    "left_unknown": 3,
}  # of vision.draw.PALETTE
KINDS = {  # in the order of the page
    "miss": "Missed",
    "false_alarm": "False alarm",
    "wrong_exit": "Answered wrongly as",
    "abstention": "Left to a person",
    "wrong_product": "Taken for",
    "left_unknown": "Not named, nearest to",
}
TOLD = ("wrong_exit", "abstention", "wrong_product", "left_unknown")  # with the truth: of six classes none is implied
OF_PHOTOGRAPHS = ("wrong_exit", "abstention")
MOST = 8  # photographs of each kind: about half a megabyte of page
QUALITY = 82  # of the JPEG


@dataclass(frozen=True)
class Mistake:
    """All rows of one kind on one photograph: boxes_xyxy float64 (n, 4) in its pixels, captions for each."""

    sample_id: str
    image: str
    kind: str
    boxes_xyxy: NDArray[np.float64]
    captions: tuple[str, ...]


def worst(misses: pd.DataFrame, samples: pd.DataFrame, kind: str) -> list[Mistake]:
    """Return the first eight photographs of a kind, in the table's order (worst first), each with all its rows.

    Parameters
    ----------
    misses : columns sample_id, kind (of `KINDS`), class, class_true, confidence, x1, y1, x2, y2 in pixels
    samples : columns sample_id and image

    Raises
    ------
    DataError
        Naming each mistake on a photograph that the manifest does not have.
    """
    rows = misses[misses["kind"] == kind]
    unknown = sorted(set(rows["sample_id"]) - set(samples["sample_id"]))
    remedy = "run `dvc repro` of evaluate again"
    refuse_any(DataError, [Problem("misses.csv", "a sample of the manifest", name, remedy) for name in unknown])
    images = dict(zip(samples["sample_id"], samples["image"], strict=True))
    groups = list(rows.groupby("sample_id", sort=False))[:MOST]
    return [_mistake(part, str(images[sample_id]), kind) for sample_id, part in groups]


def _mistake(rows: pd.DataFrame, image: str, kind: str) -> Mistake:
    levels = [level if level > 0 else None for level in rows["confidence"].tolist()]  # 0: nothing was found there
    captions = tuple(caption(name, level) for name, level in zip(rows["class"], levels, strict=True))
    if kind in TOLD:
        captions = tuple(f"{said}, in truth {true}" for said, true in zip(captions, rows["class_true"], strict=True))
    boxes = rows[["x1", "y1", "x2", "y2"]].to_numpy(np.float64)
    return Mistake(str(rows["sample_id"].iloc[0]), image, kind, boxes, captions)


def alt_text(mistake: Mistake) -> str:
    """Return what stands for the picture in words: what was missed or wrongly seen, and where.

    A missed object with a confidence was found, but not surely enough for the policy.
    """
    place = "." if mistake.kind in OF_PHOTOGRAPHS else " in"
    return f"{KINDS[mistake.kind]}: {', '.join(mistake.captions)}{place} {mistake.sample_id}"


def data_uri(photograph: Image.Image, mistake: Mistake) -> str:
    """Return the picture of a mistake as a JPEG data URI: the photograph, and its first box closer."""
    panels = list(_panels(photograph.convert("RGB"), mistake))
    sheet = Image.new("RGB", (sum(panel.width for panel in panels) + 4 * (len(panels) - 1), HEIGHT_PX), "white")
    left = 0
    for panel in panels:
        sheet.paste(panel, (left, (HEIGHT_PX - panel.height) // 2))
        left += panel.width + 4
    return _jpeg(sheet)


def plain_uri(photograph: Image.Image) -> str:
    """Return a whole photograph as a JPEG data URI."""
    return _jpeg(_whole(photograph.convert("RGB")))


def counted_uri(drawn: Image.Image) -> str:
    """Return a photograph with every object and a legend as a JPEG data URI, wide enough for its names to be read."""
    scale = min(1.0, MOST_COUNTED_PX / drawn.width)
    size = (round(drawn.width * scale), max(1, round(drawn.height * scale)))
    return _jpeg(drawn if scale == 1 else drawn.resize(size, Image.Resampling.LANCZOS))


def _jpeg(sheet: Image.Image) -> str:
    stream = BytesIO()
    sheet.save(stream, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _scale(photograph: Image.Image) -> float:
    return min(HEIGHT_PX / photograph.height, MOST_WIDTH_PX / photograph.width)


def _whole(photograph: Image.Image) -> Image.Image:
    scale = _scale(photograph)
    size = (max(1, round(photograph.width * scale)), max(1, round(photograph.height * scale)))
    return photograph.resize(size, Image.Resampling.LANCZOS)


def _panels(photograph: Image.Image, mistake: Mistake) -> Iterator[Image.Image]:
    scale, whole = _scale(photograph), _whole(photograph)
    colours = [COLOUR[mistake.kind]] * len(mistake.captions)
    if len(mistake.boxes_xyxy) == 0 or np.isnan(mistake.boxes_xyxy).any():  # of the whole photograph: no box
        yield whole
        return
    yield draw_boxes(whole, mistake.boxes_xyxy * scale, captions=[""] * len(colours), colours=colours)
    window = _window(mistake.boxes_xyxy[0], photograph.size)
    zoom = HEIGHT_PX / (window[2] - window[0])
    close = photograph.resize((HEIGHT_PX, HEIGHT_PX), Image.Resampling.LANCZOS, box=window)
    boxes = (mistake.boxes_xyxy - np.array([window[0], window[1]] * 2)) * zoom
    yield draw_boxes(close, boxes[:1], captions=mistake.captions[:1], colours=colours[:1])


def _window(box: NDArray[np.float64], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return a square around the box, moved into the photograph, no larger than its shorter side."""
    side = min(max(CLOSER * max(box[2] - box[0], box[3] - box[1]), LEAST_PX), *size)
    left = min(max((box[0] + box[2] - side) / 2, 0.0), size[0] - side)
    top = min(max((box[1] + box[3] - side) / 2, 0.0), size[1] - side)
    return float(left), float(top), float(left + side), float(top + side)
