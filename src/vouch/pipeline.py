"""The lists in params.yaml that say which data set and model takes which road, edited one entry at a time."""

from pathlib import Path

from ruamel.yaml import YAML

from vouch import io
from vouch.params import PARAMS


def put_on(road: str, name: str, entry: dict[str, str] | None = None, path: Path = PARAMS) -> bool:
    """Put `name` on the list (or, with an entry, the mapping) `pipeline.<road>`; False when it is there already."""
    return _edit(path, road, name, entry, present=True)


def take_off(road: str, name: str, path: Path = PARAMS) -> bool:
    """Take `name` off `pipeline.<road>`; False when it is not on it."""
    return _edit(path, road, name, None, present=False)


def _edit(path: Path, road: str, name: str, entry: dict[str, str] | None, *, present: bool) -> bool:
    yaml = YAML()  # round trip, as DVC's own writer: comments, order and block lists stay
    yaml.default_flow_style = False
    content = yaml.load(path.read_text(encoding="utf-8"))
    members = content["pipeline"][road]
    if (name in members) == present:
        return False
    if not present:
        members.remove(name) if isinstance(members, list) else members.pop(name)
    elif isinstance(members, list):
        members.append(name)
    else:
        members[name] = entry or {}
    with io.replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)
    return True
