"""The roads of `pipeline` in params.yaml, edited as text: one entry changes, every comment stays.

A YAML round trip loses a comment that stands after the last item of a list, and may wrap other lines; here the
parser only says which line holds what, and the result is parsed again to prove that nothing else changed.
"""

import re
from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.tokens import CommentToken

from vouch.errors import ParamsError, Problem
from vouch.params import parse_params

WHERE = "params.yaml"
LONGEST_LINE = 100_000


def on_list(text: str, road: str) -> tuple[str, ...]:
    """Names on `pipeline.<road>`, in order.

    Raises
    ------
    ParamsError
        When it is no block list.
    """
    return tuple(str(name) for name in _listed(text, road))


def without(text: str, road: str, name: str) -> str:
    """Return params.yaml's text with `name`, which is on it, taken off `pipeline.<road>`.

    Raises
    ------
    ParamsError
        When it is no block list.
    """
    names = _listed(text, road)
    lines = text.splitlines(keepends=True)
    del lines[_line(names, names.index(name))]
    if len(names) == 1:
        key = _key_line(text, road)
        lines[key] = lines[key].replace(f"{road}:", f"{road}: []", 1)
    return _proved("".join(lines), text, road, [other for other in names if other != name])


def with_name(text: str, road: str, name: str) -> str:
    """Return params.yaml's text with `name` put on `pipeline.<road>`, where the order of `datasets` has it.

    Raises
    ------
    ParamsError
        When it is no block list.
    """
    names = _listed(text, road)
    order = list(_loaded(text)["datasets"])
    later = (index for index, other in enumerate(names) if other in order[order.index(name) + 1 :])
    index = next(later, len(names))
    lines = text.splitlines(keepends=True)
    key = _key_line(text, road)
    place, indent = key + 1, lines[key][: len(lines[key]) - len(lines[key].lstrip())]
    if names:
        place = _line(names, index) if index < len(names) else _line(names, len(names) - 1) + 1
        indent = lines[_line(names, 0)].partition("-")[0]
    lines[key] = lines[key].replace(f"{road}: []", f"{road}:", 1)
    lines.insert(place, f"{indent}- {name}\n")
    return _proved("".join(lines), text, road, [*names[:index], name, *names[index:]])


def without_entry(text: str, road: str, name: str) -> str:
    """Return params.yaml's text with `name` taken off the mapping `pipeline.<road>`; unchanged when it is not on it.

    Raises
    ------
    ParamsError
        When it is no block mapping.
    """
    entries = (_loaded(text).get("pipeline") or {}).get(road)
    if not isinstance(entries, CommentedMap):
        expected = f"a block mapping, or `{road}: {{}}`"
        raise ParamsError([Problem(f"params.yaml: pipeline.{road}", expected, repr(entries), "write it so")])
    if name not in entries:
        return text
    lines = text.splitlines(keepends=True)
    start = int(entries.lc.key(name)[0])
    indent = _indent(lines[start])
    inside = (index for index in range(start + 1, len(lines)) if _indent(lines[index]) <= indent)
    del lines[start : next(inside, len(lines))]
    if len(entries) == 1:
        key = _key_line(text, road)
        lines[key] = lines[key].replace(f"{road}:", f"{road}: {{}}", 1)
    return _proved("".join(lines), text, road, {other: entries[other] for other in entries if other != name})


def with_entry(text: str, keys: Sequence[str], content: Any) -> str:
    """Return params.yaml's text with `content` put last under a key that the mapping at `keys[:-1]` does not have yet.

    Raises
    ------
    ParamsError
        When that is no block mapping (or `{}`), or has the key.
    """
    *parents, name = keys
    mapping = _mapping(text, parents)
    if name in mapping:
        raise _unlike(parents, f"no {name} yet", "one")
    written = StringIO()
    _writer().dump({name: _closed(content)}, written)
    return _inserted(text, parents, mapping, written.getvalue(), {**mapping, name: content})


def with_item(text: str, keys: Sequence[str], name: str) -> str:
    """Return params.yaml's text with `name` put last on the list at `keys`.

    Raises
    ------
    ParamsError
        When it is no block list (or `[]`).
    """
    names = _at(text, keys)
    if not isinstance(names, CommentedSeq) or (names and names.fa.flow_style()):
        raise _unlike(keys, "a block list (one `- name` a line), or `[]`", repr(names))
    return _inserted(text, keys, names, f"- {name}\n", [*names, name])


