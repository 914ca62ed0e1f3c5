"""What may be a name and what a path of `pipeline`: both become words of a shell, parts of paths and names of stages.

Closed sets of characters, so that no word can be an option, a command, a folder above, or look like another.
"""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from vouch.errors import Problem

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
LONGEST_PATH = 240  # characters
NAME_IS = "a name of at most 64 of a-z, 0-9, _ and -, which starts with a letter or digit"
PATH_IS = (
    "a path in the repository: names of A-Z, a-z, 0-9, ., _ and - with / between, none of which starts with . or -"
)
SHOWN = 80  # characters of a wrong word in a message


def is_name(word: object) -> bool:
    r"""Say whether a data set, model or source may be called so.

    Examples
    --------
    >>> [is_name(word) for word in ("driver", "8-bit_2", "Driver", "-driver", "driver\n", "x; y", "")]
    [True, True, False, False, False, False, False]
    """
    return isinstance(word, str) and NAME.fullmatch(word) is not None


def is_path(word: str) -> bool:
    """Say whether a word is a normalised path that stays in the repository; whether links lead out is not looked at.

    Examples
    --------
    >>> [is_path(word) for word in ("models/starter/driver", "/etc", "models/../..", "models//x", "-x", "a b")]
    [True, False, False, False, False, False]
    """
    return len(word) <= LONGEST_PATH and PATH.fullmatch(word) is not None


def shown(word: object) -> str:
    """Return a word as a message may carry it: on one line, without what a terminal obeys, not longer than a line."""
    text = ascii(word)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 20]} ... {text[-15:]}"


def wrong_names(named: Iterable[tuple[str, object]]) -> list[Problem]:
    """Return a problem for each (where, word) that is no name."""
    return [Problem(where, NAME_IS, shown(word), "rename it") for where, word in named if not is_name(word)]


def wrong_paths(named: Iterable[tuple[str, str]]) -> list[Problem]:
    """Return a problem for each (where, word) that is no path in the repository."""
    return [Problem(where, PATH_IS, shown(word), "name another") for where, word in named if not is_path(word)]


def _name(word: str) -> str:
    if not is_name(word):
        raise PydanticCustomError("name", NAME_IS)
    return word


def _path(word: str) -> str:
    if not is_path(word):
        raise PydanticCustomError("path", PATH_IS)
    return word


Name = Annotated[str, AfterValidator(_name)]
RepositoryPath = Annotated[str, AfterValidator(_path)]


def respelled(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names that differ in case, composition or outer spaces alone, as they come, by what they share.

    Examples
    --------
    >>> respelled(["Cola", "cola", "Tea"])
    {'cola': ['Cola', 'cola']}
    """
    spelled: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        spelled[unicodedata.normalize("NFC", name).strip().casefold()].append(name)
    return {shared: same for shared, same in spelled.items() if len(same) > 1}


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
