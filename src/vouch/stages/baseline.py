"""Write the baseline of a model that has never been promoted: a trivial bundle, which does not look at photographs.

Reads   pipeline.models.M.task, the taxonomy; for a classifier or embedder the labels of split train
Writes  registry/M/bundle: a detector that finds nothing, a classifier that says how often each class is, an embedder
        that names no product
Fails   when no train photograph of a classifier has a label
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch import io, params, paths
from vouch.errors import DataError, Problem
from vouch.release import bundle, trivial
from vouch.roads import task_of
from vouch.splits import contract
from vouch.stages import main
from vouch.tasks import ByTask
from vouch.vision.crops import crops, refuse_productless


def run(model: str, dataset: str) -> None:
    """Write the trivial bundle of model M with the classes of data set D."""
    classes: list[str] = params.read_value("datasets", dataset, "ingest", "classes")
    task = task_of(model)
    contents = TRIVIAL[task](dataset, classes)
    files = {f"{name}.json": io.dumps(content).encode() for name, content in contents.items()}
    bundle.write_bundle(paths.registry(model), model, "0.0.0", task, "trivial", files)


def _finds_nothing(_: str, classes: list[str]) -> trivial.Contents:
    return trivial.finds_nothing(classes)


def _says_the_prior(dataset: str, classes: list[str]) -> trivial.Contents:
    return trivial.says_the_prior(classes, _counts(dataset, classes))


def _names_nothing(dataset: str, _: list[str]) -> trivial.Contents:
    cut = crops(_train(dataset), io.read_table(paths.manifest(dataset, "boxes")))
    refuse_productless(cut, where="split train")
    return trivial.names_nothing(sorted(cut["product"].unique()))


def _train(dataset: str) -> pd.DataFrame:
    members = contract.read_split(dataset, "train", purpose="fit_weights")
    samples = io.read_table(paths.manifest(dataset, "samples"))
    return members.merge(samples, on="sample_id", validate="one_to_one")


def _counts(dataset: str, classes: list[str]) -> NDArray[np.float64]:
    labels = _train(dataset)["label"].dropna()
    if labels.empty:
        raise DataError([Problem("split train", "labels of photographs", "none", "label some, or detect boxes")])
    return np.array([(labels == name).sum() for name in classes], dtype=np.float64)


TRIVIAL = ByTask(detect=_finds_nothing, classify=_says_the_prior, identify=_names_nothing)


if __name__ == "__main__":
    main(run)
