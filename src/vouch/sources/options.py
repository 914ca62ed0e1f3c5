"""The words of `vouch import` into the fields of a descriptor."""

from collections.abc import Iterable
from typing import Any

from vouch.errors import ManifestError, Problem, refuse_any

MOST_DIGITS = 3  # of a folder's level; Python reads at most 4,300
PLACES = {"column": "column", "name": "pattern", "folder": "level", "value": "value"}


def labels_of(words: Iterable[str]) -> dict[str, str | None]:
    """Read `FROM=TO` (rename) and `FROM=` (drop).

    Examples
    --------
    >>> labels_of(["Can=can", "Cable="])
    {'Can': 'can', 'Cable': None}

    Raises
    ------
    ManifestError
        For words without `=`, and for a class that is mapped twice.
    """
    pairs = [(word, *word.rpartition("=")) for word in words]
    sources = [source for _, source, _, _ in pairs]
    expected, remedy = "FROM=TO, each FROM once", "correct the option"
    wrong = [word for word, source, _, _ in pairs if not source or sources.count(source) > 1]
    refuse_any(ManifestError, (Problem("--label-map", expected, repr(word), remedy) for word in wrong))
    return {source: target or None for _, source, _, target in pairs}


def rules_of(words: Iterable[str], *, default_key: str | None) -> dict[str, dict[str, Any]]:
    """Read `KEY=column:NAME`, `KEY=name:REGEX`, `KEY=folder:LEVEL`, `KEY=value:TEXT`, or a plain column.

    Parameters
    ----------
    words
        As on the command line.
    default_key
        Key of a plain column; None makes the column's own name the key.

    Examples
    --------
    >>> rules_of(["session", "drive=folder:2"], default_key="group")
    {'group': {'column': 'session'}, 'drive': {'level': 2}}

    Raises
    ------
    ManifestError
        For words of another form, and for a key that has two rules.
    """
    rules: dict[str, dict[str, Any]] = {}
    problems = []
    for word in words:
        key, rule = _rule(word, default_key)
        if rule is None or key in rules:
            expected = "KEY=column:NAME, KEY=name:REGEX, KEY=folder:LEVEL or KEY=value:TEXT, each key once"
            problems.append(Problem("--group or --strata", expected, repr(word), "correct the option"))
        else:
            rules[key] = rule
    refuse_any(ManifestError, problems)
    return rules


def split_of(word: str) -> dict[str, Any]:
    """Read `column:NAME`, `name:REGEX`, `folder:LEVEL`, `value:TEXT`, or a plain column.

    Examples
    --------
    >>> split_of("split"), split_of("folder:1")
    ({'column': 'split'}, {'level': 1})

    Raises
    ------
    ManifestError
        For words of another form.
    """
    _, rule = _rule(f"split={word}" if word.partition(":")[0] in PLACES else word, None)
    if not word or rule is None:
        expected = "NAME of a column, column:NAME, name:REGEX, folder:LEVEL or value:TEXT"
        raise ManifestError([Problem("--split", expected, repr(word), "correct the option")])
    return rule


def _rule(word: str, default_key: str | None) -> tuple[str, dict[str, Any] | None]:
    key, equals, place = word.partition("=")
    if not equals:
        return default_key or word, {"column": word}
    kind, colon, value = place.partition(":")
    if kind not in PLACES or not colon or not value:
        return key, None
    if kind == "folder":
        digits = value.removeprefix("-")
        is_level = digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS
        return key, {"level": int(value)} if is_level else None
    return key, {PLACES[kind]: value}
