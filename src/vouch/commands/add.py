"""`vouch add FILE`: the sections of an example, or of another workspace, come into params.yaml, comments and all.

Everything is compared and checked before params.yaml is replaced as a whole. What is there already and the same stays
as it is, so that the command can be given twice; what is there and different is refused, all of it at once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from vouch import io
from vouch.commands.importing import tracked
from vouch.commands.params_edit import with_entry, with_item
from vouch.errors import ParamsError, Problem, refuse_any
from vouch.params import PARAMS, parse_params, read_params
from vouch.road_agreement import check_pipeline

Keys = tuple[str, ...]
ABSENT = object()


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
    refuse_any(ParamsError, _contradictions(content, more))
    added = list(_lacking(content, more))
    for keys, value, is_item in added:
        text = with_item(text, keys, value) if is_item else with_entry(text, keys, value)
    check_pipeline(parse_params(text, str(PARAMS)), str(PARAMS))
    if not added:
        typer.echo(f"{PARAMS}: everything of {file} is in it already")
        return
    io.write_text(PARAMS, text)
    for keys, value, is_item in added:
        typer.echo(f"{PARAMS}: {'.'.join(keys)}{f', {value}' if is_item else ''}")
    for line in _next(parse_params(text, str(PARAMS)), more):
        typer.echo(line)


def _contradictions(content: Any, more: Any, keys: Keys = ()) -> Iterator[Problem]:
    """Yield each value that is there and another one, and each section that has no place to go to."""
    for name, value in more.items():
        known, where = content.get(name, ABSENT), (*keys, str(name))
        if known is ABSENT:
            if not keys:
                yield Problem(f"{PARAMS}: {name}", "a section of this name", "none", f"add a line `{name}: {{}}`")
        elif isinstance(known, dict) and isinstance(value, dict):
            yield from _contradictions(known, value, where)
        elif known != value and not (isinstance(known, list) and isinstance(value, list) and where[0] == "pipeline"):
            remedy = "they cannot both hold: change one by hand, then repeat"
            yield Problem(f"{PARAMS}: {'.'.join(where)}", f"{value!r}, as the file says", repr(known), remedy)


def _lacking(content: Any, more: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any, bool]]:
    """Yield what is not there yet: the keys of a mapping's new entry and its value, or of a list and its new item."""
    for name, value in more.items():
        known, where = content.get(name, ABSENT), (*keys, str(name))
        if known is ABSENT:
            yield where, value, False
        elif isinstance(known, dict) and isinstance(value, dict):
            yield from _lacking(known, value, where)
        elif isinstance(known, list):
            yield from ((where, item, True) for item in value if item not in known)


def _next(content: Any, more: Any) -> Iterator[str]:
    """Yield the commands that build what came."""
    roads = content["pipeline"]
    for dataset in more.get("datasets", {}):
        if dataset not in roads.get("rendered", []) and not tracked(dataset).exists():
            yield f"bring its photographs:\n  vouch import {dataset} PATH"
    for name in [*more.get("models", {}), *more.get("systems", {})]:
        yield f"build it:\n  make repro MODEL={name}"
