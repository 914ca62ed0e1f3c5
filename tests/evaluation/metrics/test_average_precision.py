import contextlib
import io
from functools import cache

import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vouch.evaluation.metrics.average_precision import IOU_BITS, mean_average_precision
from vouch.evaluation.metrics.intervals import group_weights, point
from vouch.evaluation.metrics.measures import MEASURES

CLASSES = ("cone", "face", "phone")


def scene(rng, sample):
    """Truths and detections of one photograph: displaced, doubled, invented, with ties of score."""
    truths = [
        (str(rng.choice(CLASSES)), rng.uniform(0, 300, 2), rng.uniform(20, 120, 2)) for _ in range(rng.integers(5))
    ]
    found = []
    for name, corner, size in truths:
        for _ in range(rng.choice(3, p=[0.2, 0.6, 0.2])):
            moved = corner + size * rng.normal(0, 0.08, 2)
            found.append((name, [*moved, *(size * np.exp(rng.normal(0, 0.08, 2)))], rng.integers(1, 20) / 20))
    for _ in range(rng.integers(3)):
        box = [*rng.uniform(0, 300, 2), *rng.uniform(20, 120, 2)]
        found.append((str(rng.choice(CLASSES)), box, rng.integers(1, 14) / 20))
    return [(sample, name, [*corner, *size]) for name, corner, size in truths], [(sample, *one) for one in found]


@cache
def photographs(seed, count):
    rng = np.random.default_rng(seed)
    return [scene(rng, sample) for sample in range(count)]


