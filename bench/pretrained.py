"""What starting weights are worth on few real photographs: from scratch, frozen, fine-tuned, on the same split.

    PYTHONPATH=src python bench/pretrained.py train grocery_packages fine_tuned --photographs ../shared/realdata
    PYTHONPATH=src python bench/pretrained.py table

`train` trains with the functions that the stages call, outside the graph: val_select chooses the epoch, and what would
ship answers val_test once; --rehearse answers val_select instead, which is how settings were found. `table` prints
accuracy with 95 % intervals over groups, paired differences from the first way, and minutes, of all that was trained.

- grocery_packages: the authors' split; a group is five photographs of a product with consecutive numbers.
- trashnet: no split is published. A group is ten photographs of a material with consecutive numbers, for one thing was
  photographed several times in a row; .6 of the groups of each material train, .1 choose, the others judge.
"""

import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from vouch import io, params
from vouch.evaluation.metrics.intervals import group_weights
from vouch.evaluation.metrics.shares import share_interval
from vouch.params import read_params
from vouch.training import weights as weights_files
from vouch.training.backbones.frozen import start_of
from vouch.training.classification import features, training
from vouch.training.classification.cached import Cached
from vouch.training.classification.params import CachedTraining, ClassifierTraining, Extraction
from vouch.training.frameworks import framework
from vouch.training.images import batches

ROOT = Path(__file__).parent.parent
BLOCKS = {"grocery_packages": 5, "trashnet": 10}  # consecutive numbers that make a group
LITE0 = {"name": "tf_efficientnet_lite0", "options": {}, "attention": "sdpa"}
HALF_RESNET = {
    "name": "resnet10t",
    "options": {"channels": [32, 64, 128, 256], "stem_width": 16},
    "attention": "sdpa",
}
LOSS = {"kind": "cross_entropy", "smoothing": 0.1, "class_weights": "none", "aux_weight": 0.0, "gate_folds": 0}
WAYS = {  # over the preset of classifiers
    "from_scratch": {"backbone": HALF_RESNET, "epochs": 30, "loss": LOSS},  # as `vouch new` has it without such weights
    "fine_tuned": {
        "backbone": LITE0,
        "epochs": 10,
        "batch": 16,
        "learning_rate": 0.001,
        "layer_decay": 0.9,
        "loss": LOSS,
    },
    "frozen": {
        "backbone": LITE0,
        "epochs": 60,
        "batch": 32,
        "learning_rate": 0.001,
        "weight_decay": 0.05,
        "loss": LOSS,
    },
}
SIZE_PX = 224
REPLICATES = 2000


