"""params.yaml, typed on read: a stage names its section and receives that section alone."""

import copy
import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from vouch.documents import DocumentError, parse_yaml, read_text
from vouch.errors import ParamsError, Problem
from vouch.names import is_name, shown

PARAMS = Path("params.yaml")
MAX_BYTES = 2**20  # the whole of ours has 36,000


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


@lru_cache(maxsize=4)
def _parsed(text: str, where: str) -> Any:
    """Parse once in a process: it takes 0.15 s, and a stage asks up to six times."""
    return parse_yaml(text, where)


def load(section: type[S], *keys: str, path: Path = PARAMS) -> S:
    """Return the section at `keys` (say "datasets", "driver", "split"), checked against its model.

    Raises
    ------
    ParamsError
        Listing every unknown key, missing key, wrong type and value out of range.
    """
    return check(section, read_value(*keys, path=path), f"{path}: {'.'.join(keys)}")


def read_value(*keys: str, path: Path = PARAMS) -> Any:
    """Return what stands at `keys`, unchecked: for one leaf of another stage's section that dvc.yaml declares too.

    Raises
    ------
    ParamsError
        When there is no such key.
    """
    content: Any = read_params(path)
    for depth, key in enumerate(keys):
        if not isinstance(content, dict) or key not in content:
            where = f"{path}: {'.'.join(keys[: depth + 1])}"
            raise ParamsError([Problem(where, "a section", "nothing", "add it, see the sections of `driver`")])
        content = content[key]
    return content


def check(section: type[S], content: object, where: str) -> S:
    """Check already read parameters; JSON mode lets YAML's lists become tuples and its dates be read as such."""
    try:
        text = json.dumps(content, default=_date)
    except (TypeError, ValueError, RecursionError) as error:  # a key that is a date; a value within itself
        got = shown(str(error))
        raise ParamsError([Problem(where, "text, numbers, dates, lists and mappings", got, "correct it")]) from error
    try:
        return section.model_validate_json(text)
    except ValidationError as error:
        raise ParamsError(_problems(error, where)) from error


def _date(value: object) -> str:
    if not isinstance(value, date):
        raise TypeError(f"a value of type {type(value).__name__}")
    return str(value)


def _problems(error: ValidationError, where: str) -> list[Problem]:
    problems = []
    for item in error.errors():
        place = ".".join([where, *(_part(part) for part in item["loc"])])
        if item["type"] == "extra_forbidden":
            problems.append(Problem(place, "a known key", "an unknown one", "remove or respell it"))
        elif item["type"] == "missing":
            problems.append(Problem(place, "a value", "nothing", "add the key"))
        elif item["type"] in ("union_tag_not_found", "union_tag_invalid"):
            key = item["ctx"]["discriminator"].strip("'")
            got = shown(item["ctx"].get("tag", "nothing"))
            expected = item["ctx"].get("expected_tags", "the kind of this section")
            problems.append(Problem(f"{place}.{key}", expected, got, "say which kind it is"))
        else:
            problems.append(Problem(place, item["msg"], shown(item["input"]), "correct the value"))
    return problems


def _part(part: int | str) -> str:
    """Return a key or index as a place names it; one that could be taken for something else, quoted."""
    return str(part) if isinstance(part, int) or is_name(part.lower()) or part == "[key]" else shown(part)
