"""Text into values, strictly: finite numbers, XML without entities."""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from typing import Any

from vouch.documents import LARGEST
from vouch.errors import Problem


def number(text: str) -> float | None:
    """Return a finite decimal number, or None; `nan`, `inf`, `1_0` and digits of other scripts are none.

    Examples
    --------
    >>> number("0.5"), number("nan"), number("1_0")
    (0.5, None, None)
    """
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and text.isascii() and "_" not in text else None


def size(text: str) -> int | None:
    """Return a positive whole number of pixels ("416" or "416.0"), or None."""
    value = number(text)
    return int(value) if value is not None and 1 <= value <= LARGEST and value == int(value) else None


def size_problems(item: Mapping[str, Any], where: str) -> list[Problem]:
    """List the sides of a photograph, as JSON states them, that are no whole number of pixels."""
    stated = {side: item[side] for side in ("width", "height") if side in item}
    expected = "a positive whole number of pixels"
    wrong = {side: value for side, value in stated.items() if size(str(value)) is None}
    return [Problem(f"{where}: {side}", expected, str(value), "correct it") for side, value in wrong.items()]


def place_problems(boxes: Iterable[Mapping[str, Any]], where: str) -> list[Problem]:
    """List the rows and positions of boxes, as JSON states them, that are no whole number from 1."""
    return [
        Problem(f"{where}: boxes[{index}].{name}", "a whole number from 1", str(box[name]), "correct it")
        for index, box in enumerate(boxes)
        for name in ("row", "position")
        if name in box and size(str(box[name])) is None
    ]


def xml(text: str, where: str) -> ElementTree.Element | Problem:
    """Parse XML that declares no document type, so that no entity can be expanded or fetched."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return Problem(where, "XML without DOCTYPE and ENTITY", "a document type", "remove the declaration")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        return Problem(where, "well-formed XML", str(error), "mend or export the file again")
