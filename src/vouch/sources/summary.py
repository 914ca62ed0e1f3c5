"""What a manifest holds, counted."""

import pandas as pd

from vouch.sources.merge import Merged
from vouch.tables import GROUP, SPLIT_STATED, STRATUM, group_columns, stratum_columns

Line = tuple[str, str, int]  # heading, what, how many


def counted(manifest: Merged, left_out: int) -> list[Line]:
    """Count photographs, labels per class, groups, strata and what was left out, in the order of a report.

    Parameters
    ----------
    manifest
        Samples and boxes.
    left_out
        Photographs in the source's folder that no label names.
    """
    samples, boxes = manifest.samples, manifest.boxes
    lines: list[Line] = [("photographs", "all", len(samples))]
    lines += _values("photographs", samples["annotation"])
    lines += _values("boxes", boxes["class_name"]) + _values("labels", samples["label"].dropna())
    lines += [("groups", column.removeprefix(GROUP), samples[column].nunique()) for column in group_columns(samples)]
    for column in stratum_columns(samples):
        lines += _values(column.removeprefix(STRATUM), samples[column])
    if SPLIT_STATED in samples:
        lines += _values("stated split", samples[SPLIT_STATED].dropna())
    lines += [("left out", what, count) for what, count in manifest.dropped.items()]
    return [*lines, *([("left out", "photographs that no label names", left_out)] if left_out else [])]


def _values(heading: str, values: "pd.Series[str]") -> list[Line]:
    return [(heading, str(value), int(count)) for value, count in values.value_counts().sort_index().items()]
