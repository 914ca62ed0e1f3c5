"""params.yaml over presets, typed on read: a stage names its section and receives that section alone."""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from vouch.documents import DocumentError, parse_yaml, read_text
from vouch.errors import ParamsError, Problem
from vouch.names import is_name, shown
from vouch.presets import DATASET, JUDGED, SYSTEM, Laid, Layer, laid

PARAMS = Path("params.yaml")
FOLDER = "presets"  # beside it, a file for each: DVC reads each file anew for each stage that names it
MAX_BYTES = 2**20  # the whole of ours has 36,000
SHOULD_BE = re.compile(r"^(Value error, |\w+ should (be|have) )")  # how a message of pydantic's begins
CHOOSING = ("kind", "method", "metric")  # keys by which a section is one of several


LARGEST = 2**32 - 1  # seeds of NumPy's older generators end here; no count or size of ours comes near


class Section(BaseModel):
    """One stage's parameters: frozen, closed (unknown keys are refused), strictly typed, every number finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _whole_numbers_fit(self) -> Self:
        """Run before the validators of a section, which calculate."""
        if beyond := [name for name, value in self if not _fits(value)]:
            raise ValueError(f"{', '.join(beyond)}: whole numbers end at {LARGEST}")
        return self


def _fits(value: object) -> bool:
    """Whether every whole number in a field is one that what we build on can count with; a section sees to its own."""
    if isinstance(value, int):
        return abs(value) <= LARGEST
    if isinstance(value, Mapping):
        return all(_fits(one) for one in value.values())
    return not isinstance(value, tuple | list) or all(_fits(one) for one in value)


S = TypeVar("S", bound=BaseModel)  # a Section, or a RootModel that chooses between several by a key


def read_params(path: Path = PARAMS) -> dict[str, Any]:
    """Read a parameter file as YAML 1.2, the dialect that DVC writes (`on` and `no` are plain words there).

    Raises
    ------
    ParamsError
        When the file is absent, is no regular file, is too large, is not YAML 1.2 of plain values, names a key twice,
        or is not a mapping.
    """
    try:
        text = read_text(path, str(path), max_bytes=MAX_BYTES)
    except DocumentError as error:
        raise ParamsError(error.problems) from error
    return parse_params(text, str(path))


def parse_params(text: str, where: str) -> dict[str, Any]:
    """Return the mapping that the text of a parameter file is.

    Raises
    ------
    ParamsError
        As `read_params` for a file's content.
    """
    try:
        content = _parsed(text, where)
    except DocumentError as error:
        raise ParamsError(error.problems) from error
    if not isinstance(content, dict):
        got = type(content).__name__
        raise ParamsError([Problem(where, "a YAML 1.2 mapping", got, "write `key: value` lines")])
    return copy.deepcopy(content)  # the parsed one is kept: nobody may change it


@lru_cache(maxsize=8)
def _parsed(text: str, where: str) -> Any:
    """Parse once in a process: it takes 0.15 s, and a stage asks up to six times."""
    return parse_yaml(text, where)


def load(section: type[S], *keys: str, path: Path = PARAMS) -> S:
    """Return the section at `keys` (say "datasets", "driver", "split"), laid over its preset and checked.

    Raises
    ------
    ParamsError
        Listing every unknown key, missing key, wrong type and value out of range, each where it is written.
    """
    return _checked(section, read_section(*keys, path=path))


def read_value(*keys: str, path: Path = PARAMS) -> Any:
    """Return what stands at `keys`, unchecked: for one leaf of another stage's section that dvc.yaml declares too.

    Raises
    ------
    ParamsError
        When there is no such key.
    """
    depth = 3 if keys[0] in PRESETS else 1
    content = read_section(*keys[:depth], path=path).content
    return _within(content, keys, depth, path)


def read_section(*keys: str, path: Path = PARAMS) -> Laid:
    """Return the section at `keys`, unchecked, with the place that each of its keys comes from.

    A stage's section of a data set or model is laid over its preset, and in between, where the model is `judged_as`
    another, over that model's section. Without the folder presets/ there are none: params.yaml says all.

    Raises
    ------
    ParamsError
        When there is no such section anywhere, no such data set or model, or `pipeline.models` does not say which
        presets hold for a model.
    """
    content = read_params(path)
    if len(keys) != 3 or keys[0] not in PRESETS or not path.with_name(FOLDER).exists():
        return laid([_layer(content, keys, path)])
    kind, name, stage = keys
    preset, judged_as = PRESETS[kind](content, name, path)
    below = preset_file(preset, path)
    sources = [(read_params(below), (stage,), below), (content, keys, path)]
    if stage in JUDGED and judged_as != name:
        sources.insert(1, (content, (kind, judged_as, stage), path))
    _within(content, keys[:2], 0, path)
    layers = [_layer(*source) for source in sources if _has(*source[:2])]
    return laid(layers or [_layer(content, keys, path)])


def preset_file(preset: str, path: Path = PARAMS) -> Path:
    """Return the file of a preset ("dataset", "system" or a task) beside a parameter file."""
    return path.with_name(FOLDER) / f"{preset}.yaml"


def read_presets(path: Path = PARAMS) -> dict[str, dict[str, Any]]:
    """Return every preset beside a parameter file by its name.

    Raises
    ------
    ParamsError
        As `read_params` for each.
    """
    return {file.stem: read_params(file) for file in sorted(path.with_name(FOLDER).glob("*.yaml"))}


def _layer(content: Any, keys: Sequence[str], path: Path) -> Layer:
    return Layer(f"{path}: {'.'.join(keys)}", _within(content, keys, 0, path))


def _has(content: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True


def _of_dataset(_: dict[str, Any], name: str, __: Path) -> tuple[str, str]:
    return DATASET, name


def _of_model(content: dict[str, Any], name: str, path: Path) -> tuple[str, str]:
    """Return the preset of a model, which is its task, and the model that it is judged as."""
    task, judged_as = (_within(content, ("pipeline", "models", name, key), 0, path) for key in ("task", "judged_as"))
    return str(task), str(judged_as)


def _of_system(_: dict[str, Any], name: str, __: Path) -> tuple[str, str]:
    return SYSTEM, name


PRESETS = {"datasets": _of_dataset, "models": _of_model, "systems": _of_system}  # by the kind of section


def _within(content: Any, keys: Sequence[str], depth: int, path: Path) -> Any:
    """Descend from what stands at the first `depth` keys to what stands at all."""
    for place in range(depth, len(keys)):
        if not isinstance(content, dict) or keys[place] not in content:
            where = f"{path}: {'.'.join(keys[: place + 1])}"
            raise ParamsError([Problem(where, "a section", "nothing", "add it, see the sections of `driver`")])
        content = content[keys[place]]
    return content


def check(section: type[S], content: object, where: str) -> S:
    """Check already read parameters.

    Raises
    ------
    ParamsError
        As `load` does.
    """
    return _checked(section, laid([Layer(where, content)]))


def _checked(section: type[S], found: Laid) -> S:
    """Check a section; JSON mode lets YAML's lists become tuples and its dates be read as such."""
    try:
        text = json.dumps(found.content, default=_date)
    except (TypeError, ValueError, RecursionError) as error:  # a key that is a date; a value within itself
        got, where = shown(str(error)), found.origins[()]
        raise ParamsError([Problem(where, "text, numbers, dates, lists and mappings", got, "correct it")]) from error
    try:
        return section.model_validate_json(text)
    except ValidationError as error:
        raise ParamsError(_problems(error, found)) from error


