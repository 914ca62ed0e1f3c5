"""Run a detector and an embedder together on val_test, with the bundles that ship, and count products.

Reads   models/{detector,identifier}/bundle; manifest and photographs of D; split val_test
Writes  data/predictions/S/{val_test,facings}.parquet: counts by photograph and product, and by shelf row;
        data/predictions/S/objects.parquet: every object found, with its box
Fails   when a bundle does not check or is another model's, both do not go together, or a photograph cannot be used
"""

from typing import Annotated

from pydantic import Field

from vouch import io, params, paths
from vouch.evaluation import composition
from vouch.params import Section
from vouch.splits import contract
from vouch.stages import main
from vouch.systems.bundle import open_parts
from vouch.systems.counted import counted
from vouch.systems.rows import rows_of
from vouch.vision.images.source import files, required
from vouch.vision.progress import shown


class Params(Section):
    """systems.S.compose."""

    batch: Annotated[int, Field(ge=1)]  # photographs that a thread keeps decoded


def run(name: str, dataset: str, detector: str, identifier: str) -> None:
    """Count what the system says of val_test against what is there."""
    section = params.load(Params, "systems", name, "compose")
    _, system = open_parts({"detector": detector, "identifier": identifier})
    members = contract.read_split(dataset, "val_test", purpose="predict")
    samples = members.merge(io.read_table(paths.manifest(dataset, "samples")), on="sample_id", validate="one_to_one")
    answers = required(counted(system, files(samples["image"]), batch=section.batch))
    rows = rows_of(samples, shown(answers, len(samples), "compose val_test"))
    boxes = io.read_table(paths.manifest(dataset, "boxes"))
    found = composition.objects(*rows[:2], boxes, rows.sizes, products=system.products)
    io.write_table(paths.objects(name), rows.objects)
    io.write_table(paths.counts(name), composition.counts(found))
    io.write_table(paths.facings(name), composition.facings(found))


if __name__ == "__main__":
    main(run)
