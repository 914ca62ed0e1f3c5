"""Look at train and val_select once with a frozen backbone, and keep what it saw.

Reads   samples, photographs and hashes of D, splits train and val_select, the backbone's weights where there are any
Writes  models/M/backbone/{weights.safetensors,weights.json}, models/M/features/{train,val_select}.safetensors
Fails   when a parameter is unknown, a label is no class, or the weights do not fit
"""

import pandas as pd

from vouch import io, params, paths
from vouch.splits import contract
from vouch.stages import main
from vouch.training import weights as weights_files
from vouch.training.backbones.frozen import licences_of, start_of, with_licences
from vouch.training.classification import features
from vouch.training.classification.params import Extraction
from vouch.training.images.batches import labelled

PURPOSES = {"train": "fit_weights", "val_select": "choose_checkpoint"}


class Params(Extraction):
    """models.M.extract_features."""


def run(model: str, dataset: str, start: str) -> None:
    """Extract the features of data set D for model M by a backbone that is, and stays, as `start` says."""
    extraction = params.load(Params, "models", model, "extract_features")
    classes = tuple(params.read_value("datasets", dataset, "ingest", "classes"))
    samples = io.read_table(paths.manifest(dataset, "samples")).merge(
        io.read_table(paths.quality(dataset, "scan"))[["sample_id", "sha256"]], on="sample_id", validate="one_to_one"
    )
    members = {split: _labelled(dataset, split, purpose, samples) for split, purpose in PURPOSES.items()}
    photographs = {split: labelled(table, classes, where=f"split {split}") for split, table in members.items()}
    frozen, architecture = features.backbone(extraction, start_of(start))
    licences = licences_of(start_of(start))
    description = with_licences(features.describe(frozen, architecture, extraction), licences)
    weights_files.write(paths.model(model, "backbone"), frozen.state_dict(), description)
    weights = io.sha256(paths.model(model, "backbone") / weights_files.WEIGHTS)
    for split, table in members.items():
        found = features.extract(frozen, photographs[split].images, extraction)
        made_of = features.key(weights, description, tuple(table["sha256"]))
        features.write(paths.model(model, f"features/{split}.safetensors"), found, made_of)


def _labelled(dataset: str, split: str, purpose: str, samples: pd.DataFrame) -> pd.DataFrame:
    members = contract.read_split(dataset, split, purpose=purpose).merge(samples, on="sample_id", validate="one_to_one")
    return members[members["label"].notna()]


if __name__ == "__main__":
    main(run)
