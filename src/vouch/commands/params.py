"""`vouch params NAME [STAGE]`: the parameters that hold, where each comes from, and why it is what it is."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from vouch.commands.sections import objections
from vouch.errors import ParamsError, Problem, refuse_any
from vouch.names import closest, wrong_names
from vouch.params import PARAMS, PRESETS, read_params, read_presets, read_section
from vouch.presets import JUDGED, Key, Laid


def params(
    name: Annotated[str, typer.Argument(help="Model, data set or system.")],
    stage: Annotated[str, typer.Argument(help="One of its sections; without it, all of them.")] = "",
) -> None:
    """Print parameters as the stages of a model, data set or system read them, each with its place and its reason.

    Raises
    ------
    ParamsError
        When there is no such model, data set, system or section; and, once all are printed, with what the stages that
        read them would refuse.
    """
    refuse_any(ParamsError, wrong_names([("NAME", name)]))
    content = read_params()
    kinds = [kind for kind in PRESETS if name in content.get(kind, {})]
    if not kinds:
        known = {name for kind in PRESETS for name in content.get(kind, {})}
        raise ParamsError([Problem("NAME", "a model, data set or system of params.yaml", name, closest(name, known))])
    sections = [(kind, section) for kind in kinds for section in _stages(content, kind, name)]
    wanted = [(kind, section) for kind, section in sections if stage in ("", section)]
    if not wanted:
        remedy = closest(stage, (section for _, section in sections))
        raise ParamsError([Problem("STAGE", f"a section of {name}", stage, remedy)])
    console = Console()
    for kind, section in wanted:
        console.print(_table(f"{kind}.{name}.{section}", read_section(kind, name, section)))
    known = {section for kind in PRESETS for named in content.get(kind, {}).values() for section in named}
    asked = (objections(kind, name, section, known=known) for kind, section in wanted)
    refuse_any(ParamsError, (problem for found in asked for problem in found))


def _stages(content: dict[str, Any], kind: str, name: str) -> list[str]:
    """Return the sections of its own and of its preset that its stages read, in the order of params.yaml."""
    preset, _ = PRESETS[kind](content, name, PARAMS)
    stages = read_presets().get(preset, {})  # in a workspace without presets params.yaml says all
    own = list(content[kind][name])
    return own + [stage for stage in stages if stage in JUDGED and stage not in own]


def _table(title: str, found: Laid) -> Table:
    columns = [Column(heading, overflow="fold") for heading in ("parameter", "value", "from", "reason")]
    table = Table(*columns, title=title, title_justify="left", box=SIMPLE_HEAD)
    for key, value in _leaves(found.content, ()):
        place = found.where(key)
        table.add_row(*(escape(text) for text in (".".join(key), _shown(value), _origin(place), _reason(place, key))))
    return table


def _leaves(content: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    if isinstance(content, dict) and content:
        for name, value in content.items():
            yield from _leaves(value, (*key, str(name)))
    else:
        yield key, content


def _shown(value: Any) -> str:
    return "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _origin(place: str) -> str:
    file, _, section = place.partition(": ")
    return ".".join(section.split(".")[:2]) if file == str(PARAMS) else file


def _reason(place: str, key: Key) -> str:
    """Return the comment behind a key where it is written, or behind the mapping that holds it."""
    file, _, section = place.partition(": ")
    content: Any = _commented(Path(file))
    said = ""
    for name in (*section.split("."), *key):
        if not isinstance(content, CommentedMap) or name not in content:
            break
        comment = content.ca.items.get(name, [None] * 4)[2]
        said = comment.value.splitlines()[0].lstrip("# ").strip() if comment is not None else ""
        content = content[name]
    return said


@cache
def _commented(path: Path) -> Any:
    return YAML().load(path.read_text(encoding="utf-8"))
