import contextlib
import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchvision.ops import batched_nms, box_iou

from vouch.errors import BundleError
from vouch.vision.boxes import (
    IOU_THRESHOLDS,
    Detections,
    Postprocess,
    decode,
    iou_matrix,
    match,
    postprocess_from_json,
    suppress,
)


def random_boxes(rng, count, extent=100.0):
    corner = rng.uniform(0, extent, (count, 2))
    return np.hstack([corner, corner + rng.uniform(1, extent / 2, (count, 2))])


def test_iou_agrees_with_torchvision():
    rng = np.random.default_rng(0)
    first, second = random_boxes(rng, 40), random_boxes(rng, 30)
    expected = box_iou(torch.from_numpy(first), torch.from_numpy(second)).numpy()
    np.testing.assert_allclose(iou_matrix(first, second), expected, atol=1e-12)


def test_iou_of_empty_boxes_is_zero():
    point = np.array([[5.0, 5.0, 5.0, 5.0]])
    assert iou_matrix(point, point).tolist() == [[0.0]]
    assert iou_matrix(np.empty((0, 4)), point).shape == (0, 1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.sampled_from([0.3, 0.5, 0.7]))
def test_suppression_agrees_with_torchvision(seed, count, max_iou):
    rng = np.random.default_rng(seed)
    boxes, scores, ids = random_boxes(rng, count), rng.permutation(count) / 100, rng.integers(0, 3, count)
    tensors = (torch.from_numpy(item) for item in (boxes, scores, ids))
    expected = batched_nms(*tensors, iou_threshold=max_iou).numpy()
    assert suppress(boxes, scores, ids, max_iou=max_iou).tolist() == expected.tolist()


def test_equal_scores_keep_their_order():
    boxes = np.array([[0.0, 0, 10, 10], [0.0, 0, 10, 10], [50.0, 0, 60, 10]])
    assert suppress(boxes, np.full(3, 0.5), np.zeros(3, np.int64), max_iou=0.5).tolist() == [0, 2]


def test_decode_reads_centres_sides_and_scores():
    output = np.array(
        [[10, 10, 50], [10, 10, 50], [4, 4, 20], [6, 6, 20], [0.9, 0.8, 0.1], [0.2, 0.3, 0.6]], np.float32
    )
    found = decode(output, Postprocess(floor=0.5, max_iou=0.7, limit=10))
    assert found.boxes_xyxy.tolist() == [[8, 7, 12, 13], [40, 40, 60, 60]]
    np.testing.assert_allclose(found.scores, [0.9, 0.6], rtol=1e-6)
    assert found.class_ids.tolist() == [0, 1]


def test_decode_of_nothing_is_nothing():
    found = decode(np.zeros((6, 8), np.float32), Postprocess(floor=0.5, max_iou=0.7, limit=10))
    assert (found.boxes_xyxy.shape, found.scores.shape, found.class_ids.shape) == ((0, 4), (0,), (0,))


def test_decode_keeps_no_more_than_the_limit():
    rng = np.random.default_rng(1)
    output = np.vstack([rng.uniform(0, 300, (2, 50)), np.full((2, 50), 5.0), rng.uniform(0.5, 1, (1, 50))])
    assert len(decode(output.astype(np.float32), Postprocess(floor=0.1, max_iou=0.7, limit=7)).scores) == 7


