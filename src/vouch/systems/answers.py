"""What a system said, for others to read: a JSON document, a table, a picture, and what a person should look at."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from PIL import Image

from vouch.curation.retraining.review_queue import Answer
from vouch.systems.counted import CORNERS, OBJECTS, Counted
from vouch.tables import UNKNOWN
from vouch.vision.counted_picture import draw_counted

LIMIT = "as many objects as the detector gives at most: there may be more"


def document(manifest: Mapping[str, Any], products: Sequence[str], answers: Sequence[Counted]) -> dict[str, Any]:
    """Return what `vouch predict --json` writes: the system, what it can name, and each photograph with its objects."""
    named = {key: manifest[key] for key in ("name", "version")}
    return {"system": named, "products": list(products), "photographs": [photograph(one) for one in answers]}


def photograph(answer: Counted) -> dict[str, Any]:
    """Return one photograph: counts, and each object with its corners in pixels; an unknown one has no product."""
    return {
        "image": answer.name,
        "width": answer.size[0],
        "height": answer.size[1],
        "counts": answer.counts,
        "limit_reached": answer.limit_reached,
        "objects": [
            _object(row, name) for row, name in zip(answer.objects.to_dict("records"), answer.named, strict=True)
        ],
    }


def _object(row: Mapping[Any, Any], name: str | None) -> dict[str, Any]:
    return {
        "product": name,
        "unknown": name is None,
        **{key: float(row[key]) for key in ("confidence", "similarity", "margin")},
        "class": row["class_pred"],
        "detection_confidence": float(row["detection_confidence"]),
        "box_xyxy": [float(row[corner]) for corner in CORNERS],
        "candidates": [{"product": product, "similarity": cosine} for product, cosine in row["candidates"]],
    }


def table(answers: Sequence[Counted]) -> pd.DataFrame:
    """Return one row for each object of all photographs: image, then `counted.OBJECTS`, candidates as text."""
    parts = [one.objects.assign(image=one.name) for one in answers]
    found = pd.concat(parts, ignore_index=True)[["image", *OBJECTS]]
    said = ["|".join(f"{name}={cosine:.4f}" for name, cosine in one) for one in found["candidates"]]
    return found.assign(candidates=said)


def picture(photograph: Image.Image, answer: Counted, products: Sequence[str]) -> Image.Image:
    """Return the photograph with every object in the colour of its product, and a legend of the counts."""
    boxes = answer.objects[CORNERS].to_numpy(dtype="float64")
    title = "there may be more" if answer.limit_reached else ""
    return draw_counted(photograph, boxes, answer.named, products=products, title=title)


def doubtful(answer: Counted, bundle_sha256: str, *, below: float) -> Iterator[Answer]:
    """Yield what a person should look at: unknown objects, products of less confidence, and a full photograph.

    Parameters
    ----------
    bundle_sha256 : str
        Of the system's manifest.
    below : float
        Calibrated confidence, in [0, 1]: a product that is said with less is doubtful.
    """
    if answer.limit_reached:
        yield Answer(bundle_sha256, None, None, 0.0, LIMIT)
    for row, name in zip(answer.objects.to_dict("records"), answer.named, strict=True):
        x1, y1, x2, y2 = (float(row[corner]) for corner in CORNERS)
        sure = float(row["confidence"])
        if name is None:
            yield Answer(bundle_sha256, (x1, y1, x2, y2), None, sure, _unknown(row))
        elif sure < below:
            yield Answer(bundle_sha256, (x1, y1, x2, y2), name, sure, f"confidence below {below:g}")


def _unknown(row: Mapping[Any, Any]) -> str:
    if not row["candidates"]:
        return "the gallery knows no product"
    product, cosine = row["candidates"][0]
    return f"{UNKNOWN} product, nearest {product} with similarity {cosine:.3f}"


def lines(answer: Counted) -> list[str]:
    """Return what is said of a photograph on a terminal: how many of each product, and what to doubt."""
    counted = ", ".join(f"{count} {name}" for name, count in answer.counts.items()) or "nothing"
    return [f"{answer.name}: {counted}", *([f"  {LIMIT}"] if answer.limit_reached else [])]
