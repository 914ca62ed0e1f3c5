"""Two revisions of a detector compared, against one pycocotools evaluation of each, which has no interval and no p.

20,000 photographs in 1,000 groups, 20 classes, 200,000 detections a side: mAP50, recall, precision and calibration
error of the whole and of every class, with 2,000 paired replicates and as many patterns of signs as Holm wants. The
other side finds the same objects with other scores and misses a twentieth more. Matching was done by predict.
Run: PYTHONPATH=src python bench/revisions.py
"""

import contextlib
import io

import numpy as np

from detection_metrics import peer, scenes, to_coco, to_rows
from sides import in_turns
from vouch.commands.compare_revisions import Side, compared_sides
from vouch.stages.compare import Params

PHOTOGRAPHS, GROUPS, CLASSES, RUNS = 20_000, 1_000, 20, 5
MARGINS = {"map50": 0.01, "recall": 0.01, "precision": 0.02, "ece": 0.01}
CALIBRATOR = {"kind": "scalar", "floor": 0.01, "global": {"method": "identity"}, "classes": {}}
NAMES = [f"class{number}" for number in range(CLASSES)]
POLICY = {
    **{"kind": "operating_point", "thresholds": dict.fromkeys(NAMES, 0.4), "guarantee": "none", "alpha": None},
    **{"delta": None, "feasible": True, "infeasible": {}, "objective": {}, "evidence": {}},
    "intraclass_correlation": 0.05,
}


def weaker(photographs, rng):
    """The same photographs as another network sees them: other scores, a twentieth of the detections lost."""
    for truths, (labels, found, score) in photographs:
        kept = rng.random(len(score)) >= 0.05
        moved = np.clip(score[kept] + rng.normal(0, 0.05, int(kept.sum())), 0.011, 0.999)
        order = np.argsort(-moved, kind="stable")
        yield truths, (labels[kept][order], found[kept][order], moved[order])


def side(photographs):
    rows = to_rows(photographs, GROUPS)
    names = rows["sample"].map("s{:05d}".format)
    shared = {"group": rows["group_index"].map("g{:04d}".format), "sample_id": names}
    said = rows.assign(**shared, correct=(rows["hits"] & 1).astype(bool)).drop(columns=["sample", "group_index"])
    return Side(said.astype({"class_true": "str", "class_pred": "str"}), frozenset(NAMES), CALIBRATOR, POLICY)


def main():
    photographs = list(scenes(np.random.default_rng(0), PHOTOGRAPHS, CLASSES))
    both = [photographs, list(weaker(photographs, np.random.default_rng(1)))]
    sides = [side(one) for one in both]
    asked = Params(margins=MARGINS, strata=(), replicates=2_000, seed=1, level=0.95)
    with contextlib.redirect_stdout(io.StringIO()):
        files = [to_coco(one, CLASSES) for one in both]
        given, seconds = in_turns(
            {
                "peer": lambda: [peer(*one) for one in files],
                "ours": lambda: compared_sides(*sides, "detect", asked),
            },
            RUNS,
        )
        for evaluation in given["peer"]:
            evaluation.summarize()
    whole = given["ours"].differences["map50"]["all"]
    theirs = [evaluation.stats[1] for evaluation in given["peer"]]
    if not np.allclose([whole["candidate"], whole["baseline"]], theirs, rtol=0, atol=1e-9):
        raise SystemExit(f"bench: expected pycocotools' {theirs}, got {whole}")
    ours, peers = seconds["ours"], seconds["peer"]
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    print(
        "| two revisions of a detector compared: 20,000 photographs, 20 classes, 4 metrics, 2,000 paired replicates, "
        f"against one pycocotools evaluation of each | {ours:.1f} s | {peers:.1f} s | {ours / peers:.2f} x its time "
        "| <= 2 x |"
    )


if __name__ == "__main__":
    main()
