"""Write the baseline of a model that has never been promoted: a trivial bundle, which does not look at photographs.

Reads   pipeline.models.M.task, the taxonomy; for a classifier or embedder the labels of split train
Writes  registry/M/bundle: a detector that finds nothing, a classifier that says how often each class is, an embedder
        that names no product
Fails   when no train photograph of a classifier has a label
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vouch import io, params, paths
from vouch.errors import DataError, Problem
from vouch.release import bundle
from vouch.roads import task_of
from vouch.splits import contract
from vouch.stages import main
from vouch.tasks import ByTask
from vouch.vision.crops import crops, refuse_productless

UNDECIDED = {
    "feasible": False,
    "guarantee": "none",
    "objective": None,
    "evidence": {},
    "intraclass_correlation": 1.0,  # nothing is known of it
}
DIGITS = 6  # decimals of a share


def run(model: str, dataset: str) -> None:
    """Write the trivial bundle of model M with the classes of data set D."""
    classes: list[str] = params.read_value("datasets", dataset, "ingest", "classes")
    task = task_of(model)
    contents = TRIVIAL[task](dataset, classes)
    files = {f"{name}.json": io.dumps(content).encode() for name, content in contents.items()}
    bundle.write_bundle(paths.registry(model), model, "0.0.0", task, "trivial", files)


def _finds_nothing(_: str, classes: list[str]) -> dict[str, Any]:
    policy = UNDECIDED | {
        "kind": "operating_point",
        "infeasible": dict.fromkeys(classes, "a trivial baseline finds nothing"),
        "thresholds": dict.fromkeys(classes),
        "alpha": None,
        "delta": None,
    }
    calibrator = {"kind": "scalar", "floor": 0.0, "global": {"method": "identity"}, "classes": {}}
    return {"labels": {"classes": classes}, "calibrator": calibrator, "policy": policy}


def _says_the_prior(dataset: str, classes: list[str]) -> dict[str, Any]:
    counts = _counts(dataset, classes)
    shares = (counts + 1) / (counts + 1).sum()  # a class that train lacks is not impossible
    policy = UNDECIDED | {
        "kind": "threshold",
        "infeasible": {"*": "a trivial baseline looks at nothing"},
        "positive": None,
        "threshold": None,
        "alpha": 0.5,
        "delta": 0.5,
    }
    calibrator = {"kind": "multiclass", "classes": classes, "map": {"method": "identity"}, "gate": None}
    prior = {"prior": [round(float(share), DIGITS) for share in shares]}
    return {"labels": {"classes": classes}, "calibrator": calibrator, "policy": policy, "prior": prior}


def _knows_no_crop(dataset: str, _: list[str]) -> dict[str, Any]:
    members = contract.read_split(dataset, "train", purpose="fit_weights")
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    cut = crops(members.merge(samples, on="sample_id", validate="one_to_one"), boxes)
    refuse_productless(cut, where="split train")
    policy = UNDECIDED | {
        "kind": "open_set",
        "infeasible": {"*": "a trivial baseline looks at nothing"},
        "rule": "thresholds",
        "similarity": None,
        "margin": None,
        "alpha": 0.5,
        "delta": 0.5,
    }
    calibrator = {"kind": "scalar", "floor": 0.0, "global": {"method": "identity"}, "classes": {}}
    products = sorted(cut["product"].unique())
    return {"labels": {"classes": products}, "calibrator": calibrator, "policy": policy}


def _counts(dataset: str, classes: list[str]) -> NDArray[np.float64]:
    members = contract.read_split(dataset, "train", purpose="fit_weights")
    samples = io.read_table(paths.manifest(dataset, "samples"))
    labels = members.merge(samples, on="sample_id", validate="one_to_one")["label"].dropna()
    if labels.empty:
        raise DataError([Problem("split train", "labels of photographs", "none", "label some, or detect boxes")])
    return np.array([(labels == name).sum() for name in classes], dtype=np.float64)


TRIVIAL = ByTask(detect=_finds_nothing, classify=_says_the_prior, identify=_knows_no_crop)


if __name__ == "__main__":
    main(run)
