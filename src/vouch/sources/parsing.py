"""Text into values, strictly: finite numbers, JSON without duplicate keys, XML without entities."""

import json
import math
import xml.etree.ElementTree as ElementTree
from typing import Any

from vouch.errors import Problem

LARGEST = 10**15  # no pixel, id or count comes near; beyond 2**53 a float would not hold it


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


def loads(text: str) -> Any:
    """Parse JSON; NaN, infinities, absurd integers, duplicate keys and unpaired surrogates are refused.

    Raises
    ------
    ValueError
        With a reason that a person can act on.
    """
    try:
        content = json.loads(
            text, parse_constant=_constant, parse_float=_float, parse_int=_int, object_pairs_hook=_object
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if "\\u" in text:  # an escape may stand for half a character, which no file can hold
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    return content


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is out of range")
    return value


def _int(text: str) -> int:
    value = int(text)
    if abs(value) > LARGEST:
        raise ValueError(f"{text[:20]}... is out of range")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} appears twice")
    return content


def xml(text: str, where: str) -> ElementTree.Element | Problem:
    """Parse XML that declares no document type, so that no entity can be expanded or fetched."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return Problem(where, "XML without DOCTYPE and ENTITY", "a document type", "remove the declaration")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        return Problem(where, "well-formed XML", str(error), "mend or export the file again")
