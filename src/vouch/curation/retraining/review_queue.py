"""Answers that a person should look at: a folder that only grows, where every file is called by what is in it.

    data/review_queue/M/photographs/<sha256>        the bytes of a photograph, as they came
    data/review_queue/M/answers/<sha256>.json       one answer: `Answer`, with the photograph's sha256; canonical JSON

A name is the sha256 of the content, so the same answer to the same photograph is one file, however often it is given,
and nothing is ever overwritten. A file appears whole or not at all, the photograph before its answers; processes and
threads may write at once. There is no clock in it: the system of files knows when a file came.
"""

import hashlib
import math
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vouch import io
from vouch.documents import parse_json, read_bytes
from vouch.errors import DataError, Problem, refuse_any

PHOTOGRAPHS, ANSWERS = "photographs", "answers"
NAME = re.compile(r"[0-9a-f]{64}")
LARGEST_BYTES = 2**20  # of an answer; ours have some hundred


@dataclass(frozen=True)
class Answer:
    """What was said of a photograph, or of a box on it, and why a person should look.

    Attributes
    ----------
    bundle_sha256 : of the manifest of the bundle that said it
    box_xyxy : pixels of the upright photograph; None for the photograph as a whole
    said : class or product, None for nothing or an unknown one
    score : in [0, 1], how sure the answer is
    reason : in a word or a sentence, say "low similarity"
    """

    bundle_sha256: str
    box_xyxy: tuple[float, float, float, float] | None
    said: str | None
    score: float
    reason: str


@dataclass(frozen=True)
class Queued:
    """An answer of the queue, with the file that holds its photograph."""

    photograph: Path
    answer: Answer


def enqueue(folder: Path, photograph: bytes, answers: Sequence[Answer]) -> int:
    """Add answers to one photograph; return how many of them the queue did not have yet.

    Parameters
    ----------
    folder : the queue of one model or system; made where it is not there
    photograph : the bytes of the file, not decoded

    Raises
    ------
    DataError
        Listing every score outside [0, 1], corner that is no number and empty reason; then nothing is written.
    """
    refuse_any(
        DataError, [problem for number, one in enumerate(answers) for problem in _problems(one, f"answers[{number}]")]
    )
    if not answers:
        return 0
    name = hashlib.sha256(photograph).hexdigest()
    _add(folder / PHOTOGRAPHS, name, photograph)
    contents = [io.dumps(asdict(one) | {"photograph_sha256": name}).encode() for one in answers]
    return sum(_add(folder / ANSWERS, f"{hashlib.sha256(one).hexdigest()}.json", one) for one in contents)


def read_queue(folder: Path) -> list[Queued]:
    """Return every answer of the queue, in order of photographs and answers; nothing of a folder that is not there.

    Raises
    ------
    DataError
        Naming every file that is not what its name says, that is no answer, or whose photograph is missing.
    """
    found: list[Queued] = []
    problems: list[Problem] = []
    for path in sorted((folder / ANSWERS).glob("*.json")):
        one = _read(path, folder)
        if isinstance(one, Problem):
            problems.append(one)
        else:
            found.append(one)
    problems += [
        Problem(
            str(path), "the photograph that its name is the sha256 of", "other bytes", "bring it back, or remove it"
        )
        for path in sorted({one.photograph for one in found})
        if io.sha256(path) != path.name
    ]
    refuse_any(DataError, problems)
    return sorted(found, key=lambda one: (one.photograph, one.answer.box_xyxy or (), one.answer.reason))


def _add(folder: Path, name: str, content: bytes) -> bool:
    """Write a file whole, under a name that no other writer has; say whether it is new."""
    path = folder / name
    if path.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)  # over the same bytes, where another writer was quicker
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def _problems(answer: Answer, where: str) -> list[Problem]:
    found = []
    if not 0 <= answer.score <= 1:
        found.append(Problem(f"{where}: score", "a number in [0, 1]", f"{answer.score}", "give the confidence"))
    if answer.box_xyxy is not None and not all(map(math.isfinite, answer.box_xyxy)):
        found.append(Problem(f"{where}: box_xyxy", "four numbers", f"{answer.box_xyxy}", "give pixels"))
    if not answer.reason.strip():
        found.append(Problem(f"{where}: reason", "a word or a sentence", "nothing", "say why a person should look"))
    return found


def _read(path: Path, folder: Path) -> Queued | Problem:
    content = read_bytes(path, str(path), max_bytes=LARGEST_BYTES)
    if hashlib.sha256(content).hexdigest() != path.stem:
        return Problem(
            str(path), "the answer that its name is the sha256 of", "other bytes", "bring it back, or remove it"
        )
    try:
        return _queued(parse_json(content.decode(), str(path)), folder)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return Problem(str(path), "an answer of the queue", str(error), "remove it")
    except FileNotFoundError as error:
        return Problem(
            str(path), f"its photograph {error.filename}", "no such file", "bring it back, or remove the answer"
        )


def _queued(content: dict[str, Any], folder: Path) -> Queued:
    """Return an answer as it is written; what is none raises ValueError, TypeError, KeyError or AttributeError."""
    name = content.pop("photograph_sha256")
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no sha256")  # and might lead out of the queue
    photograph = folder / PHOTOGRAPHS / name
    photograph.stat()
    box = content.pop("box_xyxy")
    answer = Answer(box_xyxy=None if box is None else tuple(box), **content)
    if wrong := _problems(answer, "it"):
        raise ValueError(wrong[0].where)
    return Queued(photograph, answer)
