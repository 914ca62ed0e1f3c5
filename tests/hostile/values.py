"""Hostile values: words of a text, JSON and YAML that a parser or the code behind it may stumble over."""

import json
from typing import Any

import numpy as np

LONG = 5000
NUMBERS = (
    *("-1", "-0.0", "0", "1e-320", "1e308", "-1e308", "1e400", "nan", "-inf", "Infinity", "1_0", "٣", "0x10", "1e"),
    *("2.5", "2147483648", "9223372036854775808", "9" * 400, "9" * LONG, "+1", ".5", "5.", "1,5", "½"),
)
WORDS = (
    *NUMBERS,
    *("", " ", "\x00", "\x07", "\x1b[31m", "\ufeff", "\u202e", "é", "é", "[red]", "%s", "{0}", "null", "no", "~", "\\"),
    *("$(touch PWN)", "; touch PWN ;", "`touch PWN`", "| touch PWN", "> PWN", "../../x", "/x", "C:x", "-rf", "--", "*"),
    *("<![CDATA[", "&lol;", "'", '"', "a" * 70000, "\u2028", "\U0001f600" * 80, "__proto__", "NaN", "None", "#"),
)
JSON = (  # as text: json.dumps would refuse or repair some of them
    *("null", "true", "[]", "{}", '""', "-1", "0", "1e308", "-1e308", "1e400", "NaN", "-Infinity", "0.5", "3"),
    *("9" * 400, "9" * LONG, '"\\ud800"', '"\\u0000"', '"nan"', "[[]]", '[{"a": []}]', '{"a": {"b": null}}', "[1, 2]"),
    *('"x"', '"' + "x" * 70000 + '"', "[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000, "1000000000000"),
)
YAML = (  # as the value of a key
    *("2020-99-99", "2020-01-01", "!!int x", "!!float x", "!!bool x", "!!timestamp x", "!!binary '?'", "!!set {a, b}"),
    *(
        "!!python/object/apply:os.system ['touch PWN']",
        "!!omap [a: 1]",
        "!x y",
        ".nan",
        ".inf",
        "-.inf",
        "0o777",
        "1e3",
    ),
    *("9" * 400, "9" * LONG, "1" + "0" * 400, "[" * 3000 + "]" * 3000, "{a: " * 400 + "1" + "}" * 400, "&a [*a]"),
    *(
        "*nobody",
        "'\x00'",
        '"\\ud800"',
        '"\\x00"',
        "? [a]\n: b",
        "{[a]: b}",
        "{1: a, true: b}",
        "|\n  x",
        "\t",
        "@",
        "%",
    ),
    *("null", "no", "[]", "{}", "''", "-1", "0", "1.5", "x", "[x]", "{x: y}", "0x10", "1_000", "12:30:45", "'é'", "<<"),
    *(
        "{<<: 1}",
        "{a: 1, a: 2}",
        "&x {a: &y [x, x]}",
        "!!str",
        "!!null x",
        "!!map [a]",
        "!!seq {a: b}",
        "=",
        "2001-1-1",
    ),
)
DOCUMENTS = (  # as a whole file
    *(
        "",
        "---\n---\n",
        "%YAML 9.9\n---\na: 1\n",
        "- a\n",
        "a\n",
        "a: b: c\n",
        "\ta: 1\n",
        "a: 1\na: 2\n",
        "\x00",
        "...\n",
    ),
    *(
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in ("ab", "bc", "cd", "de", "ef", "fg", "gh", "hi")
        ),
    ),
    *("? " * 2000 + "\n", "- " * 2000 + "x\n", "a:\n" + "".join(f"{' ' * d}a:\n" for d in range(1, 1500)), "!!map x\n"),
    *("\ufeff\ufeffa: 1\n", "a: 1\r b: 2\r", "a: '\u2028'\n", "%TAG ! x\n---\na: 1\n", "a: |9\n x\n", "{" * 3000),
)
NOISE = (b"\xff\xfe", b"\x00", b"\x80", b"\xef\xbb\xbf", b"\xc3\x28", b"\xed\xa0\x80", b"\r", b"\x1a", b"\xf0\x9f")
HOLE = "@hole@"


def pick(rng: np.random.Generator, items: Any) -> Any:
    """Draw one of a sequence, as it is."""
    return items[int(rng.integers(len(items)))]


def leaves(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in parsed JSON, containers and the whole among them."""
    found = [path]
    parts = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in list(parts)[:40]:  # the first of a long list stand for all
        found += leaves(value, (*path, key))
    return found


def spoiled(rng: np.random.Generator, content: Any) -> tuple[str, str]:
    """Return JSON text with one value replaced, removed, doubled or added, and in words what was done."""
    content = json.loads(json.dumps(content))
    path, how = (
        pick(rng, leaves(content)),
        pick(rng, ("replaced", "replaced", "replaced", "removed", "added", "doubled")),
    )
    hostile = pick(rng, JSON)
    if not path:
        return (
            (json.dumps(content) + pick(rng, ("x", "{}", "\x00")), "trailing") if how == "doubled" else (hostile, "all")
        )
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    text = _edited(content, holder, path[-1], how)
    place = ".".join(map(str, path))
    return text.replace(json.dumps(HOLE), hostile), f"{place} {how} with {hostile[:40]}"


def _edited(content: Any, holder: Any, key: Any, how: str) -> str:
    if how == "removed":
        del holder[key]
    elif how == "doubled" and isinstance(holder, dict):
        holder[f"{HOLE}{key}"] = holder[key]
        return json.dumps(content).replace(f'"{HOLE}{key}"', json.dumps(key))
    elif how == "added" and isinstance(holder, dict):
        holder[f"{key}_"] = HOLE
    elif how in ("added", "doubled") and isinstance(holder, list):
        holder.insert(key, HOLE if how == "added" else holder[key])
    else:
        holder[key] = HOLE
    return json.dumps(content)


def noisy(rng: np.random.Generator, content: bytes) -> bytes:
    """Return bytes with a cut, a flip, an insertion or a repetition somewhere."""
    place = int(rng.integers(len(content) + 1))
    how = int(rng.integers(4))
    if how == 0:
        return content[:place]
    if how == 1:
        return content[:place] + bytes([int(rng.integers(256))]) + content[place + 1 :]
    if how == 2:
        return content[:place] + pick(rng, NOISE) + content[place:]
    return content[:place] + content[max(0, place - 40) :]


def respelt(rng: np.random.Generator, text: str) -> str:
    """Return a text of lines with one word of one line replaced, removed, doubled or moved."""
    lines = text.split("\n")
    place = int(rng.integers(len(lines)))
    separator = "," if "," in lines[place] else " "
    words = lines[place].split(separator)
    word = int(rng.integers(len(words)))
    how = int(rng.integers(5))
    if how <= 1:
        words[word] = pick(rng, WORDS)
    elif how == 2:
        del words[word]
    elif how == 3:
        words.insert(word, words[word])
    else:
        lines.insert(place, lines[place])
    lines[place] = separator.join(words)
    return "\n".join(lines)
