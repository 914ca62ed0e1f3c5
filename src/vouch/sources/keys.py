"""What a source states of group keys and strata, held against what its data set declares."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from vouch.errors import Problem, so_many
from vouch.names import closest
from vouch.sources.descriptor import Descriptor
from vouch.sources.records import Reading, Record
from vouch.sources.vocabulary import is_fit
from vouch.tables import GROUP, STRATUM

ITSELF = "sample"  # the group key of a data set without groups: each photograph is a group of its own
SPLIT_NAMES = frozenset(
    {"train", "training", "val", "valid", "validation", "test", "testing", "eval", "dev", "holdout"}
)
FEW, MANY = 3, 20  # so few values over so many photographs chain nearly all of them: four splits need four groups
FIRST = 4  # values that a message shows
Kind = Literal["group key", "stratum"]
PREFIXES: Mapping[Kind, str] = {"group key": GROUP, "stratum": STRATUM}
FIELDS: Mapping[Kind, str] = {"group key": "groups", "stratum": "strata"}  # of a line of JSONL
OPTIONS: Mapping[Kind, str] = {"group key": "--group", "stratum": "--strata"}


def key_problems(
    descriptor: Descriptor, reading: Reading, *, group_keys: tuple[str, ...], strata: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    """Yield what is missing, undeclared, unfit or unknown: a key once with its column and file, not once a photograph.

    Parameters
    ----------
    descriptor, reading
        The source; its photographs carry what rows and rules gave them.
    group_keys, strata
        What the data set declares; `sample` needs no value.
    """
    needed: dict[Kind, list[str]] = {
        "group key": [key for key in group_keys if key != ITSELF],
        "stratum": list(strata),
    }
    for kind, keys in needed.items():
        stated = _stated(reading.records, kind)
        undeclared = sorted(stated.keys() - set(keys) - ({ITSELF} & set(group_keys) if kind == "group key" else set()))
        for key in keys:
            yield from _missing(kind, key, descriptor, reading, undeclared)
        for key in undeclared:
            yield _undeclared(kind, key, stated[key], descriptor, reading, keys)
        for key in sorted(stated.keys() - set(undeclared)):
            allowed = strata[key] if kind == "stratum" else None
            yield from _values(kind, key, stated[key], _place(kind, key, descriptor, reading), allowed)


def _values_of(record: Record, kind: Kind) -> Mapping[str, str]:
    return record.groups if kind == "group key" else record.strata


def _stated(records: Iterable[Record], kind: Kind) -> dict[str, dict[str, list[Record]]]:
    """Photographs by key and value."""
    found: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        for key, value in _values_of(record, kind).items():
            found.setdefault(key, {}).setdefault(value, []).append(record)
    return found


def _place(kind: Kind, key: str, descriptor: Descriptor, reading: Reading) -> str:
    """Where the values of a key come from: a column, a field or a rule."""
    rule = (descriptor.groups if kind == "group key" else descriptor.strata).get(key)
    if rule is not None and rule.column is None:
        return f"rule of `{key}`"
    file = descriptor.manifest or ", ".join(reading.files) or f"manifest.{descriptor.format}"
    if rule is None and descriptor.format == "jsonl":
        return f"{file}: {FIELDS[kind]}.{key}"
    return f"{file}: column {PREFIXES[kind] + key if rule is None else rule.column}"


def _missing(
    kind: Kind, key: str, descriptor: Descriptor, reading: Reading, undeclared: list[str]
) -> Iterator[Problem]:
    rules = descriptor.groups if kind == "group key" else descriptor.strata
    columns = [rule.column for other, rule in rules.items() if other in undeclared and rule.column is not None]
    remedy = f"add it, or a rule with {OPTIONS[kind]}"
    if columns:
        remedy += f"; perhaps `{OPTIONS[kind]} {key}=column:{columns[0]}` was meant"
    for record in reading.records:
        if not _values_of(record, kind).get(key):
            yield Problem(record.where, f"a value of the {kind} `{key}`", "none", remedy)


def _undeclared(
    kind: Kind,
    key: str,
    values: Mapping[str, list[Record]],
    descriptor: Descriptor,
    reading: Reading,
    known: list[str],
) -> Problem:
    rules = descriptor.groups if kind == "group key" else descriptor.strata
    ignored = f"`--ignore {PREFIXES[kind]}{key}` (in source.json: `ignore`)"
    leave = f"take the rule of `{key}` away" if key in rules else f"leave it out with {ignored}"
    counts = Counter({value: len(records) for value, records in values.items()})
    shown = ", ".join(sorted(counts)[:FIRST]) + (", ..." if len(counts) > FIRST else "")
    values_said, photographs = so_many(len(counts), "value"), so_many(counts.total(), "photograph")
    got = f"{key!r} with {values_said} ({shown}) on {photographs}"
    section = f"ingest.{'group_keys' if kind == 'group key' else 'strata'}"
    remedy = f"{closest(key, known)}; declare it in the data set's {section} of params.yaml, or {leave}"
    if kind == "group key" and (why := _no_group(counts)):
        remedy = f"it is no leakage group, for {why}: {leave}"
    return Problem(_place(kind, key, descriptor, reading), f"a declared {kind}", got, remedy)


def _no_group(counts: Counter[str]) -> str:
    """Say why a key must not tie photographs together, "" where nothing speaks against it."""
    if {value.casefold() for value in counts} <= SPLIT_NAMES:
        return "its values are names of splits and would chain each of them into one group"
    if len(counts) <= FEW and counts.total() >= MANY:
        return f"it would chain {counts.total()} photographs into {len(counts)}, fewer than the four splits"
    return ""


def _values(
    kind: Kind, key: str, values: Mapping[str, list[Record]], place: str, allowed: tuple[str, ...] | None
) -> Iterator[Problem]:
    for value, records in values.items():
        on = f" on {len(records)} photographs, the first" if len(records) > 1 else " on"
        if value and not is_fit(value):
            expected = f"a {kind} `{key}` without control characters or outer spaces"
            yield Problem(place, expected, f"{value!a}{on} {records[0].image}", "correct the value")
        elif value and allowed is not None and value not in allowed:
            got = f"{value!r}{on} {records[0].image}"
            yield Problem(place, f"`{key}` one of {', '.join(allowed)}", got, closest(value, allowed))
