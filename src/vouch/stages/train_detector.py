"""Train a detector: train shapes its weights, val_select chooses the checkpoint.

Reads   manifest and photographs of D, splits train and val_select, the starting point (architecture or weights)
Writes  models/M/weights.safetensors, models/M/weights.json, plots/M/train.csv
Fails   when a parameter is unknown or the starting point is none
"""

from pathlib import Path

import pandas as pd

from vouch import io, params, paths
from vouch.splits import contract
from vouch.stages import main
from vouch.training import weights
from vouch.training.detection.framework import Labelled, Lesson, Training, labelled
from vouch.training.frameworks import framework


class Params(Training):
    """models.M.train_detector."""


def run(model: str, dataset: str, name: str, start: str) -> None:
    """Train model M on data set D with framework `name` from `start`."""
    training = params.load(Params, "models", model, "train_detector")
    classes = tuple(params.read_value("datasets", dataset, "ingest", "classes"))  # in the order of the outputs
    lesson = Lesson(
        classes,
        train=_examples(dataset, "train", "fit_weights", classes),
        val_select=_examples(dataset, "val_select", "choose_checkpoint", classes),
    )
    trained = framework("detect", name).train(lesson, training, Path(start), paths.SCRATCH / "train" / model)
    weights.write(paths.model(model), trained.tensors, trained.description)
    io.write_table(paths.plots(model, "train.csv"), trained.curve)


def _examples(dataset: str, split: str, purpose: str, classes: tuple[str, ...]) -> tuple[Labelled, ...]:
    members: pd.DataFrame = contract.read_split(dataset, split, purpose=purpose)
    samples = io.read_table(paths.manifest(dataset, "samples"))
    boxes = io.read_table(paths.manifest(dataset, "boxes"))
    return labelled(members.merge(samples, on="sample_id", validate="one_to_one"), boxes, classes)


if __name__ == "__main__":
    main(run)
