"""What of a data set nobody may learn from: the photographs and groups of val_select, val_calib and val_test."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from vouch import io, paths
from vouch.errors import Problem, WorkspaceError, refuse_any
from vouch.splits.contract import read_split
from vouch.tables import group_columns

VALIDATION = ("val_select", "val_calib", "val_test")


@dataclass(frozen=True)
class HeldOut:
    """What was scanned of all photographs and of those held out, and each value of a leakage key of the latter."""

    scan: pd.DataFrame
    validation: pd.DataFrame
    groups: Mapping[tuple[str, str], str]  # column `group_...` and value, to the split

    def split_of(self, groups: Mapping[str, str]) -> tuple[str, str] | None:
        """Return the first leakage key, as key=value, that lies in a validation split, and the split; else None."""
        found = ((item, self.groups.get(item)) for item in sorted(groups.items()))
        return next(((f"{item[0]}={item[1]}", split) for item, split in found if split), None)


def held_out(dataset: str) -> HeldOut:
    """Return what must not be learned from; members are read to be excluded, no answer and no label is.

    Raises
    ------
    WorkspaceError
        When the data set has not been scanned and split.
    """
    tables = [paths.manifest(dataset, "samples"), paths.quality(dataset, "scan")]
    needed = [*tables, *(paths.split(dataset, name) for name in VALIDATION)]
    expected, remedy = "what must not be learned from", f"run `dvc repro split@{dataset}`"
    missing = (Problem(str(path), expected, "no file", remedy) for path in needed if not path.is_file())
    refuse_any(WorkspaceError, missing)
    samples, scan = (io.read_table(path) for path in tables)
    usable = scan[scan["sha256"] != ""].reset_index(drop=True)
    members = {
        name: split for split in VALIDATION for name in read_split(dataset, split, purpose="exclude")["sample_id"]
    }
    groups = {
        (key, str(value)): members[name]
        for key in group_columns(samples)
        for name, value in zip(samples["sample_id"], samples[key], strict=True)
        if name in members
    }
    return HeldOut(usable, usable[usable["sample_id"].isin(members.keys())].reset_index(drop=True), groups)
