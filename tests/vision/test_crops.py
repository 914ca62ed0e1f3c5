"""Crops: which there are, what they inherit, and which pixels they hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vouch.errors import DataError
from vouch.vision.crops import crops, images, refuse_productless, with_moved
from vouch.vision.images.source import read_image


@pytest.fixture
def album(tmp_path):
    """Two photographs of 40 x 20 pixels with boxes, one labelled as a whole, and one of nothing."""
    rows = []
    for name, label in (("a", None), ("b", None), ("c", "tea"), ("d", None)):
        pixels = np.arange(20 * 40 * 3, dtype=np.uint32).reshape(20, 40, 3) % 251
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{name}.png")
        path = str(tmp_path / f"{name}.png")
        rows.append({"sample_id": name, "group": f"g{name}", "image": path, "label": label, "stratum_light": "day"})
    return pd.DataFrame(rows)


def boxed(*rows):
    return pd.DataFrame(rows, columns=["sample_id", "class_name", "x1", "y1", "x2", "y2", "product"])


TWO = boxed(
    ("b", "can", 0.0, 0.0, 0.5, 0.5, "cola"),
    ("a", "can", 0.26, 0.12, 0.49, 0.51, "cola"),
    ("a", "jar", 0.5, 0.5, 1.2, 1.0, "tea"),
    ("a", "jar", 0.0, 0.0, 0.2, 0.2, None),
)


def test_a_crop_is_a_box_with_a_product_or_a_labelled_photograph(album):
    found = crops(album, TWO)
    assert found["sample_id"].tolist() == ["a#0", "a#1", "b#0", "c"]  # a#2 has no product, d nothing
    assert found["product"].tolist() == ["cola", "tea", "cola", "tea"]
    assert found["group"].tolist() == ["ga", "ga", "gb", "gc"]
    assert found["photograph"].tolist() == ["a", "a", "b", "c"]
    assert found["stratum_light"].tolist() == ["day"] * 4


def test_the_pixels_of_a_crop_hold_its_box_and_end_at_the_photograph(album):
    found = crops(album, TWO)
    corners = found[["x1", "y1", "x2", "y2"]].to_numpy()
    assert corners[0].tolist() == [10, 2, 20, 11]  # .26 x 40 = 10.4, .12 x 20 = 2.4, .49 x 40 = 19.6, .51 x 20 = 10.2
    assert corners[1].tolist() == [20, 10, 40, 20]
    assert np.isnan(corners[3]).all()
    cut = images(found)
    whole = read_image(cut[3])
    assert whole.shape == (20, 40, 3)
    np.testing.assert_array_equal(read_image(cut[0]), whole[2:11, 10:20])


def test_without_products_a_class_is_one(album):
    found = crops(album, TWO.drop(columns="product"))
    assert found["product"].tolist() == ["can", "jar", "jar", "can", "tea"]


def test_boxes_of_no_area_are_named(album):
    outside = boxed(("a", "can", 1.1, 0.0, 1.3, 0.5, "cola"), ("b", "can", 0.5, 0.2, 0.5, 0.2, "tea"))
    with pytest.raises(DataError) as refused:
        crops(album, pd.concat([TWO, outside]))
    assert {problem.where for problem in refused.value.problems} == {"a#3", "b#1"}


def test_a_photograph_that_cannot_be_read_is_told_when_it_is_cut(album):
    Path(album["image"][0]).write_bytes(b"no picture")
    cut = images(crops(album, TWO))
    with pytest.raises(DataError):
        read_image(cut[0])


def test_a_split_without_products_is_refused(album):
    with pytest.raises(DataError, match="split train"):
        refuse_productless(crops(album.iloc[[3]], TWO), where="split train")


def many(tmp_path, count=400):
    """Crops of 20 x 40 pixels amid one photograph, and one in its corner; another photograph is one crop."""
    Image.new("RGB", (100, 100)).save(tmp_path / "p.png")
    corners = [(30.0, 20.0, 50.0, 60.0)] * count + [(0.0, 0.0, 20.0, 40.0), (np.nan,) * 4]
    table = pd.DataFrame(corners, columns=["x1", "y1", "x2", "y2"])
    photographs = ["p"] * (count + 1) + ["q"]
    return table.assign(
        sample_id=[f"p#{row}" for row in range(count + 2)], photograph=photographs, image=str(tmp_path / "p.png")
    )


def test_a_second_copy_is_off_as_a_detector_s_box_is(tmp_path):
    table = many(tmp_path)
    found = with_moved(table, deviation=0.1, seed=3)
    assert len(found) == 2 * 401 + 1  # the whole photograph comes once
    first = found.drop_duplicates("sample_id")
    pd.testing.assert_frame_equal(first.reset_index(drop=True), table)  # the crops as they were labelled come first
    off = (found[found.duplicated("sample_id")].iloc[:400][["x1", "y1", "x2", "y2"]] - [30, 20, 50, 60]).to_numpy()
    assert np.abs(off).max(axis=0).tolist() == [4, 8, 4, 8]  # two deviations of 20 and 40 pixels
    # a normal deviate within two deviations has .88 of the deviation; whole pixels add 1/12 to the variance
    np.testing.assert_allclose(off.std(axis=0), np.sqrt((0.88 * np.array([2, 4, 2, 4])) ** 2 + 1 / 12), rtol=0.12)
    np.testing.assert_allclose(off.mean(axis=0), 0, atol=0.6)


def test_copies_stay_in_their_photograph_beside_it_and_are_drawn_from_the_seed(tmp_path):
    table = many(tmp_path)
    found = with_moved(table, deviation=0.2, seed=3)
    corners = found[["x1", "y1", "x2", "y2"]].dropna()
    assert corners.to_numpy().min() == 0
    assert found["photograph"].tolist() == ["p"] * 802 + ["q"]
    pd.testing.assert_frame_equal(found, with_moved(table, deviation=0.2, seed=3))
    assert not found.equals(with_moved(table, deviation=0.2, seed=4))
    assert with_moved(table, deviation=0.0, seed=3) is table
