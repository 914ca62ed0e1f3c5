"""Groups, strata and split of each photograph: what its row states, and what the descriptor's rules find."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from vouch.errors import Problem
from vouch.names import closest
from vouch.sources.descriptor import Descriptor, Rule
from vouch.sources.formats.table import Row, cell_annotation, cell_label, cell_size
from vouch.sources.matching import Unfinished, searched
from vouch.sources.records import Record
from vouch.tables import GROUP, SPLIT_STATED, STRATUM

SPLIT = "split"  # key of the rule of the split, in messages
Matches = Mapping[str, Mapping[str, str | None]]  # pattern to what it matches in each name
Find = Callable[[str, Row], str | None]  # photograph and row to a value, None where the rule finds none


def placed(
    records: Sequence[Record], rows: Mapping[str, Row] | None, descriptor: Descriptor
) -> tuple[list[Record], list[Problem]]:
    """Give each record the groups, strata, split, size and annotation that rows and rules add to it.

    A key that a row or line states may also have a rule, when the two agree: a disagreement is a problem, as is a
    photograph without a row, a row without a photograph, and a rule that finds nothing.
    """
    matches, problems = _matched(records, descriptor)
    problems += _column_problems(rows, descriptor)
    if problems or (rows is None and not _rules(descriptor)):
        return list(records), problems
    groups = _finds(rows, descriptor.groups, GROUP, matches)
    strata = _finds(rows, descriptor.strata, STRATUM, matches)
    split = _finds_split(rows, descriptor.split, matches)
    if rows is not None:
        problems += _strangers(records, rows, descriptor.manifest)
    made = []
    for record in records:
        row = {} if rows is None else rows.get(record.image)
        if row is not None:
            made.append(_place(record, row, (groups, strata, split), problems))
    return made, problems


def _rules(descriptor: Descriptor) -> list[tuple[str, Rule]]:
    """Return every rule with its key; that of the split is called `split`."""
    split = [] if descriptor.split is None else [(SPLIT, descriptor.split)]
    return [*descriptor.groups.items(), *descriptor.strata.items(), *split]


def _matched(records: Sequence[Record], descriptor: Descriptor) -> tuple[Matches, list[Problem]]:
    """Search the name of each photograph for each pattern; one that does not come to an end is a problem."""
    keys = {rule.pattern: key for key, rule in _rules(descriptor) if rule.pattern is not None}
    names = sorted({_name(record.image) for record in records}) if keys else []
    matches: dict[str, Mapping[str, str | None]] = {}
    problems = []
    for pattern, key in keys.items():
        found = searched(pattern, names)
        if isinstance(found, Unfinished):
            got = f"{found.why} on {found.name!a}"
            remedy = "write it without a repetition inside a repetition"
            problems.append(Problem(f"rule of `{key}`", f"the pattern {pattern!r} to come to an end", got, remedy))
        else:
            matches[pattern] = found
    return matches, problems


def _place(record: Record, row: Row, finds: tuple[dict[str, Find], ...], problems: list[Problem]) -> Record:
    groups, strata, split = finds
    where = record.where
    annotation = cell_annotation(row, record.annotation, where)
    label = cell_label(row, record.label, where)
    width, height = (cell_size(row, side, getattr(record, side), where) for side in ("width", "height"))
    problems += [part for part in (annotation, label, width, height) if isinstance(part, Problem)]
    return replace(
        record,
        annotation=record.annotation if isinstance(annotation, Problem) else annotation,
        width=None if isinstance(width, Problem) else width,
        height=None if isinstance(height, Problem) else height,
        groups=_found(record, record.groups, row, groups, problems),
        strata=_found(record, record.strata, row, strata, problems),
        split=_found(record, {} if record.split is None else {SPLIT: record.split}, row, split, problems).get(SPLIT),
    )


def _found(
    record: Record, known: Mapping[str, str], row: Row, finds: dict[str, Find], problems: list[Problem]
) -> dict[str, str]:
    values = dict(known)
    for name, find in finds.items():
        key = name.partition(" ")[0]
        value = find(record.image, row)
        if value is None:
            remedy = "correct the rule or the file name"
            problems.append(Problem(record.where, f"a value of `{key}` by {name.partition(' ')[2]}", "none", remedy))
        elif value and values.setdefault(key, value) != value:
            remedy = "remove the rule or correct the value"
            problems.append(Problem(record.where, f"`{key}` {values[key]!r} as stated elsewhere", repr(value), remedy))
    return values


def _finds(rows: Mapping[str, Row] | None, rules: Mapping[str, Rule], prefix: str, matches: Matches) -> dict[str, Find]:
    """Return a finder per key and place ("driver column `who`"); columns named `group_<key>` need no rule."""
    stated = [column for column in _header(rows) if column.startswith(prefix)]
    finds = {f"{column.removeprefix(prefix)} its column": _cell(column) for column in stated}
    return finds | {f"{key} {_words(rule)}": _finder(rule, matches) for key, rule in rules.items()}


def _finds_split(rows: Mapping[str, Row] | None, rule: Rule | None, matches: Matches) -> dict[str, Find]:
    stated = {f"{SPLIT} its column": _cell(SPLIT_STATED)} if SPLIT_STATED in _header(rows) else {}
    return stated if rule is None else stated | {f"{SPLIT} {_words(rule)}": _finder(rule, matches)}


def _header(rows: Mapping[str, Row] | None) -> list[str]:
    """Return all columns: several CSV files of one source need not have the same."""
    return list(dict.fromkeys(column for row in (rows or {}).values() for column in row))


def _finder(rule: Rule, matches: Matches) -> Find:
    if rule.column is not None:
        return _cell(rule.column)
    if rule.pattern is not None:
        found = matches[rule.pattern]
        return lambda image, _: found[_name(image)]
    if rule.level is not None:
        level = rule.level
        return lambda image, _: _folder(image, level)
    return lambda _, __: rule.value


def _words(rule: Rule) -> str:
    name, value = next(iter(rule.model_dump(exclude_none=True).items()))
    return f"{name} {value!r}"


def _cell(column: str) -> Find:
    return lambda _, row: row.get(column, "")


def _name(image: str) -> str:
    return image.rpartition("/")[2]


def _folder(image: str, level: int) -> str | None:
    folders = image.split("/")[:-1]
    index = level - 1 if level > 0 else level
    return folders[index] if -len(folders) <= index < len(folders) else None


def _column_problems(rows: Mapping[str, Row] | None, descriptor: Descriptor) -> list[Problem]:
    wanted = {rule.column: key for key, rule in _rules(descriptor) if rule.column is not None}
    if wanted and rows is None:
        remedy = "put it into the folder as manifest.csv; `vouch import` takes it from elsewhere with --manifest"
        return [Problem("the source", f"a side manifest for the columns {', '.join(wanted)}", "none", remedy)]
    header = _header(rows)
    return [
        Problem(f"rule of `{key}`", "a column of the manifest", repr(column), closest(column, header))
        for column, key in wanted.items()
        if rows and column not in header
    ]


def _strangers(records: Sequence[Record], rows: Mapping[str, Row], manifest: str | None) -> list[Problem]:
    name = manifest or "the manifest"
    images = {record.image for record in records}
    expected, remedy = f"a row of {name}", "add the row"
    lone = [Problem(record.where, expected, "none", remedy) for record in records if record.image not in rows]
    expected, remedy = "a photograph of the source", "remove the row, or bring the photograph back"
    return lone + [Problem(f"{name}: {image}", expected, "none", remedy) for image in rows if image not in images]
