"""What a system says of photographs, by hand: colours are products."""

import numpy as np
import pandas as pd
import pytest

from systems.made_systems import COLOURS, MIXED, SIMILARITY, photograph, system
from vouch.errors import DataError
from vouch.systems.counted import CORNERS, OBJECTS, counted, whole_pixels
from vouch.vision.images.source import Encoded, File

RED, GREEN = COLOURS.values()


def said(made, *images, batch=2):
    return list(counted(made, images, batch=batch))


def test_objects_are_named_by_colour_or_unknown_and_counted(tmp_path):
    path = photograph(tmp_path / "a.png", {(0, 0): RED, (3, 0): RED, (0, 3): GREEN, (3, 3): MIXED})
    (one,) = said(system(tmp_path), File(path))
    assert one.counts == {"cola": 2, "lime": 1, "unknown": 1}
    assert one.size == (32, 32)
    assert one.objects.columns.tolist() == list(OBJECTS)
    by_place = {tuple(row[CORNERS]): row for _, row in one.objects.iterrows()}
    # ten pixels around the middle of a cell, those outside the photograph cut away
    assert by_place.keys() == {(0, 0, 9, 9), (23, 0, 32, 9), (0, 23, 9, 32), (23, 23, 32, 32)}
    lime, strange = by_place[0, 23, 9, 32], by_place[23, 23, 32, 32]
    assert (lime["class_pred"], lime["product"], lime["known"]) == ("works", "lime", True)
    assert lime["similarity"] == pytest.approx(1)
    assert lime["margin"] == pytest.approx(1)  # red and green are at a right angle
    assert lime["candidates"] == (("lime", pytest.approx(1)), ("cola", pytest.approx(0)))
    assert (strange["product"], strange["known"]) == ("cola", False)
    assert strange["similarity"] == pytest.approx(2**-0.5, abs=0.01)
    assert strange["similarity"] < SIMILARITY
    assert 0 < strange["confidence"] < lime["confidence"] < 1
    assert one.objects["score"].is_monotonic_decreasing
    assert not one.limit_reached


def test_a_photograph_of_nothing_counts_nothing_and_one_that_fails_takes_no_other_with_it(tmp_path):
    made = system(tmp_path)
    full = File(photograph(tmp_path / "a.png", {(1, 1): GREEN}))
    empty = File(photograph(tmp_path / "b.png", {}))
    broken = Encoded("upload", b"no image")
    for batch in (1, 2, 5):
        first, refused, nothing, last = said(made, full, broken, empty, full, batch=batch)
        assert isinstance(refused, DataError)
        assert [problem.where for problem in refused.problems] == ["upload"]
        assert (nothing.counts, len(nothing.objects), nothing.name) == ({}, 0, empty.name)
        assert first.counts == last.counts == {"lime": 1}
        pd.testing.assert_frame_equal(first.objects, last.objects)
    assert said(made) == []
    assert [one.counts for one in said(made, empty)] == [{}]


def test_more_objects_than_the_detector_gives_are_said(tmp_path):
    limited = {"postprocess.json": {"floor": 0.2, "max_iou": 0.3, "limit": 2}}
    made = system(tmp_path, **limited)
    two, three = {(0, 0): RED, (3, 3): RED}, {(0, 0): RED, (3, 3): RED, (0, 3): GREEN}
    images = [File(photograph(tmp_path / f"{len(cells)}.png", cells)) for cells in ({(0, 0): RED}, two, three)]
    found = said(made, *images)
    assert [one.limit_reached for one in found] == [False, True, True]
    assert [sum(one.counts.values()) for one in found] == [1, 2, 2]


@pytest.mark.parametrize(("max_iou", "objects"), [(0.05, 1), (0.3, 2)])
def test_a_thing_that_is_found_in_two_classes_counts_once(tmp_path, max_iou, objects):
    # boxes of 10 pixels on cells of 8 share 20 of 180 pixels, an IoU of .11; red is one class, green the other
    together = system(tmp_path, **{"postprocess.json": {"floor": 0.2, "max_iou": max_iou, "limit": 12}})
    path = photograph(tmp_path / "a.png", {(1, 1): COLOURS["cola"], (2, 1): (0, 200, 0)})
    far = photograph(tmp_path / "b.png", {(0, 0): COLOURS["cola"], (3, 3): (0, 200, 0)})
    first, second = counted(together, [File(path), File(far)], batch=2)
    assert (len(first.objects), sorted(second.counts)) == (objects, ["cola", "lime"])
    assert first.objects["score"].iloc[0] == pytest.approx(1.0)


def test_an_empty_gallery_knows_nothing(tmp_path):
    (one,) = said(system(tmp_path, {}), File(photograph(tmp_path / "a.png", {(0, 0): RED})))
    assert one.counts == {"unknown": 1}
    assert one.objects["candidates"].tolist() == [()]


@pytest.mark.parametrize("vector", [(0.0, 0, 0), (np.nan, 1, 0), (np.inf, 1, 0)])
def test_a_vector_without_direction_refuses_its_photograph_alone(tmp_path, monkeypatch, vector):
    made = system(tmp_path)
    monkeypatch.setattr(  # the first red cell's crop gets no vector
        "vouch.systems.counted._embedded",
        lambda _, pixels, boxes: [np.array(vector if pixels[0, 0, 2] else (0.0, 1, 0)) for _ in boxes],
    )
    bad, good = (
        File(photograph(tmp_path / f"{n}.png", cells)) for n, cells in enumerate([{(0, 0): RED}, {(1, 1): GREEN}])
    )
    refused, fine = said(made, bad, good)
    assert isinstance(refused, DataError)
    assert f"{bad.name}#0" in str(refused)
    assert fine.counts == {"lime": 1}


def test_a_crop_holds_its_box_and_has_a_pixel_where_that_has_no_area():
    boxes = np.array([[1.2, 0.0, 3.1, 2.0], [9.0, 4.0, 9.0, 9.0], [3.0, 3.0, 3.0, 3.0]])
    assert whole_pixels(boxes, (9, 9)).tolist() == [[1, 0, 4, 2], [8, 4, 9, 9], [3, 3, 4, 4]]


def test_a_crop_is_what_the_embedder_is_judged_on(tmp_path):
    """The same pixels as `sku`'s own crops: a box of the truth, decoded and placed by predict."""
    from vouch.release.inference import answer
    from vouch.vision.images.source import Crop

    made = system(tmp_path)
    path = photograph(tmp_path / "a.png", {(0, 0): RED, (1, 2): (120, 200, 0)})
    (one,) = said(made, File(path))
    boxes = whole_pixels(one.objects[CORNERS].to_numpy(), one.size).tolist()
    alone = answer(made.identifier, [Crop(File(path), tuple(box)) for box in boxes]).rows
    for column in ("similarity", "margin", "confidence"):
        assert alone[column].tolist() == pytest.approx(one.objects[column].tolist())
    assert alone["accept"].tolist() == one.objects["known"].tolist()
