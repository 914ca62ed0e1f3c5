"""The queue of answers that a person should look at: it only grows, and says when it was tampered with."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vouch.curation.retraining.review_queue import Answer, enqueue, read_queue
from vouch.errors import DataError

PHOTOGRAPH = b"the bytes of a photograph"
DOUBT = Answer("ab" * 32, (1.0, 2.0, 30.5, 40.0), "cola", 0.41, "small margin")
WHOLE = Answer("ab" * 32, None, None, 0.0, "nothing found")


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_photograph_and_its_answers_are_kept_by_their_content(tmp_path):
    assert enqueue(tmp_path, PHOTOGRAPH, [DOUBT, WHOLE]) == 2
    photograph = tmp_path / "photographs" / hashlib.sha256(PHOTOGRAPH).hexdigest()
    assert photograph.read_bytes() == PHOTOGRAPH
    answers = list((tmp_path / "answers").iterdir())
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.stem for path in answers)
    told = sorted((json.loads(path.read_text()) for path in answers), key=lambda one: one["score"])
    assert told[1] == {
        "bundle_sha256": "ab" * 32,
        "box_xyxy": [1.0, 2.0, 30.5, 40.0],
        "said": "cola",
        "score": 0.41,
        "reason": "small margin",
        "photograph_sha256": photograph.name,
    }
    assert [(one.photograph, one.answer) for one in read_queue(tmp_path)] == [(photograph, WHOLE), (photograph, DOUBT)]


def test_the_same_answer_again_changes_nothing_and_another_is_added(tmp_path):
    enqueue(tmp_path, PHOTOGRAPH, [DOUBT])
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.rglob("*") if path.is_file()}
    assert enqueue(tmp_path, PHOTOGRAPH, [DOUBT, DOUBT]) == 0
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in before} == before
    assert enqueue(tmp_path, PHOTOGRAPH, [WHOLE]) == 1
    assert enqueue(tmp_path, b"another", [DOUBT]) == 1
    assert len(read_queue(tmp_path)) == 3


def test_without_a_doubt_nothing_is_written(tmp_path):
    assert enqueue(tmp_path / "queue", PHOTOGRAPH, []) == 0
    assert not (tmp_path / "queue").exists()
    assert read_queue(tmp_path / "queue") == []


def test_what_is_no_answer_is_refused_and_nothing_is_written(tmp_path):
    wrong = [
        Answer("ab", None, "cola", 1.5, "x"),
        Answer("ab", None, "cola", float("nan"), "x"),
        Answer("ab", (0.0, 0.0, float("inf"), 1.0), "cola", 0.5, " "),
    ]
    with pytest.raises(DataError) as caught:
        enqueue(tmp_path, PHOTOGRAPH, [DOUBT, *wrong])
    assert [problem.where for problem in caught.value.problems] == [
        "answers[1]: score",
        "answers[2]: score",
        "answers[3]: box_xyxy",
        "answers[3]: reason",
    ]
    assert names(tmp_path) == []


def test_many_writers_at_once_leave_every_answer_once_and_nothing_half_written(tmp_path):
    def write(number):
        return enqueue(tmp_path, PHOTOGRAPH, [Answer("ab", None, f"product {number % 10}", 0.5, "x"), WHOLE])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    assert len(read_queue(tmp_path)) == 11
    assert not [name for name in names(tmp_path) if name.endswith(".part")]


def test_a_disk_that_fails_leaves_no_part_behind(tmp_path, monkeypatch):
    def broken(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="No space"):
        enqueue(tmp_path, PHOTOGRAPH, [DOUBT])
    assert names(tmp_path) == []


def test_changed_foreign_and_orphaned_files_are_named(tmp_path):
    enqueue(tmp_path, PHOTOGRAPH, [DOUBT])
    enqueue(tmp_path, b"second", [DOUBT])
    enqueue(tmp_path, b"third", [WHOLE])
    answers = {json.loads(path.read_text())["photograph_sha256"]: path for path in (tmp_path / "answers").iterdir()}
    first, second, third = (hashlib.sha256(one).hexdigest() for one in (PHOTOGRAPH, b"second", b"third"))
    answers[first].write_text(answers[first].read_text().replace("0.41", "0.99"))
    (tmp_path / "photographs" / second).unlink()
    (tmp_path / "photographs" / third).write_bytes(b"changed")
    foreign = b'{"a": 1}'
    stranger = tmp_path / "answers" / f"{hashlib.sha256(foreign).hexdigest()}.json"
    stranger.write_bytes(foreign)
    with pytest.raises(DataError) as caught:
        read_queue(tmp_path)
    said = {problem.where: problem.expected for problem in caught.value.problems}
    assert said == {
        str(answers[first]): "the answer that its name is the sha256 of",
        str(answers[second]): f"its photograph {tmp_path / 'photographs' / second}",
        str(tmp_path / "photographs" / third): "the photograph that its name is the sha256 of",
        str(stranger): "an answer of the queue",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"photograph_sha256": "../../secret"},
        {"photograph_sha256": 3},
        {"score": 2},
        {"score": "high"},
        {"box_xyxy": 5},
        {"more": 1},
    ],
)
def test_an_answer_that_somebody_else_wrote_is_read_only_where_it_is_one(tmp_path, change):
    enqueue(tmp_path, PHOTOGRAPH, [WHOLE])
    (path,) = (tmp_path / "answers").iterdir()
    content = json.dumps(json.loads(path.read_text()) | change).encode()
    path.unlink()
    (tmp_path / "answers" / f"{hashlib.sha256(content).hexdigest()}.json").write_bytes(content)
    with pytest.raises(DataError, match="an answer of the queue"):
        read_queue(tmp_path)
