"""What a benchmark should hold: so many rows of each item in each cell of the strata, and of each negative."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Annotated

from pydantic import Field

from vouch.curation.benchmark.replacing import empty_places, replacements
from vouch.curation.benchmark.row_labels import items_of
from vouch.curation.benchmark.rows import IDENTITY, WRITTEN, Rows, changed
from vouch.curation.taxonomy.taxonomy import Taxonomy, by_word, leaves
from vouch.curation.taxonomy.words import folded, slug
from vouch.errors import DataError, ParamsError, Problem, refuse_any
from vouch.names import Name, closest, shown
from vouch.params import Section, check
from vouch.tables import STRATUM

Count = Annotated[int, Field(ge=0, le=10**6)]
Value = Annotated[str, Field(min_length=1, max_length=120)]
Cell = tuple[str, tuple[str, ...]]  # id of an item, and a value of each stratum
MOST_ROWS = 10**6  # that a parameter file may ask for
REJECTED = "rejected"


class Wanted(Section):
    """A parameter file of `vouch curate manifest` and `coverage`."""

    strata: Mapping[Name, Annotated[tuple[Value, ...], Field(min_length=1)]]  # crossed: each value of each with each
    rows_per_class: Count  # in each cell
    rows_per_negative: Count  # in each cell
    rows_of: Mapping[str, Count]  # items, by id or word, that need more or fewer


def read_wanted(content: object, where: str, taxonomy: Taxonomy) -> Wanted:
    """Return the parameters of a benchmark of this taxonomy.

    Raises
    ------
    DataError
        Listing unknown, missing and impossible keys, items that are not in the taxonomy or stand above others, values
        that stand twice, and a product of everything that is beyond a million rows.
    """
    try:
        wanted = check(Wanted, content, where)
    except ParamsError as error:
        raise DataError(error.problems) from error
    refuse_any(DataError, _problems(wanted, where, taxonomy))
    return wanted


def cells(taxonomy: Taxonomy, wanted: Wanted) -> dict[Cell, int]:
    """Return how many rows each cell should have: items and negatives that stand above no other, by strata."""
    known = by_word(taxonomy)
    of = {(known.get(word) or known[folded(word)]).id: count for word, count in wanted.rows_of.items()}
    needs = {one.id: wanted.rows_per_class for one in leaves(taxonomy, negative=False)}
    needs |= {one.id: wanted.rows_per_negative for one in leaves(taxonomy, negative=True)}
    values = list(product(*wanted.strata.values()))
    return {(name, cell): of.get(name, count) for name, count in sorted(needs.items()) for cell in values}


def columns(wanted: Wanted) -> tuple[str, ...]:
    """Return the columns of a table that starts without rows."""
    return (*IDENTITY, *(STRATUM + name for name in wanted.strata), *WRITTEN)


def cells_of(rows: Rows, taxonomy: Taxonomy, wanted: Wanted) -> list[Cell | None]:
    """Return the cell of each row; None where it is rejected, leaves a stratum empty, or shows that a class is absent.

    Raises
    ------
    DataError
        For classes as `items_of` does, and listing columns of strata that are missing and values that the parameters
        do not have.
    """
    every = _every_cell(rows, taxonomy, wanted)
    return [None if status == REJECTED else cell for cell, status in zip(every, rows.column("status"), strict=True)]


def _every_cell(rows: Rows, taxonomy: Taxonomy, wanted: Wanted) -> list[Cell | None]:
    """Return what `cells_of` does, and the cell of a rejected row too."""
    items = items_of(rows, taxonomy)
    refuse_any(DataError, _strata_problems(rows, wanted))
    strata = [rows.column(STRATUM + name) for name in wanted.strata]
    values: list[tuple[str, ...]] = list(zip(*strata, strict=True)) if strata else [()] * len(rows)
    refuse_any(DataError, _value_problems(rows, wanted, values))
    return [
        None if item.negative is not (negative == "true") or not all(cell) else (item.id, cell)
        for item, cell, negative in zip(items, values, rows.column("negative"), strict=True)
    ]


def extended(rows: Rows, taxonomy: Taxonomy, wanted: Wanted) -> Rows:
    """Return the table with a row of status `wanted` for each that a cell lacks; what is there stays as it is.

    The first ones take the places of rejected rows, under the names that `suggest` would give them: it adds none then.

    Raises
    ------
    DataError
        As `cells_of` does.
    """
    held = Counter(cell for cell in cells_of(rows, taxonomy, wanted) if cell is not None)
    rejected = _replaced(rows, _every_cell(rows, taxonomy, wanted))
    taken = {*rows.column("row_id"), *(row["row_id"] for places in rejected.values() for row in places)}
    negative = {one.id: str(one.negative).lower() for one in taxonomy.items}
    added = []
    for cell, count in cells(taxonomy, wanted).items():
        name, values = cell
        ids = _free(name, values, held[cell], taken)
        strata = {STRATUM + key: value for key, value in zip(wanted.strata, values, strict=True)}
        lacking = max(count - held[cell], 0)
        again = rejected[cell][:lacking]
        added += [{**row, "status": "wanted"} for row in again]
        for _ in range(lacking - len(again)):
            row = {"row_id": next(ids), "class": name, "negative": negative[name], **strata, "status": "wanted"}
            added.append(row)
    return changed(rows, {}, added)


def open_places(rows: Rows, taxonomy: Taxonomy, wanted: Wanted) -> frozenset[int]:
    """Return the rows whose empty places may be filled: no cell gets more filled rows than the parameters ask for.

    Wanted rows come first, for to fill one adds none. Of rows in no cell nothing is asked: their places are open.

    Raises
    ------
    DataError
        As `cells_of` does.
    """
    every, empty = _every_cell(rows, taxonomy, wanted), empty_places(rows)
    room: Counter[Cell | None] = Counter(cells(taxonomy, wanted))
    filled = {index for index, status in enumerate(rows.column("status")) if status != REJECTED} - {*empty}
    room.subtract(every[index] for index in filled)
    found = set()
    for index in empty:
        cell = every[index]
        if cell is None or room[cell] > 0:
            found.add(index)
            room.subtract([cell])
    return frozenset(found)


def _replaced(rows: Rows, cells: Sequence[Cell | None]) -> Mapping[Cell, list[dict[str, str]]]:
    """Return what may take the places of rejected rows, by their cells."""
    found: dict[Cell, list[dict[str, str]]] = defaultdict(list)
    for index, row in replacements(rows).items():
        cell = cells[index]
        if cell is not None:
            found[cell].append(row)
    return found


def _free(name: str, values: tuple[str, ...], held: int, taken: set[str]) -> Iterator[str]:
    """Yield ids of rows of one cell that no row has, counted on from those that are there."""
    stem, number = "-".join([name, *(slug(value) or "x" for value in values)]), held
    while True:
        number += 1
        if (one := f"{stem}-{number:03d}") not in taken:
            taken.add(one)
            yield one


def _problems(wanted: Wanted, where: str, taxonomy: Taxonomy) -> Iterator[Problem]:
    known, lowest = by_word(taxonomy), {one.id for side in (True, False) for one in leaves(taxonomy, negative=side)}
    first: dict[str, str] = {}
    for word in wanted.rows_of:
        item, here = known.get(word) or known.get(folded(word)), f"{where}: rows_of.{word}"
        if item is None:
            yield Problem(here, "an item of the taxonomy", shown(word), closest(word, lowest))
        elif item.id not in lowest:
            yield Problem(here, "an item above no other", "a heading", "name the items below it")
        elif first.setdefault(item.id, word) != word:
            yield Problem(here, "each item once", f"{first[item.id]}, which is the same", "remove one")
    size = 1
    for name, values in wanted.strata.items():
        size *= len(values)
        if len(set(values)) < len(values):
            yield Problem(f"{where}: strata.{name}", "each value once", ", ".join(values), "remove one")
    most = size * len(lowest) * max(wanted.rows_per_class, wanted.rows_per_negative, *wanted.rows_of.values(), 1)
    if most > MOST_ROWS:
        yield Problem(where, f"at most {MOST_ROWS:,} rows", f"up to {most:,}", "ask for fewer strata or rows")


def _strata_problems(rows: Rows, wanted: Wanted) -> Iterator[Problem]:
    for name in wanted.strata:
        if STRATUM + name not in rows.strata:
            remedy = closest(STRATUM + name, rows.strata) if rows.strata else "add it"
            yield Problem(f"{rows.table.where}:1", f"the column {STRATUM}{name}", "none of this name", remedy)


def _value_problems(rows: Rows, wanted: Wanted, values: Sequence[tuple[str, ...]]) -> Iterator[Problem]:
    known = [(name, frozenset(each), ", ".join(each)) for name, each in wanted.strata.items()]
    for index, cell in enumerate(values):
        for (name, allowed, told), value in zip(known, cell, strict=True):
            if value and value not in allowed:
                here = f"{rows.where(index)}: {STRATUM}{name}"
                yield Problem(here, f"one of {told}, or nothing", shown(value), closest(value, allowed))
