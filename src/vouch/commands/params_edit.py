"""The roads of `pipeline` in params.yaml, edited as text: one entry changes, every comment stays.

A YAML round trip loses a comment that stands after the last item of a list, and may wrap other lines; here the
parser only says which line holds what, and the result is parsed again to prove that nothing else changed.
"""

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from vouch.errors import ParamsError, Problem
from vouch.params import parse_params

WHERE = "params.yaml"


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


def _loaded(text: str) -> Any:
    """Return the text with its lines; what no parser takes is refused before the one that keeps lines sees it."""
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
