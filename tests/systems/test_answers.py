"""What a system said, as JSON, table, picture and queue."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from systems.made_systems import COLOURS, MIXED, photograph, system
from vouch.curation.retraining.review_queue import Answer
from vouch.systems.answers import document, doubtful, lines, picture, table
from vouch.systems.counted import OBJECTS, Counted, counted
from vouch.vision.images.source import File

BUNDLE = "c" * 64


def made_up(*objects, limit_reached=False):
    """Objects as (product, known, confidence), each 10 pixels wide beside the one before."""
    rows = [
        (10.0 * n, 0.0, 10.0 * n + 10, 20.0, "bottle", 0.9, 0.8, name, 0.7, 0.1, sure, known, ((name, 0.7),))
        for n, (name, known, sure) in enumerate(objects)
    ]
    return Counted("a.jpg", (90, 60), pd.DataFrame(rows, columns=[*OBJECTS]), limit_reached)


def test_the_document_says_counts_and_every_object(tmp_path):
    path = photograph(tmp_path / "a.png", {(0, 0): COLOURS["cola"], (3, 3): MIXED})
    made = system(tmp_path)
    answers = list(counted(made, [File(path)], batch=1))
    said = document({"name": "s", "version": "0.1.0", "kind": "system"}, made.products, answers)
    assert said["system"] == {"name": "s", "version": "0.1.0"}
    assert said["products"] == ["cola", "lime"]
    (one,) = said["photographs"]
    assert (one["image"], one["width"], one["height"], one["limit_reached"]) == (str(path), 32, 32, False)
    assert one["counts"] == {"cola": 1, "unknown": 1}
    cola, strange = sorted(one["objects"], key=lambda found: found["unknown"])
    assert (cola["product"], cola["class"], cola["box_xyxy"]) == ("cola", "clear", [0, 0, 9, 9])
    assert [candidate["product"] for candidate in cola["candidates"]] == ["cola", "lime"]
    assert cola["similarity"] == pytest.approx(1)
    assert 0 < cola["confidence"] <= 1
    assert 0 < cola["detection_confidence"] <= 1
    assert (strange["product"], strange["unknown"]) == (None, True)


def test_a_table_has_a_row_an_object_and_none_for_nothing():
    found = table([made_up(("cola", True, 0.9), ("lime", False, 0.4)), made_up()])
    assert found[["image", "product", "known"]].to_numpy().tolist() == [
        ["a.jpg", "cola", True],
        ["a.jpg", "lime", False],
    ]
    assert found["candidates"].tolist() == ["cola=0.7000", "lime=0.7000"]


def test_a_person_looks_at_the_unknown_the_doubtful_and_the_full():
    answer = made_up(("cola", True, 0.9), ("cola", True, 0.5), ("lime", False, 0.95), limit_reached=True)
    assert list(doubtful(answer, BUNDLE, below=0.8)) == [
        Answer(BUNDLE, None, None, 0.0, "as many objects as the detector gives at most: there may be more"),
        Answer(BUNDLE, (10, 0, 20, 20), "cola", 0.5, "confidence below 0.8"),
        Answer(BUNDLE, (20, 0, 30, 20), None, 0.95, "unknown product, nearest lime with similarity 0.700"),
    ]
    assert list(doubtful(made_up(("cola", True, 0.8)), BUNDLE, below=0.8)) == []
    assert list(doubtful(made_up(), BUNDLE, below=1.0)) == []


def test_what_an_empty_gallery_says_is_queued_too(tmp_path):
    path = photograph(tmp_path / "a.png", {(0, 0): COLOURS["cola"]})
    (answer,) = counted(system(tmp_path, {}), [File(path)], batch=1)
    (one,) = doubtful(answer, BUNDLE, below=0.5)
    assert (one.said, one.reason) == (None, "the gallery knows no product")


def test_the_picture_and_the_terminal_say_the_counts():
    answer = made_up(("cola", True, 0.9), ("lime", False, 0.4))
    drawn = picture(Image.new("RGB", (90, 60)), answer, ["cola", "lime"])
    assert drawn.width > 90
    assert np.asarray(drawn).any()
    assert lines(answer) == ["a.jpg: 1 cola, 1 unknown"]
    assert lines(made_up()) == ["a.jpg: nothing"]
    assert len(lines(made_up(("cola", True, 0.9), limit_reached=True))) == 2