def _closed(content: Any) -> Any:
    """Return a copy in which each comment stands one space behind its value, however deep that comes to stand."""
    closed = deepcopy(content)
    _close(closed)
    return closed


def _close(copied: Any) -> None:
    if isinstance(copied, CommentedMap | CommentedSeq):
        for token in (one for tokens in copied.ca.items.values() for one in tokens):
            if isinstance(token, CommentToken):
                token.column = 0
        for inner in copied.values() if isinstance(copied, CommentedMap) else copied:
            _close(inner)


def _mapping(text: str, keys: Sequence[str]) -> CommentedMap:
    found = _at(text, keys)
    if not isinstance(found, CommentedMap) or (found and found.fa.flow_style()):
        raise _unlike(keys, "a block mapping, or `{}`", repr(found))
    return found


def _at(text: str, keys: Sequence[str]) -> Any:
    found = _loaded(text)
    for key in keys:
        found = found.get(key) if isinstance(found, CommentedMap) else None
    return found


def _unlike(keys: Sequence[str], expected: str, got: str) -> ParamsError:
    return ParamsError([Problem(f"{WHERE}: {'.'.join(keys)}", expected, got, "write it so")])


def _inserted(text: str, keys: Sequence[str], holder: Any, block: str, whole: Any) -> str:
    """Put a block behind what the mapping or list at `keys` holds, and prove that nothing else changed."""
    *parents, name = keys
    lines = text.splitlines(keepends=True)
    key = int(_at(text, parents).lc.key(name)[0])
    indent = _indent(lines[key])
    step = 0 if isinstance(holder, CommentedSeq) else 2
    if not holder:
        lines[key] = re.sub(r": (\{\}|\[\])", ":", lines[key], count=1)
    place = _end(lines, key, indent, step)
    lines[place:place] = [f"{' ' * (indent + step)}{line}" for line in block.splitlines(keepends=True)]
    expected = parse_params(text, WHERE)
    section: Any = expected
    for parent in parents:
        section = section[parent]
    section[name] = whole
    if parse_params("".join(lines), WHERE) != expected:
        raise _unlike(keys, "one entry a line", "another form")
    return "".join(lines)


def _end(lines: Sequence[str], key: int, indent: int, step: int) -> int:
    """Return the line behind the last one that belongs to the key on line `key`."""
    end = key + 1
    for number in range(key + 1, len(lines)):
        if not lines[number].strip():
            continue
        deep = _indent(lines[number])
        if deep <= indent and not (step == 0 and deep == indent and lines[number].lstrip().startswith("- ")):
            break
        end = number + 1
    return end


def _writer() -> YAML:
    writer = YAML()
    writer.width = LONGEST_LINE  # or a long name would be wrapped
    writer.default_flow_style = False
    return writer


@lru_cache(maxsize=1)
def _loaded(text: str) -> Any:
    """Return the text with its lines; what no parser takes is refused before the one that keeps lines sees it.

    Kept, for an edit asks several times and each takes a third of a second: nobody may change it.
    """
    parse_params(text, WHERE)
    return YAML().load(text)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _listed(text: str, road: str) -> Any:
    names: Any = (_loaded(text).get("pipeline") or {}).get(road)
    empty = names == [] and f"{road}: []" in text.splitlines()[_key_line(text, road)]
    if not (empty or (names and isinstance(names, CommentedSeq) and not names.fa.flow_style())):
        expected = f"a block list (one `- name` a line), or `{road}: []`"
        raise ParamsError([Problem(f"params.yaml: pipeline.{road}", expected, repr(names), "write it so")])
    return names


def _line(names: Any, index: int) -> int:
    return int(names.lc.item(index)[0])


def _key_line(text: str, road: str) -> int:
    return int(_loaded(text)["pipeline"].lc.key(road)[0])


def _proved(text: str, before: str, road: str, names: Any) -> str:
    expected = parse_params(before, WHERE)
    expected["pipeline"][road] = names
    if parse_params(text, WHERE) != expected:
        where = f"params.yaml: pipeline.{road}"
        raise ParamsError([Problem(where, "one item a line", "another form", "edit it by hand, then repeat")])
    return text
