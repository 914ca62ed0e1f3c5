"""What a person names on the command line, and what there is: a word that names nothing is told with the nearest."""

import os
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from vouch import paths
from vouch.documents import parse_json, read_text
from vouch.errors import BundleError, DataError, ParamsError, Problem, refuse_any
from vouch.names import closest, shown
from vouch.params import PARAMS, read_params
from vouch.sources.tree import photographs_below
from vouch.vision.images.formats import LISTED

PLACES = {"model": ("pipeline", "models"), "system": ("pipeline", "systems"), "data set": ("datasets",)}
KINDS = {"model": ("model",), "dataset": ("data set",), "model_or_system": ("model", "system")}  # of an argument
OWN = "models/M/bundle"
SHOWN = 12  # names that a message lists
MOST = 2**24  # bytes of a labels.json: 100,000 products have 3 MB
Choice = TypeVar("Choice", bound=StrEnum)


def refuse_unknown(named: Mapping[str, str]) -> None:
    """Return when params.yaml has every model and data set that is named.

    Parameters
    ----------
    named : mapping
        `model` or `dataset` to the word that was given.

    Raises
    ------
    ParamsError
        Saying which is unknown, the nearest name, and what there is.
    """
    problems = []
    for argument, word in named.items():
        kinds = KINDS[argument]
        known = sorted(name for kind in kinds for name in _names(kind))
        if word not in known:
            other = _other_kind(word)
            remedy = "`vouch new` makes one of a folder of photographs"
            if known and other:
                remedy = "name one of these"
            elif known:
                remedy = f"{_nearest(word, known)}; or {remedy}"
            where, expected = argument.upper(), f"the name of a {' or '.join(kinds)} of {PARAMS}: {_list(known)}"
            problems.append(Problem(where, expected, f"{word}, which is {other or 'none'}", remedy))
    refuse_any(ParamsError, problems)


def bundle_of(model: str, given: Path | None) -> Path:
    """Return the bundle's folder: the one that is given, else the model's own.

    Raises
    ------
    BundleError
        When there is no such folder, or it is no bundle.
    """
    from vouch.release.bundle import MANIFEST  # .4 s, which only those pay who open one

    folder = given or paths.model(model, "bundle")
    if not folder.exists():
        remedy = f"run `make repro MODEL={model}`" if given is None else alike(folder)
        raise BundleError([Problem(str(folder), "a bundle", "no such folder", remedy)])
    if not (folder / MANIFEST).is_file():
        within = folder / "bundle"
        remedy = f"perhaps `{within}` was meant" if (within / MANIFEST).is_file() else f"name a bundle, as {OWN} is one"
        got = "a folder without one" if folder.is_dir() else "a file"
        raise BundleError([Problem(str(folder), f"a bundle, a folder with {MANIFEST}", got, remedy)])
    return folder


def chosen(option: str, word: str, among: type[Choice]) -> Choice:
    """Return the choice that a word of the command line names.

    Raises
    ------
    ParamsError
        Saying what there is, and the nearest.
    """
    if word not in set(among):
        raise ParamsError([Problem(option, f"one of {', '.join(among)}", word, closest(word, among))])
    return among(word)


def classes_of(path: Path) -> tuple[str, ...]:
    """Return the classes of a model by its labels.json.

    Raises
    ------
    DataError
        When the file is absent or is no list of classes, each once.
    """
    if not path.exists():
        raise DataError([Problem(str(path), "the classes of the model", "no file", "run its stage export")])
    return classes_in(parse_json(read_text(path, str(path), max_bytes=MOST), str(path)), str(path))


def classes_in(content: object, where: str) -> tuple[str, ...]:
    """Return the classes that the content of a labels.json states.

    Raises
    ------
    DataError
        When it is no list of classes, each once.
    """
    classes = content.get("classes") if isinstance(content, dict) else None
    sound = isinstance(classes, list) and all(isinstance(one, str) and one for one in classes)
    if not sound or not classes or len(set(classes)) < len(classes):
        got = shown(content if classes is None else classes)
        raise DataError([Problem(where, '{"classes": [...]}, names, each once', got, "export the model again")])
    return tuple(classes)


def listed_photographs(images: Iterable[Path]) -> list[Path]:
    """Return the photographs that are named, a folder's in order of their paths; what is no folder is taken as it is.

    Raises
    ------
    DataError
        Naming each that is not there, with the nearest that is, and each folder without a photograph.
    """
    listed: list[Path] = []
    problems: list[Problem] = []
    for image in images:
        found = photographs_below(image) if image.is_dir() else [image]
        listed += found
        problems += _unseen(image, found)
    refuse_any(DataError, problems)
    return listed


def alike(path: Path) -> str:
    """Say what of a similar name lies beside a place where nothing is."""
    folder = path.parent
    if not folder.is_dir():
        return f"correct it: there is no folder {folder}"
    hint = closest(path.name, (one.name for one in folder.iterdir()))
    return hint if hint.startswith("perhaps") else f"correct it: nothing in {folder} is called alike"


def _unseen(image: Path, found: list[Path]) -> Iterator[Problem]:
    expected = "a photograph, or a folder of them"
    if image.is_symlink() and not os.path.exists(image):  # noqa: PTH110  # Path.exists raises on a circle of links
        yield Problem(str(image), expected, "a link that leads nowhere", "name the file itself")
    elif not image.exists():
        yield Problem(str(image), expected, "no such file", alike(image))
    elif not found:
        yield Problem(str(image), f"photographs ({' '.join(LISTED)})", "none in this folder", "name another")


def _other_kind(word: str) -> str:
    """Say of which kind the bearer of a name is, that is not of the kind wanted."""
    return next((f"a {kind}" for kind in PLACES if word in _names(kind)), "")


def _names(kind: str) -> list[str]:
    content: Any = read_params()
    for key in PLACES[kind]:
        content = content.get(key, {}) if isinstance(content, dict) else {}
    return sorted(map(str, content)) if isinstance(content, dict) else []


def _nearest(word: str, known: Iterable[str]) -> str:
    hint = closest(word, known)
    return hint if hint.startswith("perhaps") else "name one of these"


def _list(known: list[str]) -> str:
    shown = ", ".join(known[:SHOWN])
    return f"{shown}, ..." if len(known) > SHOWN else shown or "there is none"
