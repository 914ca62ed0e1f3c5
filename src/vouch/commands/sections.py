"""What reads a section of params.yaml: a stage, a command or a scene; and what it has against the section."""

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import vouch.commands
import vouch.scenes
import vouch.stages
from vouch.errors import ParamsError, Problem
from vouch.names import closest
from vouch.params import PARAMS, load, read_value
from vouch.tasks import Task

DRAWING = "render"  # each data set's scene has parameters of its own


def objections(kind: str, name: str, section: str, *, known: set[str]) -> Iterator[Problem]:
    """Yield what the stage or command that reads a section would refuse it for.

    Parameters
    ----------
    kind, name, section
        As in params.yaml: say "models", "driver" and "gate".
    known
        Sections that params.yaml and presets have elsewhere, one of which may be meant.
    """
    reader = _reader(name, section)
    if reader is None:
        where, hint = f"{PARAMS}: {kind}.{name}.{section}", closest(section, known & _names(vouch.stages.__path__))
        yield Problem(where, "a section that a stage or command reads", "one that none does", hint)
        return
    by_task = getattr(reader, "SECTIONS", None)
    try:
        load(by_task[_task(name)] if by_task else reader.Params, kind, name, section)
    except ParamsError as error:
        yield from error.problems


def _task(name: str) -> Task:
    task: Task = read_value("pipeline", "models", name, "task")
    return task


def _reader(name: str, section: str) -> Any:
    """Return the module with the type of a section, or None where nothing reads one of this name."""
    word = name if section == DRAWING else section
    for place in (vouch.scenes,) if section == DRAWING else (vouch.stages, vouch.commands):
        if word in _names(place.__path__):
            module = import_module(f"{place.__name__}.{word}")
            if hasattr(module, "SECTIONS") or hasattr(module, "Params"):
                return module
    return None


def _names(folders: Iterable[str]) -> set[str]:
    return {module.name for module in pkgutil.iter_modules(folders)}
