"""What a column of values, one a photograph, can mean: a split, the class itself, a measure, or what photographs share.

A column that only looks like a group is worse than none: a split's names chain all photographs into three groups, and
a class's names keep whole classes out of train.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

from vouch.sources.formats.table import BOX, IMAGE
from vouch.sources.keys import SPLIT_NAMES as KNOWN_SPLITS
from vouch.tables import GROUP, STRATUM

SPLIT_WORDS = KNOWN_SPLITS | {"trainval"}
SPLIT_NAMES = frozenset({"split", "splits", "subset", "partition", "fold"})
SHARED = frozenset(  # words of a column that says what several photographs share
    {"group", "groups", "session", "video", "clip", "sequence", "seq", "scene", "drive", "trip", "route", "store"}
    | {"shop", "site", "location", "place", "street", "driver", "person", "subject", "patient", "vehicle", "car"}
    | {"camera", "cam", "device", "sensor", "object", "item", "album", "batch", "shoot", "flight", "field", "plot"}
)
MEASURES = frozenset(  # words of a column's name: what differs by the file, not by what is on it
    {"path", "file", "filename", "name", "url", "uri", "sha1", "sha256", "md5", "hash", "width", "height", "size"}
    | {"bytes", "index", "label", "labels", "class", "classes", "category", "count", "n"}
)
RESERVED = frozenset({*IMAGE, *BOX, "label", "annotation", "width", "height"})
THE_CLASS = "the class again"
NEARLY = 0.5  # values a photograph; more, and most groups are one photograph
TOKENS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def bare(word: str) -> str:
    """Return a word in lower case without the digits at its end.

    >>> bare("train2017")
    'train'
    """
    return word.lower().rstrip("0123456789")


def words(name: str) -> set[str]:
    """Return the words of a column's name in lower case.

    >>> sorted(words("source_sha256")), sorted(words("driverId"))
    (['sha', 'sha256', 'source'], ['driver', 'driverid', 'id'])
    """
    parts = re.split(r"[^A-Za-z0-9]+", name)
    return {part.lower() for part in parts if part} | {
        token.lower() for part in parts for token in TOKENS.findall(part) if not token.isdigit()
    }


def is_split(name: str, values: Sequence[str]) -> bool:
    """Say whether a column names the authors' train, val and test; empty cells are passed over.

    >>> is_split("part", ["train", "valid", ""]), is_split("session", ["a", "b"])
    (True, False)
    """
    told = {bare(value) for value in values if value}
    return bool(told) and (told <= SPLIT_WORDS or (bool(words(name) & SPLIT_NAMES) and len(told) <= 12))


def is_shared(name: str) -> bool:
    """Say whether a column is called as what several photographs share.

    >>> is_shared("video_name"), is_shared("subgroup")
    (True, False)
    """
    return bool(words(_unprefixed(name)) & SHARED)


def follows_class(values: Sequence[str], labels: Sequence[str | None]) -> bool:
    """Say whether the class alone tells the value, so that a group would hold whole classes.

    >>> follows_class(["juice", "milk", "juice"], ["orange", "oat", "apple"])
    True
    """
    seen: dict[str, set[str]] = defaultdict(set)
    for value, label in zip(values, labels, strict=True):
        if label is not None:
            seen[label].add(value)
    return len(seen) > 1 and all(len(found) == 1 for found in seen.values())


def are_numbers(values: Sequence[str]) -> bool:
    """Say whether each value is a number."""
    return all(NUMBER.fullmatch(value) for value in set(values))


def objection(name: str, values: Sequence[str], labels: Sequence[str | None], *, named: bool) -> str:
    """Say why a column holds no groups, "" where nothing speaks against it.

    One that a person named may be called as a measure is, and may be another value for each photograph.
    """
    distinct = set(values)
    empty = sum(not value for value in values)
    reasons = {
        f"names of splits, which share nothing: all photographs would be chained into {len(distinct)} groups": is_split(
            name, values
        ),
        f"empty for {empty:,} photographs": empty > 0,
        "one value for all": len(distinct) == 1,
        THE_CLASS: follows_class(values, labels),
        "a measure or name of the file": not named and _is_measure(name),
        "another value for nearly every photograph": not named and len(distinct) > NEARLY * len(values),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _is_measure(name: str) -> bool:
    return bool(words(_unprefixed(name)) & MEASURES) and not is_shared(name)


def _unprefixed(name: str) -> str:
    return name.removeprefix(GROUP).removeprefix(STRATUM)
