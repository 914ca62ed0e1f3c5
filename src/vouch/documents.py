"""JSON and YAML that somebody else wrote: bounded in size, depth and digits, into plain values or one named problem.

Ground, as io is: params, sources and bundles read their documents here, and each raises the problem as its own error.
"""

import json
import math
import re
import stat
import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import YAMLError, YAMLWarning
from ruamel.yaml.nodes import MappingNode, SequenceNode

from vouch.errors import DataError, Problem, shortened

LARGEST = 10**15  # no pixel, id, seed or count comes near; beyond 2**53 a float would not hold it
DEEPEST = 64  # lists and mappings within each other: ours reach 8, Python's own parsers fail at some 1,000
MOST = 10**6  # values of a YAML document once its aliases are written out: a laugh of nine lines would be 10**9
MOST_MERGED = 10**5  # pairs that merge keys copy, in a whole document
YAML_CHARACTERS = 2**19  # the parser is pure Python and takes some 10 s for as many; params.yaml has 36,000
JSON_CHARACTERS = 2**30  # COCO's largest annotation file has 450 million
SHOWN = 240  # characters of what a parser says: some parsers quote the whole line
SEPARATORS = {";": "semicolons", "\t": "tabs"}  # what spreadsheets put between columns in many countries
INTEGER = "tag:yaml.org,2002:int"
MERGE = "tag:yaml.org,2002:merge"
BREAK = "\n\r\x85\u2028\u2029"  # what ends a line of YAML
DIRECTIVE = re.compile(rf"(?:(?:[ \t]*(?:#[^{BREAK}]*)?|%YAML 1\.2[ \t]*)[{BREAK}])*+(%[^{BREAK}]*)")  # any but 1.2's


class DocumentError(DataError, ValueError):
    """A file or text is no document that may be read; callers raise its problem as the error of their own subject.

    It is a ValueError too, as what Python's own parsers raise: who reads several kinds of files refuses all alike.
    """

    title = "document refused"


def read_text(path: Path, where: str, *, max_bytes: int) -> str:
    """Return the text of a regular file, a byte order mark removed; nothing else is opened, so nothing waits.

    Raises
    ------
    DocumentError
        When the file is absent, is a folder, pipe, socket or device, is larger than `max_bytes`, or is not UTF-8.
    """
    return decoded(read_bytes(path, where, max_bytes=max_bytes), where)


def read_bytes(path: Path, where: str, *, max_bytes: int) -> bytes:
    """Return the content of a regular file of at most `max_bytes`.

    Raises
    ------
    DocumentError
        When the file is absent, unreadable, not regular (a folder, pipe, socket or device) or larger.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # asked before it is opened: a pipe without a writer waits for one
            raise refusal(where, "a regular file", kind_of(found.st_mode), "name a file")
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except DocumentError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        got = getattr(error, "strerror", None) or str(error)
        raise refusal(where, "a readable file", got, "add it or correct its name") from error
    if len(content) > max_bytes:
        raise refusal(where, f"at most {max_bytes:,} bytes", f"{found.st_size:,}", "split the file")
    return content


def kind_of(mode: int) -> str:
    """Name what a file's mode (`st_mode`) says that it is.

    Examples
    --------
    >>> kind_of(stat.S_IFIFO), kind_of(stat.S_IFREG | 0o644)
    ('a pipe', 'a regular file')
    """
    kinds = {
        stat.S_IFREG: "a regular file",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFLNK: "a link",
    }
    return kinds.get(stat.S_IFMT(mode), "no regular file")


def decoded(content: bytes, where: str) -> str:
    """Return UTF-8 text, a byte order mark removed.

    Raises
    ------
    DocumentError
        Naming the line and the first byte that is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        got = f"byte 0x{error.object[error.start]:02x} at {error.start}"
        raise refusal(f"{where}:{line}", "UTF-8 text", got, "save the file as UTF-8") from error


