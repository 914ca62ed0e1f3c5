"""Wear of the splits, counted in git's history: rules that val_calib was walked with, candidates that val_test judged.

A certificate and a verdict are worth what they say when the first rule and the first candidate are tried; each further
one is another chance to pass by luck. No stage reads git. What was never committed is not in its history.
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vouch import params, paths
from vouch.errors import ParamsError

LOCK = "dvc.lock"
MANY = 20_000  # commits: of more, the latest; each costs a few milliseconds


def wear(model: str) -> list[str]:
    """Return what git's history says of the wear of a model's val_calib and val_test, in sentences.

    A split is the same one as long as dvc.lock names the same bytes for its list of samples, which holds the hash of
    each photograph. The working tree counts as the latest state.
    """
    try:
        shallow = _git("rev-parse", "--is-shallow-repository").strip() == b"true"
        commits = _git("log", "--format=%H", f"-n{MANY}", "--", str(params.PARAMS), LOCK).decode().split()
        states = _states(commits)
    except (OSError, subprocess.CalledProcessError):
        return ["Wear is not known: this is no git checkout with a commit, and only its history tells what was tried."]
    dataset = params.read_value("pipeline", "models", model, "dataset")
    now = (params.PARAMS.read_text(encoding="utf-8"), _lock_now())
    rules, candidates = _counted([now, *states], model, dataset)
    least = "at least " if shallow else ""
    told = " (a shallow clone: earlier commits are not here)" if shallow else ""
    return [
        f"Wear, by git's history{told}: this val_calib has been walked with {least}{_many(rules, 'rule')}, this "
        f"val_test has judged {least}{_many(candidates, 'candidate')} of {model}. What was never committed is not "
        "counted; `walks` under `decide` shares delta among walks that a person declares."
    ]


def _counted(states: Sequence[tuple[str, str]], model: str, dataset: str) -> tuple[int, int]:
    """Return how many different rules and candidates the states of params.yaml and dvc.lock have, newest first."""
    calib, test = (_split(states[0][1], dataset, name) for name in ("val_calib", "val_test"))
    rules, candidates = set(), set()
    for asked in dict.fromkeys(asked for asked, lock in states if _split(lock, dataset, "val_calib") == calib):
        rules.add(_rule(asked, model))
    for _, lock in states:
        if _split(lock, dataset, "val_test") == test:
            candidates.add(_md5(lock, paths.predictions(model, "candidate", "val_test").as_posix()))
    return len(rules - {None}), len(candidates - {None})


def _split(lock: str, dataset: str, name: str) -> str | None:
    return _md5(lock, paths.split(dataset, name).as_posix())


def _md5(lock: str, path: str) -> str | None:
    """Return the hash that a dvc.lock names for a file: as text, since to parse all of them takes minutes."""
    found = re.search(rf"path: {re.escape(path)}\n\s+hash: md5\n\s+md5: (\w+)", lock)
    return found[1] if found else None


def _rule(asked: str, model: str) -> str | None:
    """Return the rule that a params.yaml asks decide for, None where it asks this model for none."""
    try:
        content: Any = params.parse_params(asked, str(params.PARAMS))
    except ParamsError:
        return None  # a commit may hold a file that nothing ever ran with
    for key in ("models", model, "decide"):
        content = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping):
        return None
    return json.dumps(_without_walks(content), sort_keys=True, default=str)


def _without_walks(content: Any) -> Any:
    """Leave out what a person declares of earlier walks, which is no part of a rule."""
    if not isinstance(content, Mapping):
        return content
    return {key: _without_walks(value) for key, value in content.items() if key != "walks"}


def _states(commits: Sequence[str]) -> list[tuple[str, str]]:
    """Return params.yaml and dvc.lock at each commit that has both."""
    names = [f"{commit}:./{path}" for commit in commits for path in (params.PARAMS, LOCK)]
    contents = _blobs(names)
    pairs = zip(contents[::2], contents[1::2], strict=True)
    return [(asked, lock) for asked, lock in pairs if asked is not None and lock is not None]


def _blobs(names: Sequence[str]) -> list[str | None]:
    """Return the content of each object, None of one that is not there, with one call of git."""
    answer = _git("cat-file", "--batch", asked="".join(f"{name}\n" for name in names).encode())
    found: list[str | None] = []
    place = 0
    for _ in names:
        end = answer.index(b"\n", place)
        header, place = answer[place:end].rsplit(b" ", 2), end + 1
        if len(header) < 3 or header[1] != b"blob":
            found.append(None)
            continue
        size = int(header[2])
        found.append(answer[place : place + size].decode("utf-8", errors="replace"))
        place += size + 1
    return found


def _lock_now() -> str:
    path = Path(LOCK)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} different {what}s"


def _git(*arguments: str, asked: bytes = b"") -> bytes:
    return subprocess.run(["git", *arguments], input=asked, capture_output=True, check=True).stdout
