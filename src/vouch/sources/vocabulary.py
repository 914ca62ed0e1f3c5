"""Words in data: is a text fit to be a name."""

import unicodedata

UNFIT = frozenset({"Cc", "Cs"})  # control characters, and the surrogates that stand for bytes that are not UTF-8


def is_fit(text: str) -> bool:
    """Say whether a name or value is non-empty UTF-8 text without control characters or outer spaces."""
    if not text or text != text.strip():
        return False
    return text.isprintable() or not any(unicodedata.category(character) in UNFIT for character in text)
