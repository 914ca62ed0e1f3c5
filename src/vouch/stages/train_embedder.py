"""Train an embedder on crops of products: train shapes the weights, val_select chooses the epoch.

Reads   samples, boxes and photographs of D, splits train and val_select, the starting weights where there are any
Writes  models/M/weights.safetensors, models/M/weights.json, plots/M/train.csv
Fails   when a parameter is unknown, a box has no area, train has fewer than two products, val_select none of them, or
        the start does not fit
"""

import pandas as pd

from vouch import io, params, paths
from vouch.splits import contract
from vouch.stages import main
from vouch.training import weights
from vouch.training.backbones.frozen import start_of
from vouch.training.embedding.params import EmbedderTraining
from vouch.training.embedding.training import album, train
from vouch.vision.crops import crops, with_moved


class Params(EmbedderTraining):
    """models.M.train_embedder."""


def run(model: str, dataset: str, start: str) -> None:
    """Train model M on data set D from `start`: a folder of weights, timm's .safetensors, or a .yaml naming it."""
    training = params.load(Params, "models", model, "train_embedder")
    cut = with_moved(_crops(dataset, "train", "fit_weights"), deviation=training.box_deviation, seed=training.seed)
    seen = album(cut, _crops(dataset, "val_select", "choose_checkpoint"))
    trained = train(seen, training, start_of(start), paths.SCRATCH / "train" / model)
    weights.write(paths.model(model), trained.tensors, trained.description)
    io.write_table(paths.plots(model, "train.csv"), trained.curve)


def _crops(dataset: str, split: str, purpose: str) -> pd.DataFrame:
    members = contract.read_split(dataset, split, purpose=purpose)
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    return crops(members.merge(samples, on="sample_id", validate="one_to_one"), boxes)


if __name__ == "__main__":
    main(run)
