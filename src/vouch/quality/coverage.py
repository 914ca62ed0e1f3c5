"""Is there enough of everything: counts of classes and strata against what is required."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
from pydantic import Field

from vouch.params import Section
from vouch.quality.checks import WHOLE_DATASET, make_issues
from vouch.tables import STRATUM, products_of, stratum_columns

Count = Annotated[int, Field(ge=1)]


class ClassCoverage(Section):
    """What some classes need beyond, or short of, what every class does."""

    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    min_count: Count  # in all and in each value below
    strata: Mapping[str, tuple[str, ...]]  # stratum to the values in which each of them must occur


class Coverage(Section):
    """What a data set needs: of every class and of every value of a stratum that it declares."""

    min_components: Annotated[int, Field(ge=4)]  # independent groups: four splits need four
    min_samples: Count  # photographs in each value of each stratum
    min_count: Count  # objects of each class (photographs of the class, in a classification source)
    min_images_per_product: Count | None  # crops, or photographs labelled as a whole; null: products are not counted
    of_classes: tuple[ClassCoverage, ...]


@dataclass(frozen=True)
class Required:
    """What a data set declares, and how much of it there has to be."""

    coverage: Coverage
    classes: tuple[str, ...]
    strata: Mapping[str, tuple[str, ...]]

    def faults(self) -> list[str]:
        """List the classes, strata and values that some classes should have and the data set does not declare."""
        named = {name for some in self.coverage.of_classes for name in some.classes}
        asked = {
            (name, value)
            for some in self.coverage.of_classes
            for name, values in some.strata.items()
            for value in values
        }
        known = {(name, value) for name, values in self.strata.items() for value in values}
        return [
            *(f"class {name}" for name in sorted(named - set(self.classes))),
            *(f"{name}={value}" for name, value in sorted(asked - known)),
        ]

    def counts(self) -> dict[str, int]:
        """Return how many there have to be in each cell, as `measure` names them."""
        asked = self.coverage
        needs = {f"{name}={value}": asked.min_samples for name, values in self.strata.items() for value in values}
        needs |= {f"class={name}": asked.min_count for name in self.classes}
        for some in asked.of_classes:
            for label in some.classes:
                pairs = [(name, value) for name, values in some.strata.items() for value in values]
                needs[f"class={label}"] = some.min_count
                needs |= {f"class={label},{name}={value}": some.min_count for name, value in pairs}
        return needs


def count_objects(samples: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Return one row an object, box or label of a whole photograph: `sample_id`, `class_name`, `stratum_*`."""
    labelled = samples[["sample_id", "label"]].rename(columns={"label": "class_name"}).dropna()
    objects = pd.concat([boxes[["sample_id", "class_name"]], labelled], ignore_index=True)
    return objects.merge(samples[["sample_id", *stratum_columns(samples)]], on="sample_id", how="inner")


def count_products(samples: pd.DataFrame, boxes: pd.DataFrame) -> dict[str, int]:
    """Return how many crops each product has: boxes of it, or of the class where none is stated, and photographs."""
    shown = pd.concat([products_of(boxes)[boxes["sample_id"].isin(samples["sample_id"])], samples["label"]]).dropna()
    return {str(name): int(count) for name, count in shown.value_counts().items()}


def measure(samples: pd.DataFrame, boxes: pd.DataFrame, required: Required) -> dict[str, dict[str, int]]:
    """Count every class, stratum value and pair of the two, found or required.

    Parameters
    ----------
    samples, boxes : DataFrame
        As in `tables`, without quarantined samples.
    required : Required

    Returns
    -------
    dict
        "stream=cabin", "class=phone", "class=phone,stream=cabin" or, where products are counted, "product=tea" to
        `count` and `required` (0: nothing is).
    """
    objects = count_objects(samples, boxes)
    counts = {f"class={name}": int(count) for name, count in objects["class_name"].value_counts().items()}
    for column in stratum_columns(samples):
        name = column.removeprefix(STRATUM)
        counts |= {f"{name}={value}": int(count) for value, count in samples[column].value_counts().items()}
        cells = "class=" + objects["class_name"] + f",{name}=" + objects[column]
        counts |= {str(cell): int(count) for cell, count in cells.value_counts().items()}
    needs = required.counts()
    least = required.coverage.min_images_per_product
    if least is not None:
        shown = count_products(samples, boxes)
        counts |= {f"product={name}": count for name, count in shown.items()}
        needs |= {f"product={name}": least for name in shown}
    return {cell: {"count": counts.get(cell, 0), "required": needs.get(cell, 0)} for cell in sorted({*counts, *needs})}


def coverage_findings(
    cells: Mapping[str, Mapping[str, int]], n_components: int, required: Required
) -> list[pd.DataFrame]:
    """Return what the counts of `measure` lack, and whether there are enough independent groups."""
    short = [
        f"{cell}: {counts['count']} of {counts['required']}"
        for cell, counts in cells.items()
        if counts["count"] < counts["required"]
    ]
    least = required.coverage.min_components
    few = [f"{n_components} of {least}"] if n_components < least else []
    return [
        make_issues(pd.Series([WHOLE_DATASET] * len(got)), name, pd.Series(got, dtype="str"))
        for name, got in (("missing_coverage", short), ("few_groups", few))
    ]
