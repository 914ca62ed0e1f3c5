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

import pandas as pd

from vouch import io, paths
from vouch.errors import so_many
from vouch.params import load
from vouch.splits import assignment, lock
from vouch.splits.division import divide
from vouch.splits.params import Splitting
from vouch.stages import main


class Params(Splitting):
    """datasets.D.split."""


def run(dataset: str) -> None:
    """Split one data set."""
    params = load(Params, "datasets", dataset, "split")
    lock_path = paths.split_lock(dataset)
    locked = lock.parse(lock_path.read_bytes(), str(lock_path)) if lock_path.exists() else {}
    aside = assignment.quarantined(io.read_table(paths.quality(dataset, "issues")))
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    clusters = io.read_table(paths.quality(dataset, "clusters"))
    divided = divide(samples, boxes, clusters, locked, params, quarantined=aside["sample_id"])
    found, strange = divided.assignment, divided.misplaced
    contents = io.read_table(paths.quality(dataset, "scan"))[["sample_id", "sha256"]]
    for name, part in assignment.per_split(divided.table).items():
        pinned = part[["sample_id", "group"]].merge(contents, on="sample_id", validate="one_to_one")
        io.write_table(paths.split(dataset, name), pinned)
    io.write_table(paths.split(dataset, "aside"), assignment.list_aside(pd.concat([aside, strange]), found.aside))
    io.write_table(lock_path, found.lock)  # last: a run that breaks before has locked nothing
    sys.stderr.write(assignment.summarise(found, n_quarantined=len(aside), dataset=dataset) + "\n")
    if len(strange):
        sys.stderr.write(f"set aside: {so_many(len(strange), 'photograph')} of products that another split shows\n")
    sys.stderr.write("what these groups can show, before any training: vouch check MODEL\n")


if __name__ == "__main__":
    main(run)