def _date(value: object) -> str:
    if not isinstance(value, date):
        raise TypeError(f"a value of type {type(value).__name__}")
    return str(value)


def _problems(error: ValidationError, found: Laid) -> list[Problem]:
    problems = []
    for item in error.errors():
        key = _written(item["loc"], found.content)
        place = ".".join([found.where(key), *map(_part, key)])
        if item["type"] == "extra_forbidden":
            problems.append(Problem(place, "a known key", "an unknown one", "remove or respell it"))
        elif item["type"] == "missing":
            problems.append(Problem(place, "a value", "nothing", _completed(found, key[:-1])))
        elif item["type"] in ("union_tag_not_found", "union_tag_invalid"):
            chosen_by = item["ctx"]["discriminator"].strip("'")
            got = shown(item["ctx"].get("tag", "nothing"))
            expected = item["ctx"].get("expected_tags", "the kind of this section")
            problems.append(Problem(f"{place}.{chosen_by}", expected, got, "say which kind it is"))
        else:
            problems.append(Problem(place, wanted(item["msg"]), shown(item["input"]), "correct the value"))
    return problems


def wanted(message: str) -> str:
    """Return what pydantic says that a value should be, as what was expected.

    >>> wanted("Input should be a valid integer"), wanted("Value error, level 0 names no folder")
    ('a valid integer', 'level 0 names no folder')
    """
    return SHOULD_BE.sub("", message)


def _written(place: Sequence[int | str], content: Any) -> tuple[int | str, ...]:
    """Return a place of pydantic's as keys that a person writes: without the kinds that it names between them."""
    keys: list[int | str] = []
    for part in place:
        if isinstance(content, dict):
            if part not in content and part in [content.get(name) for name in CHOOSING]:
                continue
            content = content.get(part)
        elif isinstance(content, list) and isinstance(part, int):
            content = content[part] if part < len(content) else None
        keys.append(part)
    return tuple(keys)


def _completed(found: Laid, key: tuple[int | str, ...]) -> str:
    """Say what to do about a mapping that is not whole: perhaps it should have changed one of the preset."""
    if key and (names := found.siblings(key)):
        return f"add the key, or respell {_part(key[-1])}: the preset has {', '.join(map(_part, names))}"
    return "add the key"


def _part(part: int | str) -> str:
    """Return a key or index as a place names it; one that could be taken for something else, quoted."""
    return str(part) if isinstance(part, int) or is_name(part.lower()) or part == "[key]" else shown(part)
