"""Train a classifier, all weights or adapters beside them: train shapes them, val_select chooses the epoch.

Reads   samples and photographs of D, splits train and val_select, the starting weights where there are any
Writes  models/M/weights.safetensors, models/M/weights.json, plots/M/train.csv
Fails   when a parameter is unknown, a label is no class, a split has one class, or the start or adapters do not fit
"""

from vouch import io, params, paths
from vouch.splits import contract
from vouch.stages import main
from vouch.training import weights
from vouch.training.backbones.frozen import start_of
from vouch.training.classification.params import ClassifierTraining
from vouch.training.classification.training import train
from vouch.training.images.batches import Photographs, labelled
from vouch.training.images.decoded import Album


class Params(ClassifierTraining):
    """models.M.train_classifier."""


def run(model: str, dataset: str, start: str) -> None:
    """Train model M on data set D from `start`: a folder of weights, timm's .safetensors, or a .yaml naming it."""
    training = params.load(Params, "models", model, "train_classifier")
    classes = tuple(params.read_value("datasets", dataset, "ingest", "classes"))  # in the order of the outputs
    album = Album(
        classes,
        train=_photographs(dataset, "train", "fit_weights", classes),
        val_select=_photographs(dataset, "val_select", "choose_checkpoint", classes),
    )
    trained = train(album, training, start_of(start), paths.SCRATCH / "train" / model)
    weights.write(paths.model(model), trained.tensors, trained.description)
    io.write_table(paths.plots(model, "train.csv"), trained.curve)


def _photographs(dataset: str, split: str, purpose: str, classes: tuple[str, ...]) -> Photographs:
    members = contract.read_split(dataset, split, purpose=purpose)
    samples = io.read_table(paths.manifest(dataset, "samples"))
    return labelled(members.merge(samples, on="sample_id", validate="one_to_one"), classes, where=f"split {split}")


if __name__ == "__main__":
    main(run)