def rows_of(name, photographs):
    """Return one row per photograph: image, label, group, split."""
    table = pd.read_csv(photographs / name / "manifest.csv")
    number = table["file"].map(lambda file: int(re.search(r"(\d+)[.]\w+$", file)[1]))
    split = table.get("split", pd.Series("", index=table.index))
    table["group"] = split + "/" + table["label"] + "/" + (number // BLOCKS[name]).astype(str)
    table["image"] = [str(photographs / name / file) for file in table["file"]]
    if name == "grocery_packages":
        table["split"] = split.map({"train": "train", "val": "val_select", "test": "val_test"})
    else:
        table["split"] = table["group"].map(_dealt(table))
    return table.assign(sample_id=table["file"]).sort_values("file", ignore_index=True)


def _dealt(table):
    rng, dealt = np.random.default_rng(1), {}
    for _, groups in table.groupby("label")["group"]:
        names = rng.permutation(sorted(set(groups)))
        ends = np.round(np.array([0.6, 0.7]) * len(names)).astype(int)
        for part, split in zip(np.split(names, ends), ("train", "val_select", "val_test"), strict=True):
            dealt |= dict.fromkeys(part, split)
    return dealt


def section_of(way, wanted, change):
    """Return the preset of classifiers with a way's settings over it."""
    preset = read_params(ROOT / "presets/classify.yaml")["train_classifier"]
    laid = preset | WAYS[way] | {"size_px": SIZE_PX} | change
    laid["backbone"] = WAYS[way]["backbone"] | change.get("backbone", {})
    laid["views"] = preset["views"] | {"side_px": laid["size_px"]}
    laid |= {"patience_epochs": laid["epochs"], **({} if "threads" in change else {"threads": wanted.threads})}
    return laid | {"seed": wanted.seed, "resume": True}


def trained(way, parts, classes, laid, start, scratch):
    """Train one way and return what the stage would write."""
    album = training.Album(classes, train=parts["train"], val_select=parts["val_select"])
    if way != "frozen":
        return training.train(album, params.check(ClassifierTraining, laid, way), start, scratch)
    kept = {
        name: laid[name] for name in ("backbone", "size_px", "views", "precision", "batch", "device", "threads", "seed")
    }
    extraction = params.check(Extraction, kept | {"storage": "float32"}, way)
    frozen, architecture = features.backbone(extraction, start)
    cached = [
        Cached(features.extract(frozen, parts[split].images, extraction), parts[split].class_ids, parts[split].groups)
        for split in ("train", "val_select")
    ]
    fitting = params.check(CachedTraining, {name: laid[name] for name in CachedTraining.model_fields}, way)
    described = features.describe(frozen, architecture, extraction), frozen.state_dict()
    return training.train_cached(*cached, fitting, described, classes)


def answers(found, images):
    """Return the class index that what would ship gives each photograph."""
    network = framework("classify", found.description["framework"]).network(found.description, found.tensors)
    source = batches.canvases(images, found.description["size_px"])
    with torch.no_grad():
        tables = [network(batch) for batch in batches.in_order(source, len(images), 16, "cpu")]
    return torch.cat(tables)[:, : len(found.description["classes"])].argmax(dim=1).numpy()


def train(wanted):
    """Train one way on one set and keep its answers."""
    rows = rows_of(wanted.set, wanted.photographs)
    classes = tuple(sorted(set(rows["label"])))
    splits = {split: table for split, table in rows.groupby("split")}
    parts = {split: batches.labelled(table, classes, where=split) for split, table in splits.items()}
    start = "none" if wanted.way == "from_scratch" else start_of(wanted.start)
    begun = time.perf_counter(), time.process_time()
    name = f"{wanted.set}.{wanted.tag or wanted.way}"
    laid = section_of(wanted.way, wanted, json.loads(wanted.change))
    found = trained(wanted.way, parts, classes, laid, start, wanted.folder / "scratch" / name)
    spent = {"minutes": (time.perf_counter() - begun[0]) / 60, "cpu_minutes": (time.process_time() - begun[1]) / 60}
    judge = "val_select" if wanted.rehearse else "val_test"
    given = answers(found, parts[judge].images)
    table = splits[judge][["sample_id", "group"]].assign(true=parts[judge].class_ids, answer=given)
    spent["accuracy"] = float((table["true"] == table["answer"]).mean())
    wanted.folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(wanted.folder / f"{name}.{judge}.csv", index=False)
    io.write_json(wanted.folder / f"{name}.{judge}.json", {**spent, "settings": laid})
    print(name, judge, {key: round(value, 4) for key, value in spent.items()})
    weights_files.write(wanted.folder / name, found.tensors, found.description)


def table(wanted):
    """Print what every way gave on val_test, and how far it is from the first."""
    for name in BLOCKS:
        kept = {
            path.name.split(".")[1]: pd.read_csv(path) for path in sorted(wanted.folder.glob(f"{name}.*.val_test.csv"))
        }
        first = None
        for way in sorted(kept, key=lambda way: (way != "from_scratch", way)):
            right = (kept[way]["true"] == kept[way]["answer"]).to_numpy(dtype=float)
            codes, groups = pd.factorize(kept[way]["group"])
            hits, counts = np.bincount(codes, right), np.bincount(codes).astype(float)
            low, high = share_interval(hits, counts, correlation=0.0, level=0.95)
            said = json.loads((wanted.folder / f"{name}.{way}.val_test.json").read_text())
            line = f"| {name} | {way} | {right.mean():.3f} [{low:.3f}, {high:.3f}] | {_gain(hits, counts, first)} |"
            print(f"{line} {said['cpu_minutes']:.1f} | {len(right)} in {len(groups)} groups |")
            first = hits if first is None else first


def _gain(hits, counts, first):
    if first is None:
        return ""
    weights = group_weights(len(hits), replicates=REPLICATES, rng=np.random.default_rng(1))
    drawn = weights @ (hits - first) / (weights @ counts)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{(hits - first).sum() / counts.sum():+.3f} [{low:+.3f}, {high:+.3f}]"


def main():
    """Train one way, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("train")
    one.add_argument("set", choices=BLOCKS)
    one.add_argument("way", choices=WAYS)
    one.add_argument("--photographs", type=Path, default=ROOT.parent / "shared/realdata")
    one.add_argument("--start", default="models/architectures/lite0.yaml")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--threads", type=int, default=2)
    one.add_argument("--change", default="{}", help="settings over those of the way, as JSON")
    one.add_argument("--tag", help="name to keep the answers under; the way's own without it")
    one.add_argument("--rehearse", action="store_true", help="answer val_select, and leave val_test alone")
    one.set_defaults(run=train)
    both = commands.add_parser("table")
    both.set_defaults(run=table)
    for command in (one, both):
        command.add_argument("--folder", type=Path, default=Path("/tmp/pretrained"))
    wanted = parser.parse_args()
    wanted.run(wanted)


if __name__ == "__main__":
    main()
