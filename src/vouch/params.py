"""params.yaml, typed on read: a stage names its section and receives that section alone."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from vouch.errors import ParamsError, Problem

PARAMS = Path("params.yaml")


class Section(BaseModel):
    """One stage's parameters: frozen, closed (unknown keys are refused) and strictly typed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


S = TypeVar("S", bound=BaseModel)  # a Section, or a RootModel that chooses between several by a key


def read_params(path: Path = PARAMS) -> dict[str, Any]:
    """Read a parameter file as YAML 1.2, the dialect that DVC writes (`on` and `no` are plain words there).

    Raises
    ------
    ParamsError
        When the file is absent, is not YAML 1.2, names a key twice, or is not a mapping.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        got = " ".join(str(error).split())
        raise ParamsError([Problem(str(path), "a YAML 1.2 mapping", got, "mend the file")]) from error
    if not isinstance(content, dict):
        got = type(content).__name__
        raise ParamsError([Problem(str(path), "a YAML 1.2 mapping", got, "mend the file")])
    return content


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
    """Check already read parameters; JSON mode lets YAML's lists become tuples and its strings dates."""
    try:
        return section.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise ParamsError(_problems(error, where)) from error


def _problems(error: ValidationError, where: str) -> list[Problem]:
    problems = []
    for item in error.errors():
        place = ".".join([where, *(str(part) for part in item["loc"])])
        if item["type"] == "extra_forbidden":
            problems.append(Problem(place, "a known key", "an unknown one", "remove or respell it"))
        elif item["type"] == "missing":
            problems.append(Problem(place, "a value", "nothing", "add the key"))
        elif item["type"] in ("union_tag_not_found", "union_tag_invalid"):
            key = item["ctx"]["discriminator"].strip("'")
            got = repr(item["ctx"].get("tag", "nothing"))
            expected = item["ctx"].get("expected_tags", "the kind of this section")
            problems.append(Problem(f"{place}.{key}", expected, got, "say which kind it is"))
        else:
            problems.append(Problem(place, item["msg"], repr(item["input"]), "correct the value"))
    return problems