def coco_hits(found, truth_xyxy, truth_ids):
    """Hits by threshold of one photograph as pycocotools matches them."""

    def xywh(boxes):
        return np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])

    classes = sorted({*truth_ids.tolist(), *found.class_ids.tolist()})
    truth, answers = COCO(), COCO()
    truth.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": int(c)} for c in classes],
        "annotations": [
            {
                "id": i + 1,
                "image_id": 1,
                "category_id": int(c),
                "bbox": b.tolist(),
                "area": float(b[2] * b[3]),
                "iscrowd": 0,
            }
            for i, (b, c) in enumerate(zip(xywh(truth_xyxy), truth_ids, strict=True))
        ],
    }
    entries = [
        {"image_id": 1, "category_id": int(c), "bbox": b.tolist(), "score": float(s)}
        for b, c, s in zip(xywh(found.boxes_xyxy), found.class_ids, found.scores, strict=True)
    ]
    hits = np.zeros((len(found.scores), len(IOU_THRESHOLDS)), bool)
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        answers = truth.loadRes(entries)
        judge = COCOeval(truth, answers, "bbox")
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
    for result in judge.evalImgs:
        if result is not None:
            for column, identifier in enumerate(result["dtIds"]):
                hits[identifier - 1] = result["dtMatches"][:, column] > 0
    return hits


@pytest.mark.parametrize("seed", range(12))
def test_matching_agrees_with_pycocotools(seed):
    rng = np.random.default_rng(seed)
    truth = random_boxes(rng, 8)
    truth_ids = rng.integers(0, 2, 8)
    boxes = np.vstack([truth[rng.integers(0, 8, 20)] + rng.normal(0, 3, (20, 4)), random_boxes(rng, 5)])
    boxes = np.hstack([boxes[:, :2], np.maximum(boxes[:, 2:], boxes[:, :2] + 1)])
    found = Detections(boxes, np.sort(rng.random(25))[::-1], rng.integers(0, 2, 25))
    bits = (match(found, truth, truth_ids).hits[:, None] >> np.arange(10)) & 1
    np.testing.assert_array_equal(bits.astype(bool), coco_hits(found, truth, truth_ids))


def test_a_match_names_its_truth_and_overlap():
    truth = np.array([[0.0, 0, 10, 10], [20.0, 0, 30, 10]])
    found = Detections(np.array([[20.0, 0, 30, 8], [0.0, 5, 10, 15]]), np.array([0.9, 0.8]), np.zeros(2, np.int64))
    result = match(found, truth, np.zeros(2, np.int64))
    assert result.truth.tolist() == [1, -1]
    np.testing.assert_allclose(result.iou, [0.8, 1 / 3])
    assert bin(result.hits[0]).count("1") == 7  # .50 .55 .60 .65 .70 .75 .80


def test_a_truth_is_taken_once():
    truth = np.array([[0.0, 0, 10, 10]])
    found = Detections(np.repeat(truth, 2, axis=0), np.array([0.9, 0.8]), np.zeros(2, np.int64))
    assert match(found, truth, np.zeros(1, np.int64)).truth.tolist() == [0, -1]


GOOD = {"floor": 0.01, "max_iou": 0.7, "limit": 100}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "the keys"),
        ([], "the keys"),
        ({}, "the keys"),
        (GOOD | {"zebra": 1}, "the keys"),
        ({"floor": 0.1, "limit": 1}, "the keys"),
        (GOOD | {"limit": -1}, "limit"),
        (GOOD | {"limit": 0}, "limit"),
        (GOOD | {"limit": 10.0}, "limit"),
        (GOOD | {"limit": True}, "limit"),
        (GOOD | {"limit": 10**9}, "limit"),
        (GOOD | {"floor": float("nan")}, "floor"),
        (GOOD | {"floor": 1.0}, "floor"),
        (GOOD | {"floor": "0"}, "floor"),
        (GOOD | {"max_iou": 0.0}, "max_iou"),
        (GOOD | {"max_iou": 1.5}, "max_iou"),
        (GOOD | {"max_iou": None}, "max_iou"),
    ],
)
def test_a_postprocessing_that_is_none_is_refused(content, said):
    with pytest.raises(BundleError, match=said):
        postprocess_from_json(content, "postprocess.json")


def test_every_wrong_value_of_a_postprocessing_is_told():
    with pytest.raises(BundleError) as refused:
        postprocess_from_json({"floor": -1, "max_iou": 2, "limit": 0}, "postprocess.json")
    assert len(refused.value.problems) == 3
    assert postprocess_from_json(GOOD, "postprocess.json") == Postprocess(0.01, 0.7, 100)