def coco(scenes):
    """Evaluate with pycocotools: truths and detections of each photograph, numbered in the order given."""
    identity = {name: number + 1 for number, name in enumerate(CLASSES)}
    truths, found = [], []
    for image, (objects, detections) in enumerate(scenes, start=1):
        truths += [
            {"image_id": image, "category_id": identity[name], "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            for _, name, box in objects
        ]
        found += [
            {"image_id": image, "category_id": identity[name], "bbox": box, "score": score}
            for _, name, box, score in detections
        ]
    content = {
        "info": {},
        "images": [{"id": image, "width": 500, "height": 500} for image in range(1, len(scenes) + 1)],
        "annotations": [{**one, "id": number} for number, one in enumerate(truths, start=1)],
        "categories": [{"id": number, "name": name} for name, number in identity.items()],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = content
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.params.maxDets = [1, 10, 1000]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def rows_of(evaluation, groups):
    """Take the rows from pycocotools' own matches: one per detection, one per truth that none met at IoU .50."""
    params, rows = evaluation.params, []
    images, areas = len(params.imgIds), len(params.areaRng)
    for image in range(images):
        for number, name in enumerate(CLASSES):
            found = evaluation.evalImgs[number * areas * images + image]
            if found is None:
                continue
            met = found["dtMatches"] > 0
            for place, score in enumerate(found["dtScores"]):
                hits = int(np.sum(met[:, place] << np.arange(10)))
                rows.append((image, name if met[0, place] else None, name, score, hits))
            rows += [(image, name, None, 0.0, 0) for match in found["gtMatches"][0] if match == 0]
    table = pd.DataFrame(rows, columns=["sample", "class_true", "class_pred", "score", "hits"])
    return table.assign(group_index=np.asarray(groups)[table["sample"]], hits=table["hits"].astype("uint16"))


@pytest.mark.parametrize("seed", range(6))
def test_map_equals_pycocotools_in_all_and_in_each_class(seed):
    scenes = photographs(seed, 40)
    evaluation = coco(scenes)
    rows = rows_of(evaluation, range(40))
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    assert point(mean_average_precision(rows, 40, bits=IOU_BITS)) == pytest.approx(precision.mean(), abs=1e-12)
    for name, iou in (("map50", 0), ("map75", 5)):  # of .50, .55 and so on
        assert point(MEASURES[name](rows, 40)) == pytest.approx(precision[iou].mean(), abs=1e-12)
    for number, name in enumerate(CLASSES):
        own = rows[(rows["class_true"] == name) | (rows["class_pred"] == name)]
        expected = precision[0, :, number].mean()
        assert point(mean_average_precision(own, 40, bits=(0,))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("truths", [20, 40, 100])
def test_a_recall_that_meets_a_threshold_exactly_is_rounded_as_pycocotools_rounds_it(truths):
    # 7 / 20 is float64 .35, pycocotools' 36th recall is .35000000000000003: the seventh hit does not reach it
    scenes = []
    for number in range(truths):
        box = [10.0, 10.0, 50.0, 50.0]
        wrong = [(number, "cone", [300.0, 300.0, 50.0, 50.0], 1 - (number + 0.5) / truths)]
        scenes.append(([(number, "cone", box)], [(number, "cone", box, 1 - number / truths), *wrong]))
    evaluation = coco(scenes)
    rows = rows_of(evaluation, range(truths))
    expected = evaluation.eval["precision"][0, :, 0, 0, -1].mean()
    assert point(mean_average_precision(rows, truths, bits=(0,))) == pytest.approx(expected, abs=1e-12)


def test_a_replicate_equals_pycocotools_on_photographs_repeated_as_often_as_their_group_was_drawn():
    # scores without ties: between equal scores the order of copies is a matter of taste
    rng = np.random.default_rng(3)
    scenes = [
        (objects, [(sample, name, box, float(rng.random())) for sample, name, box, _ in detections])
        for objects, detections in photographs(8, 30)
    ]
    groups = np.arange(30) // 3
    weights = group_weights(10, replicates=8, rng=np.random.default_rng(1))
    measure = mean_average_precision(rows_of(coco(scenes), groups), 10, bits=IOU_BITS)
    for drawn, value in zip(weights, measure.values(weights), strict=True):
        repeated = [scene for scene, group in zip(scenes, groups, strict=True) for _ in range(drawn[group])]
        precision = coco(repeated).eval["precision"][:, :, :, 0, -1]
        by_class = precision.mean(axis=1)[:, (precision > -1).any(axis=(0, 1))]
        assert value == pytest.approx(by_class.mean(), abs=1e-12)


def test_values_do_not_depend_on_how_replicates_are_cut_into_blocks(monkeypatch):
    rows = rows_of(coco(photographs(9, 30)), range(30))
    weights = group_weights(30, replicates=50, rng=np.random.default_rng(0))
    whole = mean_average_precision(rows, 30, bits=IOU_BITS).values(weights)
    monkeypatch.setattr("vouch.evaluation.metrics.blocks.BLOCK", 200)
    cut = mean_average_precision(rows, 30, bits=IOU_BITS).values(weights)
    np.testing.assert_allclose(cut, whole, rtol=1e-12)


def one_class(score, hits, truths):
    """Detections with their hits at IoU .50, each of a group of its own, and missed truths."""
    missed = truths - sum(hits)
    return pd.DataFrame(
        {
            "class_true": ["cone" if hit else None for hit in hits] + ["cone"] * missed,
            "class_pred": ["cone"] * len(score) + [None] * missed,
            "score": [*score, *([0.0] * missed)],
            "hits": np.array([*hits, *([0] * missed)], dtype=np.uint16),
            "group_index": np.arange(len(score) + missed),
        }
    )


def test_map_by_hand():
    # hit, false alarm, hit of 2 truths: precision 1 up to recall .5 (51 of 101 recalls), 2/3 beyond
    measure = mean_average_precision(one_class([0.9, 0.8, 0.7], [1, 0, 1], 2), 3, bits=(0,))
    assert point(measure) == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)


def test_a_doubled_group_counts_as_two_rows():
    # the false alarm twice: 2 hits in 4 at full recall
    measure = mean_average_precision(one_class([0.9, 0.8, 0.7], [1, 0, 1], 2), 3, bits=(0,))
    value = measure.values(np.array([[1, 2, 1]], dtype=np.int32))
    assert value == pytest.approx([(51 * 1 + 50 * 2 / 4) / 101])


def test_no_detection_is_zero_and_no_truth_is_undefined():
    assert point(mean_average_precision(one_class([], [], 2), 2, bits=(0,))) == 0.0
    empty = mean_average_precision(one_class([0.9], [0], 0), 1, bits=(0,))
    assert np.isnan(point(empty))
    assert empty.support.sum() == 0
