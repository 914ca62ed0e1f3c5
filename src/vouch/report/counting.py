"""What a system's page says of its counts: product by product, and where they were worst."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.metrics.strata import CLASS
from vouch.report.formatting import in_order, metric
from vouch.report.strata import Json

ERROR = "count_mae"
BY_PRODUCT = (ERROR, "count_bias", "exact_count_rate")
MOST_PHOTOGRAPHS = 6  # about 200 kB of page each
MOST_NAMED = 8  # products of a caption


@dataclass(frozen=True)
class Miscount:
    """A photograph on which counts are off: by how many objects in all, and the products, the worst first."""

    sample_id: str
    image: str
    off: int
    products: tuple[tuple[str, int, int], ...]  # name, said, there


def products(counts: pd.DataFrame, measured: Json) -> dict[str, Any]:
    """Return a row for each product that is there or was said to be, the largest error first, with its cells.

    Parameters
    ----------
    counts : table
        `tables.COUNTS`.
    measured : map
        counts.json: {metric: {stratum: cell}}.
    """
    names = [name for name in BY_PRODUCT if name in measured]
    sums = counts.groupby("class", sort=True)[["n_true", "n_pred"]].sum()
    rows = [
        {
            "name": product,
            "n_true": int(row["n_true"]),
            "n_pred": int(row["n_pred"]),
            "cells": [measured[name].get(f"{CLASS}={product}") for name in names],
        }
        for product, row in sums.iterrows()
        if row["n_true"] or row["n_pred"]
    ]
    return {"metrics": [metric(name) for name in names], "rows": sorted(rows, key=_largest_first)}


def _largest_first(row: Mapping[str, Any]) -> tuple[float, str]:
    cell = row["cells"][0] if row["cells"] else None
    return (-cell["value"] if cell is not None and cell["value"] is not None else 0.0, row["name"])


def of_strata(measured: Json) -> dict[str, dict[str, Any]]:
    """Return counts.json without its products, which have a table of their own."""
    return {
        name: {where: cell for where, cell in strata.items() if not where.startswith(f"{CLASS}=")}
        for name, strata in measured.items()
    }


def by_row(facings: Json, measured: Json) -> list[dict[str, Any]]:
    """Return each metric of the whole set by shelf row, and by photograph beside it; nothing where no row is stated."""
    return [
        {"metric": metric(name), "row": facings[name]["all"], "photograph": measured.get(name, {}).get("all")}
        for name in in_order(facings)
    ]


def worst(counts: pd.DataFrame, samples: pd.DataFrame) -> list[Miscount]:
    """Return the six photographs whose counts are off by most objects, the worst first; none that is right.

    Parameters
    ----------
    counts : table
        `tables.COUNTS`.
    samples : columns sample_id and image

    Raises
    ------
    DataError
        Naming each counted photograph that the manifest does not have.
    """
    absent = sorted(set(counts["sample_id"]) - set(samples["sample_id"]))
    remedy = "run `dvc repro` of compose again"
    refuse_any(DataError, [Problem("counts", "a sample of the manifest", name, remedy) for name in absent])
    images = dict(zip(samples["sample_id"], samples["image"], strict=True))
    off = (counts["n_pred"] - counts["n_true"]).abs()
    summed = off.groupby(counts["sample_id"], sort=True).sum().sort_values(ascending=False, kind="stable")
    found = summed[summed > 0].head(MOST_PHOTOGRAPHS)
    return [
        Miscount(str(sample), str(images[sample]), int(total), tuple(_wrong(counts[counts["sample_id"] == sample])))
        for sample, total in found.items()
    ]


def _wrong(counts: pd.DataFrame) -> Iterator[tuple[str, int, int]]:
    rows = zip(counts["class"], counts["n_pred"].astype(int), counts["n_true"].astype(int), strict=True)
    yield from sorted((row for row in rows if row[1] != row[2]), key=lambda row: (-abs(row[1] - row[2]), row[0]))


def caption(miscount: Miscount) -> str:
    """Return what is wrong on a photograph: each product with what was said and what is there.

    >>> caption(Miscount("a", "a.png", 3, (("cola", 3, 1), ("lime", 0, 1))))
    'a: off by 3. Said cola 3, there 1; lime 0, there 1'
    """
    shown = [f"{name} {said}, there {true}" for name, said, true in miscount.products[:MOST_NAMED]]
    more = len(miscount.products) - len(shown)
    also = f"; and {more} more" if more else ""
    return f"{miscount.sample_id}: off by {miscount.off}. Said {'; '.join(shown)}{also}"
