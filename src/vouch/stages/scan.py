"""Decode every photograph of a data set once: what is wrong with it, pixel statistics, hashes.

Reads       data/manifests/D/samples.parquet, the photographs
Writes      data/quality/D/scan.parquet
Fails when  never because of a photograph: what cannot be decoded is a row that says why, and `validate` judges it
"""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field
from rich.console import Console
from rich.progress import track

from vouch import io, paths
from vouch.params import Section, load
from vouch.quality import images
from vouch.stages import main
from vouch.vision.images.formats import MOST_MEGAPIXELS


class Params(Section):
    """`datasets.D.scan`."""

    # a header that claims more is refused before decoding; what no model would read need not be scanned
    max_megapixels: Annotated[float, Field(gt=0, le=MOST_MEGAPIXELS)]


def run(dataset: str) -> None:
    """Scan one data set."""
    params = load(Params, "datasets", dataset, "scan")
    samples = io.read_table(paths.manifest(dataset, "samples"))
    photographs = [Path(image) for image in samples["image"]]
    workers = len(os.sched_getaffinity(0))  # where it runs changes nothing in the table
    records = images.scan(photographs, max_megapixels=params.max_megapixels, workers=workers)
    console = Console(stderr=True)
    shown = track(records, "scan", len(photographs), console=console, disable=not console.is_terminal)
    io.write_table(paths.quality(dataset, "scan"), images.tabulate(samples["sample_id"].tolist(), list(shown)))


if __name__ == "__main__":
    main(run)
