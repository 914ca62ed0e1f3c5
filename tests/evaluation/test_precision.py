"""What eight bits cost, against distances and overlaps that are counted by hand."""

import numpy as np
import pytest

from vouch.errors import DataError
from vouch.evaluation.precision import compare_boxes, compare_classes, compare_products, with_sizes
from vouch.retrieval.gallery import Gallery
from vouch.vision.boxes import Postprocess

POSTPROCESS = Postprocess(floor=0.25, max_iou=0.7, limit=10)


def values(found):
    return {name: (one["all"]["value"], one["all"]["n_rows"]) for name, one in found["metrics"].items()}


def gallery(*products):
    """One axis for each product, in a space of three."""
    count = len(products)
    return Gallery(
        products=products,
        prototypes=np.eye(3, dtype=np.float32)[:count],
        owner=np.arange(count),
        mean=np.zeros(3, np.float32),
        projection=np.eye(3, dtype=np.float32),
        counts=np.ones(count, np.int64),
        model_sha256="",
        preprocess_sha256="",
    )


def photograph(*candidates):
    """One output: rows of centre x, centre y, width, height, scores of two classes."""
    return np.array(candidates, np.float32).T


def test_a_class_that_changes_is_counted_and_the_gate_head_is_no_class():
    first = np.array([[2, 1, 9], [0, 3, 9], [1, 0, 9], [5, 4, 0]], np.float32)
    second = np.array([[1, 2, 9], [0, 3, 9], [1, 0, 6], [5, 4, 9]], np.float32)
    found = values(compare_classes(first, second, n_classes=2))
    assert found == {
        "logit_difference": (9.0, 4),
        "changed_photographs": (1, 4),
        "changed_fraction": (0.25, 4),
    }


def test_products_change_where_the_nearest_of_its_own_gallery_has_another_name():
    first = np.array([[1, 0, 0], [0.6, 0.8, 0], [0, 1, 0]], np.float32)
    second = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0]], np.float32)
    found = values(compare_products(first, second, galleries=(gallery("a", "b"), gallery("a", "b"))))
    assert found["changed_photographs"] == (1, 3)
    assert found["changed_fraction"] == (pytest.approx(1 / 3), 3)
    assert found["least_cosine"] == (pytest.approx(0.96, abs=1e-6), 3)  # .6 × .8 twice
    assert found["embedding_difference"] == (pytest.approx(0.08**0.5, abs=1e-6), 3)
    renamed = values(compare_products(first, first, galleries=(gallery("a", "b"), gallery("a", "c"))))
    assert renamed["changed_photographs"] == (2, 3)
    assert renamed["embedding_difference"] == (0.0, 3)


def test_the_cosine_is_that_of_directions_whatever_eight_bits_did_to_a_length():
    first = np.array([[0, 0, 1]], np.float32)
    assert values(compare_products(first, 3 * first, galleries=(gallery("a"), gallery("a"))))["least_cosine"][0] == 1


def test_galleries_without_a_product_agree_on_none():
    first = np.eye(3, dtype=np.float32)
    found = values(compare_products(first, first, galleries=(gallery(), gallery())))
    assert found["changed_photographs"] == (0, 3)


@pytest.mark.parametrize("broken", [[np.nan, 0, 0], [0, 0, 0]])
def test_an_embedding_without_a_direction_is_refused(broken):
    first, second = np.eye(3, dtype=np.float32)[:1], np.array([broken], np.float32)
    with pytest.raises(DataError, match="embedding 0"):
        compare_products(first, second, galleries=(gallery("a"), gallery("a")))


def test_a_box_is_found_again_at_the_overlap_asked_for_and_in_its_class():
    """Boxes of 100 x 100; moved by 5, 95 of 105 overlap (.905); by 10, 90 of 110 (.818)."""
    first = photograph([100, 100, 100, 100, 0.9, 0], [300, 100, 100, 100, 0.8, 0], [500, 100, 100, 100, 0, 0.7])
    second = photograph([105, 100, 100, 100, 0.8, 0], [310, 100, 100, 100, 0.8, 0], [500, 100, 100, 100, 0.7, 0])
    for least_iou, share in ((0.9, 1 / 3), (0.95, 0.0), (0.8, 2 / 3), (0.5, 2 / 3)):
        found = values(compare_boxes([(first, second)], POSTPROCESS, least_iou=least_iou))
        assert found["boxes_found_again"] == (pytest.approx(share), 3)
    assert found["box_difference_px"] == (10.0, 3)
    assert found["score_difference"] == (pytest.approx(0.7), 1)


def test_a_box_below_the_floor_is_not_found_again_and_one_is_found_once():
    twice = photograph([100, 100, 100, 100, 0.9, 0], [120, 100, 100, 100, 0.8, 0])  # 80 of 120 overlap: two boxes
    weak = photograph([100, 100, 100, 100, 0.2, 0], [120, 100, 100, 100, 0.8, 0])
    found = values(compare_boxes([(twice, weak), (twice, twice)], POSTPROCESS, least_iou=0.5))
    assert found["boxes_found_again"] == (0.75, 4)
    assert found["changed_photographs"] == (1, 2)


def test_where_single_precision_finds_nothing_there_is_no_evidence():
    weak = photograph([100, 100, 100, 100, 0.2, 0])
    found = values(compare_boxes([(weak, weak)], POSTPROCESS, least_iou=0.9))
    assert found["boxes_found_again"] == (None, 0)


def test_sizes_stand_beside_the_differences():
    found = with_sizes({"photographs": 2, "metrics": {"a": {}}}, file_bytes=30, source_bytes=120)
    assert found["photographs"] == 2
    assert {name: found["metrics"][name]["all"]["value"] for name in ("file_bytes", "file_fraction")} == {
        "file_bytes": 30,
        "file_fraction": 0.25,
    }
    assert "a" in found["metrics"]
