"""Count what a system's two baselines together say of the same val_test: what a candidate is compared with.

Both sides are counted by what the candidate's gallery knows: what it does not know is `unknown`, whoever says it. Where
either baseline looks at nothing, as before a first promotion, nothing is counted.

Reads   the bundles that are the baselines of both models, the gallery of models/{identifier}/bundle; manifest and
        photographs of D; split val_test
Writes  data/predictions/S/baseline/val_test.parquet: counts by photograph and product
Fails   when a bundle does not check, both baselines do not go together, or a photograph cannot be used
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from vouch import io, params, paths
from vouch.evaluation import composition
from vouch.release.opening import open_bundle
from vouch.retrieval.gallery_file import from_bytes
from vouch.splits import contract
from vouch.stages import main
from vouch.stages.compose import Params
from vouch.systems.counted import Counted, counted
from vouch.systems.rows import nothing_found, rows_of
from vouch.systems.system import system_of
from vouch.vision.images.source import files, required
from vouch.vision.progress import shown


def run(name: str, dataset: str, identifier: str, detector_baseline: str, identifier_baseline: str) -> None:
    """Count what the baseline of system S says of val_test."""
    section = params.load(Params, "systems", name, "compose")
    gallery = paths.model(identifier, "bundle") / paths.GALLERY
    products = from_bytes(gallery.read_bytes(), str(gallery)).products
    members = contract.read_split(dataset, "val_test", purpose="predict")
    samples = members.merge(io.read_table(paths.manifest(dataset, "samples")), on="sample_id", validate="one_to_one")
    answers = _answers(Path(detector_baseline), Path(identifier_baseline), samples, section.batch)
    rows = rows_of(samples, shown(answers, len(samples), "compose val_test, baseline"))
    named = rows.identifications
    named = named.assign(accept=named["accept"].astype(bool) & named["class_pred"].isin(products))
    boxes = io.read_table(paths.manifest(dataset, "boxes"))
    found = composition.objects(rows.detections, named, boxes, rows.sizes, products=products)
    io.write_table(paths.baseline_counts(name), composition.counts(found))


def _answers(detector: Path, identifier: Path, samples: pd.DataFrame, batch: int) -> Iterable[Counted]:
    opened = open_bundle(detector), open_bundle(identifier)
    if any(one.runtime is None for one in opened):
        return nothing_found(samples["image"])
    return required(counted(system_of(*opened), files(samples["image"]), batch=batch))


if __name__ == "__main__":
    main(run)
