"""All checks over one data set: issues, near-duplicate clusters and the figures of metrics/D/data.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.quality import checks, coverage, labels
from vouch.quality.duplicates import Duplicates, find_copies, find_duplicates
from vouch.splits.components import build_graph, find_components, no_clusters
from vouch.tables import STRATUM, group_columns, stratum_columns


@dataclass(frozen=True)
class Validation:
    """What is wrong with a data set, what belongs together in it, and what it holds."""

    issues: pd.DataFrame  # tables.ISSUES
    clusters: pd.DataFrame  # tables.CLUSTERS, without quarantined samples
    figures: dict[str, Any]


def validate(
    samples: pd.DataFrame,
    boxes: pd.DataFrame,
    scan: pd.DataFrame,
    *,
    thresholds: checks.Thresholds,
    severity: Mapping[str, str],
    required: coverage.Required,
) -> Validation:
    """Run every check, and measure what is left when the quarantined samples are set aside.

    Parameters
    ----------
    samples, boxes, scan : DataFrame
        As in `tables`, sorted by `sample_id`; `scan` has a row per sample.
    thresholds : Thresholds
    severity : mapping
        Check to block, quarantine or warn; names every check.
    required : Required

    Notes
    -----
    Duplicates are sought among the photographs that the checks before did not quarantine: a blank frame that is in no
    split cannot leak, and a hundred of them would chain a hundred drivers into one group. Exact copies are
    counted among all.
    """
    single = [
        *labels.image_findings(scan, thresholds),
        *labels.annotation_findings(samples, boxes, scan, classes=required.classes),
        *labels.box_findings(boxes, scan, thresholds, classes=required.classes),
    ]
    aside = checks.quarantined(checks.grade(single, severity))
    twice = _duplicates(_without(samples, aside), boxes, scan, thresholds)
    copies, counts = _copies(samples, scan, aside)
    set_aside = checks.quarantined(checks.grade([*single, *twice.findings], severity))
    kept, kept_boxes, clusters = (_without(table, set_aside) for table in (samples, boxes, twice.clusters))
    cells = coverage.measure(kept, kept_boxes, required)
    of_sample = find_components(build_graph(kept, clusters)).of_sample
    lacking = coverage.coverage_findings(cells, len(np.unique(of_sample)), required)
    issues = checks.grade([*single, *twice.findings, *copies, *lacking], severity)
    figures = {
        **_describe(kept, kept_boxes, of_sample),
        "quarantined": len(set_aside),
        "issues": _count_issues(issues, severity),
        "coverage": cells,
        "duplicates": {**twice.counts, **counts, "clusters": clusters["cluster"].nunique(), "clustered": len(clusters)},
        "metrics": _metrics(len(samples), len(set_aside), clusters, of_sample, lacking),
    }
    return Validation(issues, clusters, figures)


def _duplicates(
    samples: pd.DataFrame, boxes: pd.DataFrame, scan: pd.DataFrame, thresholds: checks.Thresholds
) -> Duplicates:
    """Seek duplicates among the samples that could be decoded."""
    decoded = scan.loc[scan["sha256"] != "", "sample_id"]
    sought = samples[samples["sample_id"].isin(decoded)].reset_index(drop=True)
    return find_duplicates(
        scan[scan["sample_id"].isin(sought["sample_id"])].reset_index(drop=True),
        labels.contents(sought, boxes[boxes["sample_id"].isin(sought["sample_id"])]),
        find_components(build_graph(sought, no_clusters())).of_sample,
        radius_bits=thresholds.near_radius_bits,
        min_correlation=thresholds.near_correlation,
    )


def _copies(samples: pd.DataFrame, scan: pd.DataFrame, aside: set[str]) -> tuple[list[pd.DataFrame], dict[str, int]]:
    """Seek exact copies among all samples that could be decoded, also those that are set aside."""
    decoded = scan[scan["sha256"] != ""].reset_index(drop=True)
    sought = samples[samples["sample_id"].isin(decoded["sample_id"])].reset_index(drop=True)
    home = find_components(build_graph(sought, no_clusters())).of_sample
    return find_copies(decoded, home, decoded["sample_id"].isin(aside).to_numpy())


def _without(table: pd.DataFrame, set_aside: set[str]) -> pd.DataFrame:
    return table[~table["sample_id"].isin(set_aside)].reset_index(drop=True)


def _describe(samples: pd.DataFrame, boxes: pd.DataFrame, of_sample: NDArray[np.int64]) -> dict[str, Any]:
    """Count what is usable: samples, boxes, groups, components, and what each class and stratum has of them."""
    objects = coverage.count_objects(samples, boxes)
    strata = {
        f"{column.removeprefix(STRATUM)}={value}": {
            "samples": len(part),
            "components": len(np.unique(of_sample[part.index])),
        }
        for column in stratum_columns(samples)
        for value, part in samples.groupby(column)
    }
    return {
        "samples": len(samples),
        "boxes": len(boxes),
        "negatives": int((samples["annotation"] == "negative").sum()),
        "components": len(np.unique(of_sample)),
        "groups": {column.removeprefix("group_"): samples[column].nunique() for column in group_columns(samples)},
        "classes": {
            str(name): {"objects": len(part), "samples": part["sample_id"].nunique()}
            for name, part in objects.groupby("class_name")
        },
        "strata": strata,
    }


def _count_issues(issues: pd.DataFrame, severity: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    counts = issues["check"].value_counts()
    return {name: {"severity": severity[name], "count": int(counts.get(name, 0))} for name in sorted(checks.CHECKS)}


def _metrics(
    n_samples: int, n_set_aside: int, clusters: pd.DataFrame, of_sample: NDArray[np.int64], lacking: list[pd.DataFrame]
) -> dict[str, dict[str, dict[str, float]]]:
    """Figures that a gate rule may name, over the whole set; a census, so without an interval."""
    n_kept, sizes = len(of_sample), np.bincount(of_sample)
    values = {
        "quarantined_fraction": n_set_aside / max(n_samples, 1),
        "near_duplicate_fraction": len(clusters) / max(n_kept, 1),
        "missing_coverage": sum(map(len, lacking)),
        "largest_component_fraction": int(sizes.max(initial=0)) / max(n_kept, 1),
    }
    return {
        name: {"all": {"value": value, "n_rows": n_samples, "n_groups": len(sizes)}} for name, value in values.items()
    }