def parse_json(text: str, where: str) -> Any:
    """Return the plain values of a JSON document: what JSON itself forbids or no other reader would hold is refused.

    Raises
    ------
    DocumentError
        For malformed JSON, a key that stands twice, NaN and infinity, numbers beyond 1e308 or integers beyond 1e15,
        half a surrogate pair, lists and objects deeper than 64, and more than 2**30 characters.
    """
    expected, remedy = "well-formed JSON", "fix or export the file again"
    if len(text) > JSON_CHARACTERS:
        raise refusal(where, f"at most {JSON_CHARACTERS:,} characters", f"{len(text):,}", "split the file")
    try:
        content = json.loads(
            text, parse_constant=_constant, parse_float=_float, parse_int=_int, object_pairs_hook=_object
        )
        if "\\u" in text:  # an escape may stand for half a character, which no file can hold
            json.dumps(content, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise refusal(where, expected, "nested too deeply", remedy) from error
    except ValueError as error:
        raise refusal(where, expected, str(error), remedy) from error
    if text.count("[") + text.count("{") > DEEPEST and _is_deep(content):
        raise refusal(where, f"at most {DEEPEST} lists and objects within each other", "nested too deeply", remedy)
    return content


def parse_yaml(text: str, where: str) -> Any:
    """Return the plain values (dict, list, str, int, float, bool, None, dates) of one YAML 1.2 document.

    Raises
    ------
    DocumentError
        For malformed YAML, a directive other than `%YAML 1.2` (in 1.1 `yes` would be a truth value), a key that stands
        twice, values that are not what they look like or are tagged (a date
        `2020-99-99`, `!!int x`), integers beyond 1e15, depth beyond 64, aliases that write out to more than 10**6
        values, and more than 2**19 characters.
    """
    expected, remedy = "one YAML 1.2 document of plain values", "fix the file"
    if len(text) > YAML_CHARACTERS:
        raise refusal(where, f"at most {YAML_CHARACTERS:,} characters", f"{len(text):,}", "shorten the file")
    if found := DIRECTIVE.match(text):
        raise refusal(where, expected, f"the directive {found[1]!a}", "remove it")
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _Constructor
    reader.max_depth = DEEPEST
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", YAMLWarning)  # an anchor defined anew is YAML, if no good style
            content = reader.load(text)
        _expanded(content, 0, {})
    except RecursionError as error:
        raise refusal(where, expected, "nested too deeply", remedy) from error
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:  # see _Constructor
        raise refusal(where, expected, " ".join(str(error).split()) or type(error).__name__, remedy) from error
    return content


def refusal(where: str, expected: str, got: str, remedy: str) -> DocumentError:
    """Return the error of one problem; of a long text that was got, its beginning and end."""
    return DocumentError([Problem(where, expected, shortened(got, SHOWN), remedy)])


def separator_problems(header: Sequence[str], where: str) -> list[Problem]:
    """Return the problem of a CSV whose columns stand apart by something else than commas, by its header as read.

    >>> [one.got for one in separator_problems(["image;label"], "a.csv:1")]
    ['semicolons']
    """
    found = [name for mark, name in SEPARATORS.items() if len(header) == 1 and mark in header[0]]
    expected, remedy = "columns with commas between them", "save it as CSV with commas"
    return [Problem(where, expected, got, remedy) for got in found[:1]]


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is out of range")
    return value


def _int(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > LARGEST:  # Python refuses to read more than 4,300 digits
        raise ValueError(f"{text[:20]}... is out of range")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice!r} appears twice")
    return content


def _is_deep(content: object) -> bool:
    """Say whether lists and objects stand more than `DEEPEST` deep within each other."""
    level = [content]
    for _ in range(DEEPEST):
        lists = [item for item in level if isinstance(item, list)]
        objects = [item.values() for item in level if isinstance(item, dict)]
        level = [child for items in (*lists, *objects) for child in items if isinstance(child, list | dict)]
    return bool(level)


class _Constructor(SafeConstructor):
    """Values as YAML 1.2 has them, with a bound to what merge keys copy.

    ruamel's constructors raise what Python raises when a scalar is not what its tag says: ValueError for `!!int x` and
    the 99th month, LookupError for `!!bool x`, TypeError for a list as a key of `!!set`, AttributeError for
    `!!timestamp x`, OverflowError for a character beyond Unicode.
    """

    merged = 0

    def flatten_mapping(self, node: Any) -> Any:
        """Copy the pairs of merge keys into a mapping, once their number is known to be bearable."""
        values = [value for key, value in node.value if key.tag == MERGE]
        nested = [value.value if isinstance(value, SequenceNode) else [value] for value in values]
        parts = [part for several in nested for part in several if isinstance(part, MappingNode)]
        for part in parts:
            self.flatten_mapping(part)
        self.merged += sum(len(part.value) for part in parts)
        if self.merged > MOST_MERGED:
            raise ConstructorError(None, None, f"merge keys copy more than {MOST_MERGED:,} pairs", node.start_mark)
        super().flatten_mapping(node)

    def bounded(self, node: Any) -> int:
        """Return an integer that Python reads without being asked to lift its limit of 4,300 digits."""
        if len(node.value) > SHOWN:
            raise ConstructorError(None, None, f"an integer of {len(node.value):,} characters", node.start_mark)
        return int(self.construct_yaml_int(node))


_Constructor.add_constructor(INTEGER, _Constructor.bounded)


def _expanded(value: object, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return how many values stand in `value` with its aliases written out, and how deep; refuse what is not plain."""
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if not isinstance(value, list | dict):
        _refuse_odd(value)
        return 1, 0
    if id(value) not in known:
        children = value if isinstance(value, list) else [*value.keys(), *value.values()]
        parts = [_expanded(child, depth + 1, known) for child in children]
        known[id(value)] = 1 + sum(count for count, _ in parts), 1 + max((height for _, height in parts), default=0)
    count, height = known[id(value)]
    if count > MOST:
        raise ValueError(f"aliases that write out to more than {MOST:,} values")
    if depth + height > DEEPEST:
        raise ValueError("nested too deeply")
    return count, height


def _refuse_odd(value: object) -> None:
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"an integer beyond {LARGEST:,}")
    if isinstance(value, str):
        value.encode("utf-8")  # an escape may stand for half a character, which no file can hold
    elif value is not None and not isinstance(value, int | float | date):
        raise ValueError(f"a value of type {type(value).__name__}")
