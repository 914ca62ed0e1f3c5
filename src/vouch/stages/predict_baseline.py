"""Score val_test with the promoted bundle, or the trivial one: the other side of the comparison.

Reads   manifest and photographs of D; the baseline's bundle; split val_test
Writes  data/predictions/M/baseline/val_test.parquet
Fails   when the bundle does not check, or is of another task than M
"""

from pathlib import Path

from vouch import io, params, paths
from vouch.errors import BundleError, Problem
from vouch.release.opening import open_bundle
from vouch.roads import task_of
from vouch.splits import contract
from vouch.stages import main
from vouch.vision.scoring import SCORED, Network


def run(model: str, dataset: str, baseline: str) -> None:
    """Predict with the bundle `baseline`."""
    task, bundle = task_of(model), open_bundle(Path(baseline))
    if bundle.task != task:
        remedy = f"correct pipeline.models.{model}"
        raise BundleError([Problem(baseline, f"a bundle to {task}", f"one to {bundle.task}", remedy)])
    network = Network(bundle.runtime, bundle.classes, bundle.postprocess, bundle.prior, bundle.gallery)
    samples = io.read_table(paths.manifest(dataset, "samples"))
    boxes = io.read_table(paths.manifest(dataset, "boxes"))
    members = contract.read_split(dataset, "val_test", purpose="predict")
    members = members.merge(samples, on="sample_id", validate="one_to_one")
    batch = params.read_value("models", model, "predict", "batch")
    table = SCORED[task](network, members, boxes, batch, "predict val_test")
    io.write_table(paths.predictions(model, "baseline", "val_test"), table)


if __name__ == "__main__":
    main(run)
