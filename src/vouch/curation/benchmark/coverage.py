"""What a benchmark lacks: rows of each item in each cell of the strata, by how far they have come."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vouch.curation.benchmark.manifest import Cell, Wanted, cells, cells_of
from vouch.curation.benchmark.rows import STATUSES, Rows
from vouch.curation.taxonomy.label_map import LabelMap
from vouch.curation.taxonomy.taxonomy import Taxonomy

LABELLED = "labelled"


@dataclass(frozen=True)
class Covered:
    """One cell: how many rows it should have, and how many it has of each status."""

    item: str
    negative: bool
    strata: Mapping[str, str]
    wanted: int
    rows: Mapping[str, int]

    @property
    def missing(self) -> int:
        """How many rows still have to be labelled."""
        return max(0, self.wanted - self.rows.get(LABELLED, 0))


@dataclass(frozen=True)
class Coverage:
    """All cells, and the rows in none: rejected, with a stratum left empty, or without the class that they name."""

    cells: tuple[Covered, ...]
    outside: Mapping[str, int]  # by status

    @property
    def missing(self) -> int:
        """How many rows still have to be labelled, over all cells."""
        return sum(one.missing for one in self.cells)


def measure(rows: Rows, taxonomy: Taxonomy, wanted: Wanted) -> Coverage:
    """Count the rows of every cell, in time linear in the rows.

    A cell that nothing asks for and that rows lie in, as those of a heading, is told with `wanted` 0.

    Raises
    ------
    DataError
        As `manifest.cells_of` does.
    """
    needs = cells(taxonomy, wanted)
    counts: dict[Cell, Counter[str]] = {cell: Counter() for cell in needs}
    outside: Counter[str] = Counter()
    for cell, status in zip(cells_of(rows, taxonomy, wanted), rows.column("status"), strict=True):
        if cell is None:
            outside[status] += 1
        else:
            counts.setdefault(cell, Counter())[status] += 1
    negative = {one.id: one.negative for one in taxonomy.items}
    found = [
        Covered(name, negative[name], dict(zip(wanted.strata, values, strict=True)), needs.get(cell, 0), counts[cell])
        for cell in sorted(counts)
        for name, values in [cell]
    ]
    return Coverage(tuple(found), outside)


def by_item(found: Coverage) -> list[tuple[str, bool, int, dict[str, int], int]]:
    """Return for each item: its id, whether it is a negative, rows wanted, rows of each status, rows missing."""
    totals: dict[str, tuple[bool, int, Counter[str], int]] = {}
    for one in found.cells:
        negative, wanted, rows, missing = totals.get(one.item, (one.negative, 0, Counter(), 0))
        totals[one.item] = negative, wanted + one.wanted, rows + Counter(one.rows), missing + one.missing
    return [
        (name, negative, wanted, {status: rows[status] for status in STATUSES}, missing)
        for name, (negative, wanted, rows, missing) in sorted(totals.items())
    ]


def by_stratum(found: Coverage) -> list[tuple[str, int, int, int]]:
    """Return for each value of each stratum: its name, rows wanted, rows labelled and rows missing, over all items."""
    totals: dict[str, tuple[int, int, int]] = {}
    for one in found.cells:
        for name, value in one.strata.items():
            wanted, labelled, missing = totals.get(f"{name}={value}", (0, 0, 0))
            mine = one.rows.get(LABELLED, 0)
            totals[f"{name}={value}"] = wanted + one.wanted, labelled + mine, missing + one.missing
    return [(name, *counts) for name, counts in sorted(totals.items())]


def required(wanted: Mapping[Cell, int], strata: Iterable[str], label_map: LabelMap) -> list[dict[str, Any]]:
    """Return what the benchmark asks for as `validate.coverage.of_classes` of a data set: objects of each class.

    Classes that need the same stand together. A class's need in a value of a stratum is what its items need in
    all cells with that value; `validate` asks for one number in all values of a class, so the least of them is taken.
    """
    names = list(strata)
    needs: dict[str, dict[tuple[str, str], int]] = {}
    for (item, values), count in wanted.items():
        label = label_map.items[item].label if item in label_map.items else None
        if label is not None:
            mine = needs.setdefault(label, {})
            for pair in zip(names, values, strict=True) if names else [("", "")]:
                mine[pair] = mine.get(pair, 0) + count
    asked: dict[tuple[int, tuple[tuple[str, str], ...]], list[str]] = {}
    for label, mine in needs.items():
        held = {pair: count for pair, count in mine.items() if count}
        if held:
            asked.setdefault((min(held.values()), tuple(sorted(held))), []).append(label)
    return [
        {
            "classes": sorted(labels),
            "min_count": least,
            "strata": {
                name: [value for key, value in pairs if key == name] for name in sorted({key for key, _ in pairs})
            }
            if names
            else {},
        }
        for (least, pairs), labels in sorted(asked.items())
    ]
