"""Put every usable photograph into train, val_select, val_calib or val_test, and lock its groups there.

Reads       data/manifests/D/{samples,boxes}.parquet, data/quality/D/{scan,issues,clusters}.parquet,
            splits/D.lock.csv (its own output of the run before, kept)
Writes      splits/D.lock.csv, data/splits/D/{train,val_select,val_calib,val_test}.csv (with the hash of every
            photograph: who reads photographs of a split depends on it alone, and runs again when one of them changes),
            data/splits/D/aside.csv (every photograph that is in no split, and why)
Fails when  photographs join two locked splits (unless `bridge: quarantine`), a split stays empty, the lock is damaged,
            a stated split has no meaning, or those of one group allow no common split, or nothing shows an unknown
            product
"""

import sys
from typing import Annotated, Literal, Self

import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from vouch import io, paths
from vouch.errors import so_many
from vouch.params import Section, load
from vouch.splits import assignment, lock
from vouch.splits.unknown import misplaced
from vouch.stages import main


def _once(splits: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(splits)) != len(splits):
        raise ValueError("each split once")
    return splits


Word = Annotated[str, Field(min_length=1)]
Meaning = Annotated[
    tuple[Literal["train", "val_select", "val_calib", "val_test"], ...], Field(min_length=1), AfterValidator(_once)
]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Fractions(Section):
    """Wanted share of each split."""

    train: Fraction
    val_select: Fraction
    val_calib: Fraction
    val_test: Fraction

    @model_validator(mode="after")
    def _complete(self) -> Self:
        total = sum(self.model_dump().values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"fractions must add up to 1, they add up to {total:g}")
        return self


class Params(Section):
    """`datasets.D.split`."""

    fractions: Fractions
    seed: int  # breaks ties between equally good splits
    bridge: Literal["refuse", "quarantine"]  # what to do with a photograph that would join two locked splits
    # word that photographs state: splits that a new group with it may go to; {}: none mean any
    stated: dict[Word, Meaning]
    unknown_products: dict[Literal["val_calib", "val_test"], tuple[Word, ...]]  # that this split alone may show

    @model_validator(mode="after")
    def _one_home(self) -> Self:
        both = set(self.unknown_products.get("val_calib", ())) & set(self.unknown_products.get("val_test", ()))
        if both:
            raise ValueError(f"an unknown product has one split, {', '.join(sorted(both))} has two")
        return self


def run(dataset: str) -> None:
    """Split one data set."""
    params = load(Params, "datasets", dataset, "split")
    lock_path = paths.split_lock(dataset)
    locked = lock.parse(lock_path.read_bytes(), str(lock_path)) if lock_path.exists() else {}
    aside = assignment.quarantined(io.read_table(paths.quality(dataset, "issues")))
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    found = assignment.assign(
        samples[~samples["sample_id"].isin(aside["sample_id"])],
        boxes,
        io.read_table(paths.quality(dataset, "clusters")),
        locked,
        fractions=params.fractions.model_dump(),
        seed=params.seed,
        quarantine_bridges=params.bridge == "quarantine",
        meanings=params.stated,
    )
    strange = misplaced(found.table, samples, boxes, dict(params.unknown_products.items()))
    placed = found.table[~found.table["sample_id"].isin(strange["sample_id"])]
    contents = io.read_table(paths.quality(dataset, "scan"))[["sample_id", "sha256"]]
    for name, part in assignment.per_split(placed).items():
        pinned = part[["sample_id", "group"]].merge(contents, on="sample_id", validate="one_to_one")
        io.write_table(paths.split(dataset, name), pinned)
    io.write_table(paths.split(dataset, "aside"), assignment.list_aside(pd.concat([aside, strange]), found.aside))
    io.write_table(lock_path, found.lock)  # last: a run that breaks before has locked nothing
    sys.stderr.write(assignment.summarise(found, n_quarantined=len(aside), dataset=dataset) + "\n")
    if len(strange):
        sys.stderr.write(f"set aside: {so_many(len(strange), 'photograph')} of products that another split shows\n")


if __name__ == "__main__":
    main(run)
