"""Protocol Buffers' text format, as far as config.pbtxt uses it: written, and read with the line of every field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vouch.errors import BundleError, Problem

TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)f?\b)
    |(?P<word>[A-Za-z_]\w*)|(?P<mark>[{}\[\]:,;<>])""",
    re.VERBOSE,
)
DEPTH = 100  # messages within messages; protobuf's own limit, and Triton's configuration has six
DIGITS = 64  # characters of a number: 64 bits have 20 digits, and Python refuses to read 4,301
CLOSING = {"{": "}", "<": ">"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class Word(str):
    """A bare word: the name of an enumeration's value, true or false."""


@dataclass(frozen=True)
class Field:
    """One field: its value is a str, Word, int or float, or the fields of a message; a list gives one field each."""

    name: str
    value: "str | int | float | tuple[Field, ...]"
    line: int


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def parse(text: str, where: str) -> tuple[Field, ...]:
    """Read a message in text format.

    Raises
    ------
    BundleError
        At the first token that does not belong where it stands.
    """
    tokens = [*_tokens(text, where)]
    tokens.append(_Token("end", "the end", text.count("\n") + 1))
    _refuse_deep(tokens, where)
    fields, rest = _message(tokens, 0, "the end", where)
    assert rest == len(tokens)
    return fields


def dumps(message: Mapping[str, Any], indent: str = "") -> str:
    """Return a message as text: a list repeats its field, a dict is a message, an upper-case Word is bare."""
    lines = []
    for name, value in message.items():
        if isinstance(value, list | tuple) and not any(isinstance(one, dict) for one in value):
            lines.append(f"{indent}{name}: [ {', '.join(_scalar(one) for one in value)} ]\n")
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, dict):
                lines.append(f"{indent}{name} {{\n{dumps(one, indent + '  ')}{indent}}}\n")
            else:
                lines.append(f"{indent}{name}: {_scalar(one)}\n")
    return "".join(lines)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not isinstance(value, Word):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)


def _tokens(text: str, where: str) -> Iterator[_Token]:
    place, line = 0, 1
    while place < len(text):
        found = TOKEN.match(text, place)
        if found is None:
            raise _refusal(where, line, "a field of text format", text[place : place + 20].split("\n")[0])
        assert found.lastgroup is not None
        if found.lastgroup != "skip":
            yield _Token(found.lastgroup, found[0], line)
        place, line = found.end(), line + found[0].count("\n")


def _refuse_deep(tokens: list[_Token], where: str) -> None:
    depth = 0
    for token in tokens:
        depth += (token.text in CLOSING) - (token.text in CLOSING.values())
        if depth > DEPTH:
            raise _refusal(where, token.line, f"at most {DEPTH} messages within each other", "more")


def _message(tokens: list[_Token], place: int, closing: str, where: str) -> tuple[tuple[Field, ...], int]:
    """Return the fields up to `closing`, and the place after it."""
    fields: list[Field] = []
    while tokens[place].text != closing:
        name = tokens[place]
        if name.kind != "word":
            raise _refusal(where, name.line, f"a field or {closing}", name.text)
        found, place = _values(tokens, place + 1, where)
        fields += [Field(name.text, value, name.line) for value in found]
        if tokens[place].text in (",", ";"):
            place += 1
    return tuple(fields), place + 1


def _values(tokens: list[_Token], place: int, where: str) -> tuple[list[Any], int]:
    """Return the values after a field's name: one, or those of a list."""
    colon = tokens[place].text == ":"
    place += colon
    if tokens[place].text != "[":
        if not colon and tokens[place].text not in CLOSING:
            raise _refusal(where, tokens[place].line, "a colon or a message", tokens[place].text)
        value, place = _value(tokens, place, where)
        return [value], place
    values, place = [], place + 1
    while tokens[place].text != "]":
        value, place = _value(tokens, place, where)
        values.append(value)
        if tokens[place].text == ",":
            place += 1
        elif tokens[place].text != "]":
            raise _refusal(where, tokens[place].line, "a comma or ]", tokens[place].text)
    return values, place + 1


def _value(tokens: list[_Token], place: int, where: str) -> tuple[Any, int]:
    kind, text, line = tokens[place]
    if text in CLOSING:
        return _message(tokens, place + 1, CLOSING[text], where)
    if kind == "string":
        parts = []
        while tokens[place].kind == "string":  # neighbours are one string
            parts.append(_unescaped(tokens[place].text[1:-1]))
            place += 1
        return "".join(parts), place
    if kind == "number":
        if len(text) > DIGITS:
            raise _refusal(where, line, f"a number of at most {DIGITS} characters", f"one of {len(text)}")
        whole = re.fullmatch(r"[-+]?(0[xX][0-9a-fA-F]+|\d+)", text)
        return (int(text, 0 if "x" in text.lower() else 10) if whole else float(text.rstrip("f"))), place + 1
    if kind == "word":
        return Word(text), place + 1
    raise _refusal(where, line, "a value", text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text)


def _refusal(where: str, line: int, expected: str, got: str) -> BundleError:
    return BundleError([Problem(f"{where}:{line}", expected, got, "mend the text format")])
