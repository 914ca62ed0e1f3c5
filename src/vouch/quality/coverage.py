"""Is there enough of everything: counts of classes and strata against what is required."""

from collections.abc import Mapping
from typing import Annotated

import pandas as pd
from pydantic import Field

from vouch.params import Section
from vouch.quality.checks import WHOLE_DATASET, make_issues
from vouch.tables import STRATUM, stratum_columns

Count = Annotated[int, Field(ge=1)]


class ClassCoverage(Section):
    """What one class needs."""

    min_count: Count  # objects (photographs of the class, in a classification source), in all and in each value below
    strata: Mapping[str, tuple[str, ...]]  # stratum to the values in which the class must occur


class Coverage(Section):
    """What a data set needs."""

    min_components: Annotated[int, Field(ge=4)]  # independent groups: four splits need four
    min_samples: Count  # photographs in each value below
    strata: Mapping[str, tuple[str, ...]]  # stratum to the values that must occur
    classes: Mapping[str, ClassCoverage]  # the closed list of classes


def count_objects(samples: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Return one row an object, box or label of a whole photograph: `sample_id`, `class_name`, `stratum_*`."""
    labelled = samples[["sample_id", "label"]].rename(columns={"label": "class_name"}).dropna()
    objects = pd.concat([boxes[["sample_id", "class_name"]], labelled], ignore_index=True)
    return objects.merge(samples[["sample_id", *stratum_columns(samples)]], on="sample_id", how="inner")


def measure(samples: pd.DataFrame, boxes: pd.DataFrame, required: Coverage) -> dict[str, dict[str, int]]:
    """Count every class, stratum value and pair of the two, found or required.

    Parameters
    ----------
    samples, boxes : DataFrame
        As in `tables`, without quarantined samples.
    required : Coverage

    Returns
    -------
    dict
        "stream=cabin", "class=phone" or "class=phone,stream=cabin" to `count` and `required` (0: nothing is).
    """
    objects = count_objects(samples, boxes)
    counts = {f"class={name}": int(count) for name, count in objects["class_name"].value_counts().items()}
    for column in stratum_columns(samples):
        name = column.removeprefix(STRATUM)
        counts |= {f"{name}={value}": int(count) for value, count in samples[column].value_counts().items()}
        cells = "class=" + objects["class_name"] + f",{name}=" + objects[column]
        counts |= {str(cell): int(count) for cell, count in cells.value_counts().items()}
    needs = _needs(required)
    return {cell: {"count": counts.get(cell, 0), "required": needs.get(cell, 0)} for cell in sorted({*counts, *needs})}


def coverage_findings(
    cells: Mapping[str, Mapping[str, int]], n_components: int, required: Coverage
) -> list[pd.DataFrame]:
    """Return what the counts of `measure` lack, and whether there are enough independent groups."""
    short = [
        f"{cell}: {counts['count']} of {counts['required']}"
        for cell, counts in cells.items()
        if counts["count"] < counts["required"]
    ]
    few = [f"{n_components} of {required.min_components}"] if n_components < required.min_components else []
    return [
        make_issues(pd.Series([WHOLE_DATASET] * len(got)), name, pd.Series(got, dtype="str"))
        for name, got in (("missing_coverage", short), ("few_groups", few))
    ]


def _needs(required: Coverage) -> dict[str, int]:
    needs = {f"{name}={value}": required.min_samples for name, values in required.strata.items() for value in values}
    for label, wanted in required.classes.items():
        needs[f"class={label}"] = wanted.min_count
        pairs = [(name, value) for name, values in wanted.strata.items() for value in values]
        needs |= {f"class={label},{name}={value}": wanted.min_count for name, value in pairs}
    return needs
