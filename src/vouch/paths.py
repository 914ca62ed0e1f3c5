"""Where things lie, relative to the repository root, which is the working directory of every stage."""

from pathlib import Path
from typing import Final

SPLITS = ("train", "val_select", "val_calib", "val_test")
SIDES = ("candidate", "baseline")
# top folders that stages, `vouch import`, `vouch promote`, DVC and git write: no place for what a person asks for
OWNED = frozenset({".dvc", ".git", "data", "metrics", "models", "plots", "registry", "reports", "splits"})
GALLERY: Final = "gallery.safetensors"  # in models/M and in bundles: what an embedder compares crops with
SCRATCH = Path(".dvc/tmp/vouch")  # locks, checkpoints of interrupted training: never an output


def source(dataset: str) -> Path:
    """Folder of a data set's sources; each sub-folder is one named source."""
    return Path("data/sources", dataset)


def manifest(dataset: str, table: str) -> Path:
    """Table `samples` or `boxes` of a data set."""
    return Path("data/manifests", dataset, f"{table}.parquet")


def quality(dataset: str, table: str) -> Path:
    """Table `scan`, `issues` or `clusters` of a data set."""
    return Path("data/quality", dataset, f"{table}.parquet")


def split_lock(dataset: str) -> Path:
    """The lock file that keeps groups in their split."""
    return Path("splits", f"{dataset}.lock.csv")


def split(dataset: str, name: str) -> Path:
    """The samples of one split, with their groups."""
    return Path("data/splits", dataset, f"{name}.csv")


def model(name: str, file: str = "") -> Path:
    """Folder of a model, or one file in it."""
    return Path("models", name, file)


def additions(name: str) -> Path:
    """What a person added to a model's gallery, or took out of it; the photographs lie beside it."""
    return Path("data/gallery", name, "additions.csv")


def curation(file: str) -> Path:
    """Photographs that `vouch curate` fetched, by their content, and answers that it keeps for a day."""
    return Path("data/curation", file)


def registry(name: str) -> Path:
    """The bundle that is the model's baseline."""
    return Path("registry", name, "bundle")


def predictions(name: str, side: str, split_name: str) -> Path:
    """The waist: one side's prediction table on one split."""
    return Path("data/predictions", name, side, f"{split_name}.parquet")


def counts(system: str) -> Path:
    """The waist of a system: its counts of products on val_test."""
    return Path("data/predictions", system, "val_test.parquet")


def baseline_counts(system: str) -> Path:
    """What the baselines of its two models together count on val_test."""
    return Path("data/predictions", system, "baseline/val_test.parquet")


def facings(system: str) -> Path:
    """The same counts by shelf row; empty where boxes state no rows."""
    return Path("data/predictions", system, "facings.parquet")


def objects(system: str) -> Path:
    """Every object that a system found on val_test, with its box and what it was called."""
    return Path("data/predictions", system, "objects.parquet")


def review_queue(name: str) -> Path:
    """Answers of a model or system that a person should look at; it only grows."""
    return Path("data/review_queue", name)


def by_group(name: str) -> Path:
    """Rows of train and val_select, each from a network that never saw the row's group."""
    return Path("data/predictions", name, "by_group.parquet")


def metrics(name: str, file: str) -> Path:
    """A metrics file of a model or data set, kept in git."""
    return Path("metrics", name, f"{file}.json")


def plots(name: str, file: str) -> Path:
    """A table or picture for `dvc plots`."""
    return Path("plots", name, file)


def report(name: str) -> Path:
    """Folder of a model's page."""
    return Path("reports", name)
