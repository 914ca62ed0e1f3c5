"""Words of a taxonomy: when two of them are one word, and the id that a word gives."""

import re
import unicodedata

BETWEEN = re.compile(r"[^\w]+|_+")  # spaces, hyphens, brackets, dots
FOREIGN = re.compile(r"[^a-z0-9]+")
LONGEST_ID = 64  # characters, as `names.NAME` has it


def folded(word: str) -> str:
    """Return what two spellings of one word share: letters and digits without case, one space in between.

    Accents stay: in many languages they make another word.

    >>> [folded(word) for word in ("PET-Bottle", "pet  bottle", "Pet_bottle (clear)")]
    ['pet bottle', 'pet bottle', 'pet bottle clear']
    """
    return BETWEEN.sub(" ", unicodedata.normalize("NFKC", word).casefold()).strip()


def slug(word: str) -> str:
    """Return the id that a word gives: `a-z`, `0-9` and `_`; empty where it has no letter that has a Latin form.

    >>> [slug(word) for word in ("Glass bottle", "Biomüll (Küche)", "紙")]
    ['glass_bottle', 'biomull_kuche', '']
    """
    plain = unicodedata.normalize("NFKD", folded(word))
    kept = "".join(one for one in plain if not unicodedata.combining(one))
    return FOREIGN.sub("_", kept).strip("_")[:LONGEST_ID].strip("_")
