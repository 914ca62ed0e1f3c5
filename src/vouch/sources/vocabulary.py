"""Words in data: is a text fit to be a name, and would a spreadsheet calculate it."""

import re
import unicodedata

from vouch.sources.parsing import number

UNFIT = frozenset({"Cc", "Cs"})  # control characters, and the surrogates that stand for bytes that are not UTF-8
BEGINS = frozenset("=@\t\r+-＝＠＋－")  # what a spreadsheet takes for the beginning of a formula
CALCULATES = re.compile(r"[=(|!]")  # a call, a link to another program or sheet: no note that begins with a dash


def is_fit(text: str) -> bool:
    """Say whether a name or value is non-empty UTF-8 text without control characters or outer spaces."""
    if not text or text != text.strip():
        return False
    return text.isprintable() or not any(unicodedata.category(character) in UNFIT for character in text)


def is_formula(cell: str) -> bool:
    """Say whether a spreadsheet that opens the file would calculate the cell.

    Examples
    --------
    >>> [is_formula(cell) for cell in ("=cmd", "@SUM(A1)", "-2+cmd|' /C calc'!A0", "-0.5", "- broken lid", "a=b", "-")]
    [True, True, True, False, False, False, False]
    """
    if not cell or cell[0] not in BEGINS:
        return False
    if cell[0] in "+-＋－":
        return number(cell) is None and CALCULATES.search(cell) is not None
    return True
