"""What the commands of `vouch curate` take from the preset of data sets, or from the data set that a person names."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vouch.curation.annotation.bundle_check import Agreement
from vouch.curation.catalogue.limits import Limits
from vouch.curation.retraining.unlabelled import Gain
from vouch.curation.taxonomy.taxonomy import Near
from vouch.params import Section, load, preset_file, read_value
from vouch.presets import DATASET

Table = Annotated[Path, typer.Argument(metavar="ROWS", help="CSV of the benchmark; it is edited in place.")]
DataSet = Annotated[
    str | None, typer.Option(help="Take the parameters of this data set instead of those of the preset.")
]


class Params(Section):
    """`datasets.D.curate`."""

    fetch: Limits
    near_words: Near
    retrain: Gain
    check: Agreement


def limits(dataset: str | None) -> Limits:
    """Return what an answer of the web may take."""
    if dataset is None:
        return load(Params, "curate", path=preset_file(DATASET)).fetch
    return load(Params, "datasets", dataset, "curate").fetch


def gain(dataset: str) -> Gain:
    """Return what makes a label of a data set worth asking for."""
    return load(Params, "datasets", dataset, "curate").retrain


def agreement(dataset: str) -> Agreement:
    """Return when two reviewers of a data set say the same."""
    return load(Params, "datasets", dataset, "curate").check


def max_megapixels(dataset: str | None) -> float:
    """Return the megapixels of a photograph that are read at most."""
    return float(_value(dataset, "scan", "max_megapixels"))


def near(dataset: str | None) -> tuple[int, float]:
    """Return when two photographs are near duplicates: bits of their hashes, correlation of their thumbnails."""
    thresholds = _value(dataset, "validate", "thresholds")
    return int(thresholds["near_radius_bits"]), float(thresholds["near_correlation"])


def _value(dataset: str | None, *keys: str) -> Any:
    if dataset is None:
        return read_value(*keys, path=preset_file(DATASET))
    return read_value("datasets", dataset, *keys)
