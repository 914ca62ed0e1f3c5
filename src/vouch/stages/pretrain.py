"""Go on training a backbone without labels, on photographs of train: what a classifier then starts from.

Reads   samples and photographs of D, split train, the starting weights where there are any; with a folder of unlabelled
        photographs, that folder, and scan and members of the validation splits, for it must hold none of them
Writes  models/M/pretrained/{weights.safetensors,weights.json}, plots/M/pretrain.csv
Fails   when a parameter is unknown, the backbone is no transformer, an unlabelled photograph does not decode or is one
        of a validation split (the same pixels, or nearly: whose group it is nobody knows)
"""

import os
from pathlib import Path

import pandas as pd

from vouch import io, params, paths
from vouch.errors import DataError, LeakageError, Problem, refuse_any
from vouch.quality import held_out, images
from vouch.sources.tree import photographs_below
from vouch.splits import contract
from vouch.stages import main
from vouch.training import weights
from vouch.training.backbones.frozen import start_of
from vouch.training.images.batches import labelled
from vouch.training.pretraining.params import Pretraining
from vouch.training.pretraining.training import Pool, adapt
from vouch.vision.images.source import files


class Params(Pretraining):
    """models.M.pretrain."""


def run(model: str, dataset: str, start: str, unlabelled: str) -> None:
    """Pre-train for model M on train of D from `start`; `unlabelled` is a folder of more photographs, or none.yaml."""
    wanted = params.load(Params, "models", model, "pretrain")
    classes = tuple(params.read_value("datasets", dataset, "ingest", "classes"))
    members = contract.read_split(dataset, "train", purpose="fit_weights")
    samples = members.merge(io.read_table(paths.manifest(dataset, "samples")), on="sample_id", validate="one_to_one")
    photographs = files([*samples["image"], *_others(dataset, Path(unlabelled))])
    pool = Pool(photographs, labelled(samples, classes, where="split train"))
    adapted = adapt(pool, wanted, start_of(start), paths.SCRATCH / "pretrain" / model)
    io.write_table(paths.plots(model, "pretrain.csv"), adapted.curve)
    weights.write(paths.model(model, "pretrained"), adapted.tensors, adapted.description)


def _others(dataset: str, folder: Path) -> tuple[Path, ...]:
    if folder.suffix == ".yaml":
        return ()
    found = tuple(photographs_below(folder))
    largest = params.read_value("datasets", dataset, "scan", "max_megapixels")
    records = list(images.scan(found, max_megapixels=largest, workers=len(os.sched_getaffinity(0))))
    scan = images.tabulate([path.as_posix() for path in found], records)
    unread = scan[scan["sha256"] == ""]
    problems = [
        Problem(name, "a photograph", what, "remove it") for name, what in unread[["sample_id", "problem"]].values
    ]
    if not found:
        problems.append(Problem(str(folder), "photographs", "none", "correct `unlabelled`, or pull it"))
    refuse_any(DataError, problems)
    near = params.read_value("datasets", dataset, "validate", "thresholds")
    bits, least = near["near_radius_bits"], near["near_correlation"]
    refuse_any(LeakageError, held_out.repeated(scan, _held_out(dataset), radius_bits=bits, min_correlation=least))
    return found


def _held_out(dataset: str) -> pd.DataFrame:
    splits = [contract.read_split(dataset, split, purpose="exclude") for split in contract.PURPOSES["exclude"]]
    scan = io.read_table(paths.quality(dataset, "scan"))
    return scan[scan["sample_id"].isin(pd.concat(splits)["sample_id"]) & (scan["sha256"] != "")]


if __name__ == "__main__":
    main(run)
