"""`vouch add FILE`: the sections of an example, or of another workspace, come into params.yaml, comments and all.

Everything is compared and checked before params.yaml is replaced as a whole. What is there already and the same stays
as it is, so that the command can be given twice; what is there and different is refused, all of it at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML
from ruamel.yaml.scalarbool import ScalarBoolean

from vouch import io
from vouch.commands.importing import tracked
from vouch.commands.params_edit import with_entry, with_item
from vouch.errors import ParamsError, Problem, refuse_any
from vouch.params import PARAMS, parse_params, read_params
from vouch.road_agreement import check_pipeline

Keys = tuple[str, ...]
ABSENT = object()


@dataclass(frozen=True)
class Addition:
    """What params.yaml lacks: an entry of a mapping with its value, or an item of the list at `keys`."""

    keys: Keys
    value: Any
    is_item: bool


def add_sections(
    file: Annotated[Path, typer.Argument(help="YAML with sections of params.yaml, as those of examples/.")],
) -> None:
    """Put the sections of a file into params.yaml: data sets, models, and the roads that they go.

    Raises
    ------
    VouchError
        Listing everything that params.yaml has otherwise; nothing is written then.
    """
    read_params(file)  # what no parser takes is refused before the one that keeps comments sees it
    text, more = PARAMS.read_text(encoding="utf-8"), YAML().load(file.read_text(encoding="utf-8"))
    content = read_params()
    found = list(_differences(content, more))
    refuse_any(ParamsError, (one for one in found if isinstance(one, Problem)))
    added = [one for one in found if isinstance(one, Addition)]
    for one in added:
        text = (with_item if one.is_item else with_entry)(text, one.keys, one.value)
    whole = parse_params(text, str(PARAMS))
    check_pipeline(whole, str(PARAMS))
    if not added:
        typer.echo(f"{PARAMS}: everything of {file} is in it already")
        return
    io.write_text(PARAMS, text)
    for one in added:
        typer.echo(f"{PARAMS}: {'.'.join(one.keys)}{f', {one.value}' if one.is_item else ''}")
    for line in _next(whole, more):
        typer.echo(line)


def _differences(content: Any, more: Any, keys: Keys = ()) -> Iterator[Addition | Problem]:
    """Yield what is not there yet, each value that is there and another one, each section without a place or name."""
    for name, value in more.items():
        known, where = content.get(name, ABSENT), (*keys, str(name))
        if not isinstance(name, str):  # a data set called 2024: paths are made of names
            yield Problem(f"{PARAMS}: {'.'.join(where)}", "a name that is text", repr(name), "put it in quotes")
        elif known is ABSENT and not keys:
            yield Problem(f"{PARAMS}: {name}", "a section of this name", "none", f"add a line `{name}: {{}}`")
        elif known is ABSENT:
            yield Addition(where, value, is_item=False)
        elif isinstance(known, dict) and isinstance(value, dict):
            yield from _differences(known, value, where)
        elif where[0] == "pipeline" and isinstance(known, list) and isinstance(value, list):
            yield from (
                Addition(where, item, is_item=True) for item in value if not any(_same(item, one) for one in known)
            )
        elif not _same(known, value):
            remedy = "they cannot both hold: change one by hand, then repeat"
            yield Problem(f"{PARAMS}: {'.'.join(where)}", f"{value!r}, as the file says", repr(known), remedy)


def _same(one: Any, other: Any) -> bool:
    """Return whether two values say the same: 1 and 1.0 do, true and 1 do not, though Python has them equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    truths = [isinstance(value, bool | ScalarBoolean) for value in (one, other)]
    return bool(one == other) and truths[0] is truths[1]


def _next(content: Any, more: Any) -> Iterator[str]:
    """Yield the commands that build what came."""
    roads = content["pipeline"]
    for dataset in more.get("datasets", {}):
        if dataset not in roads.get("rendered", []) and not tracked(dataset).exists():
            yield f"bring its photographs:\n  vouch import {dataset} PATH"
    for name in [*more.get("models", {}), *more.get("systems", {})]:
        yield f"build it:\n  make repro MODEL={name}"
