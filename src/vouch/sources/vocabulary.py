"""Words in data: is a text fit to be a name, and which known name was perhaps meant."""

import difflib
import unicodedata
from collections.abc import Iterable

UNFIT = frozenset({"Cc", "Cs"})  # control characters, and the surrogates that stand for bytes that are not UTF-8


def is_fit(text: str) -> bool:
    """Say whether a name or value is non-empty UTF-8 text without control characters or outer spaces."""
    if not text or text != text.strip():
        return False
    return text.isprintable() or not any(unicodedata.category(character) in UNFIT for character in text)


def closest(word: str, known: Iterable[str]) -> str:
    """Return a hint for a remedy: the known word nearest to `word`, else the known words.

    Examples
    --------
    >>> closest("fone", ["phone", "seatbelt"])
    'perhaps `phone` was meant'
    """
    words = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in words}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    if near:
        return f"perhaps `{folded[near[0]]}` was meant"
    shown = ", ".join(f"`{candidate}`" for candidate in words[:12])
    return f"known are {shown}{' ...' if len(words) > 12 else ''}" if words else "none is known"
