"""mAP50 and mAP50-95 with 2,000-replicate group-bootstrap intervals against one pycocotools evaluation without any.

5,000 photographs in 1,000 groups, 10 classes, 40,000 truths, 50,000 detections. Matching, which Vouch does once when it
predicts, is inside pycocotools' time; it is timed apart so that both readings are there.
Run: PYTHONPATH=src python bench/detection_metrics.py
"""

import contextlib
import io

import numpy as np
import pandas as pd
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sides import in_turns
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import Setting, estimate, group_weights
from vouch.evaluation.metrics.measures import MEASURES
from vouch.vision.boxes import Detections, match

SETTING = Setting(level=0.95, correlation=0.05, few_groups=20)
PHOTOGRAPHS, GROUPS, CLASSES, FOUND, REPLICATES, RUNS = 5_000, 1_000, 10, 10, 2_000, 5


def scenes(rng, photographs, n_classes):
    """Truths (class, xywh) and detections (class, xywh, score) of each photograph."""
    for _ in range(photographs):
        size = int(rng.integers(4, 13))
        classes, corners = rng.integers(0, n_classes, size), rng.uniform(0, 500, (size, 2))
        truths = np.concatenate([corners, rng.uniform(20, 140, (size, 2))], axis=1)
        near = np.arange(FOUND) % size
        spread = rng.uniform(0, 0.15, (FOUND, 1))
        found = truths[near].copy()
        found[:, :2] += found[:, 2:] * rng.normal(0, 0.5, (FOUND, 2)) * spread
        found[:, 2:] *= np.exp(rng.normal(0, 1, (FOUND, 2)) * spread)
        invented = rng.random(FOUND) < 0.3
        found[invented, :2] = rng.uniform(0, 500, (int(invented.sum()), 2))
        score = np.where(invented, rng.beta(2, 5, FOUND), rng.beta(5, 2, FOUND))
        order = np.argsort(-score, kind="stable")
        yield (classes, truths), (classes[near][order], found[order], score[order])


def corners(boxes_xywh):
    return np.concatenate([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]], axis=1)


def to_rows(photographs, groups):
    """Match every photograph once: the waist's columns that metrics read."""
    parts = []
    for sample, ((classes, truths), (labels, found, score)) in enumerate(photographs):
        met = match(Detections(corners(found), score, labels), corners(truths), classes)
        missed = classes[np.setdiff1d(np.arange(len(classes)), met.truth)]
        nothing = np.zeros(len(missed))
        parts.append(
            pd.DataFrame(
                {
                    "sample": sample,
                    "class_true": np.concatenate([np.where(met.truth >= 0, labels, -1), missed]),
                    "class_pred": np.concatenate([labels, nothing - 1]).astype(int),
                    "score": np.concatenate([score, nothing]),
                    "hits": np.concatenate([met.hits, nothing.astype(np.uint16)]),
                }
            )
        )
    rows = pd.concat(parts, ignore_index=True)
    named = {
        column: rows[column].map(lambda code: None if code < 0 else f"class{code}")
        for column in ("class_true", "class_pred")
    }
    return rows.assign(**named, group_index=rows["sample"] // (len(photographs) // groups))


def to_coco(photographs, n_classes):
    truths, found = [], []
    for image, ((classes, boxes), (labels, guesses, score)) in enumerate(photographs, start=1):
        for name, box in zip(classes.tolist(), boxes.tolist(), strict=True):
            shared = {"id": len(truths) + 1, "image_id": image, "category_id": name + 1, "iscrowd": 0}
            truths.append({**shared, "bbox": box, "area": box[2] * box[3]})
        for name, box, sure in zip(labels.tolist(), guesses.tolist(), score.tolist(), strict=True):
            found.append({"image_id": image, "category_id": name + 1, "bbox": box, "score": sure})
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": image, "width": 640, "height": 640} for image in range(1, len(photographs) + 1)],
        "annotations": truths,
        "categories": [{"id": number + 1, "name": f"class{number}"} for number in range(n_classes)],
    }
    truth.createIndex()
    return truth, truth.loadRes(found)


def ours(rows):
    weights = group_weights(GROUPS, replicates=REPLICATES, rng=np.random.default_rng(0))
    return [
        estimate(MEASURES[name](rows, GROUPS), weights, SETTING, method=METRICS[name].interval)
        for name in ("map50_95", "map50")
    ]


def peer(truth, found):
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


def main():
    photographs = list(scenes(np.random.default_rng(0), PHOTOGRAPHS, CLASSES))
    matched, once = in_turns({"rows": lambda: to_rows(photographs, GROUPS)}, 1)
    rows = matched["rows"]
    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = to_coco(photographs, CLASSES)
        given, seconds = in_turns({"peer": lambda: peer(truth, found), "ours": lambda: ours(rows)}, RUNS)
        evaluation = given["peer"]
        evaluation.summarize()
    values = [one.value for one in given["ours"]]
    if not np.allclose(values, evaluation.stats[:2], rtol=0, atol=1e-9):
        raise SystemExit(f"bench: expected pycocotools' {evaluation.stats[:2]}, got {values}")
    our_s, peer_s = seconds["ours"], seconds["peer"]
    whole_s = our_s + once["rows"]
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    print(
        f"| mAP50 and mAP50-95 of 50,000 detections with {REPLICATES:,} group-bootstrap replicates, against one "
        f"pycocotools evaluation | {our_s:.2f} s | {peer_s:.2f} s | {our_s / peer_s:.2f} x its time | <= 2 x |"
    )
    print(f"| the same, matching included | {whole_s:.2f} s | {peer_s:.2f} s | {whole_s / peer_s:.2f} x its time | |")


if __name__ == "__main__":
    main()
