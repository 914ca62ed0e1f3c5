"""Train heads on the features of a frozen backbone: train shapes them, val_select chooses the epoch.

Reads   samples and hashes of D, splits train and val_select, models/M/features/{train,val_select}.safetensors,
        models/M/backbone/{weights.safetensors,weights.json}
Writes  models/M/weights.safetensors, models/M/weights.json, plots/M/train.csv
Fails   when the features are of other weights, other preprocessing or other photographs
"""

import pandas as pd

from vouch import io, params, paths
from vouch.splits import contract
from vouch.stages import main
from vouch.training import weights as weights_files
from vouch.training.classification import features
from vouch.training.classification.cached import Cached
from vouch.training.classification.params import CachedTraining
from vouch.training.classification.training import train_cached
from vouch.training.images.batches import labelled


class Params(CachedTraining):
    """models.M.train_cached."""


def run(model: str, dataset: str) -> None:
    """Train the heads of model M on data set D."""
    training = params.load(Params, "models", model, "train_cached")
    classes = tuple(params.read_value("datasets", dataset, "ingest", "classes"))
    tensors, description = weights_files.read(paths.model(model, "backbone"))
    samples = io.read_table(paths.manifest(dataset, "samples")).merge(
        io.read_table(paths.quality(dataset, "scan"))[["sample_id", "sha256"]], on="sample_id", validate="one_to_one"
    )
    weights = io.sha256(paths.model(model, "backbone") / weights_files.WEIGHTS)
    parts = {}
    for split, purpose in (("train", "fit_weights"), ("val_select", "choose_checkpoint")):
        members: pd.DataFrame = contract.read_split(dataset, split, purpose=purpose)
        members = members.merge(samples, on="sample_id", validate="one_to_one")
        members = members[members["label"].notna()]
        photographs = labelled(members, classes, where=f"split {split}")
        made_of = features.key(weights, description, tuple(members["sha256"]))
        path = paths.model(model, f"features/{split}.safetensors")
        found = features.read(path, made_of, rows=len(members))
        parts[split] = Cached(found, photographs.class_ids, photographs.groups)
    trained = train_cached(parts["train"], parts["val_select"], training, (description, tensors), classes)
    weights_files.write(paths.model(model), trained.tensors, trained.description)
    io.write_table(paths.plots(model, "train.csv"), trained.curve)


if __name__ == "__main__":
    main(run)
