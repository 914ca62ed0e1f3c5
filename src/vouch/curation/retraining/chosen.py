"""The table of photographs that were chosen to be labelled: `curate retrain` writes it, `curate bundle` reads it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vouch.curation.benchmark import csv_text
from vouch.curation.benchmark.csv_text import Table
from vouch.curation.benchmark.rows import NEGATIVE
from vouch.curation.retraining.unlabelled import SILENT, Unlabelled, unsure
from vouch.errors import DataError, Problem, refuse_any
from vouch.names import shown

COLUMNS = ("photograph", "sha256", "row_id", "class", "negative", "said", "confidence", "unsure_bits", "gain", "why")
KEPT = ("source", "license")


def encoded_choice(path: Path, picked: Sequence[Unlabelled], hashes: Sequence[str], gain: NDArray[np.float64]) -> bytes:
    """Return the table as a CSV, the first choice first.

    Parameters
    ----------
    hashes : sha256 of each photograph's file
    gain : float64 (n,)

    Raises
    ------
    DataError
        Listing every cell that a spreadsheet would calculate, or that no table can hold.
    """
    stated = sorted({name for one in picked for name in (*one.strata, *one.groups)})
    columns = [*COLUMNS, *stated, *KEPT]
    rows = [_cells(one, digest, float(worth)) for one, digest, worth in zip(picked, hashes, gain, strict=True)]
    refuse_any(DataError, (problem for row in rows for problem in csv_text.cell_problems(row, row["photograph"])))
    lines = [[row.get(name, "") for name in columns] for row in rows]
    return csv_text.encoded(csv_text.with_rows(csv_text.new(str(path), columns), lines))


def read_choice(path: Path) -> Table:
    """Return the table of a choice.

    Raises
    ------
    DataError
        Listing everything: what `csv_text.read` refuses, a column that is missing, a photograph that stands twice, a
        `negative` that is neither true nor false.
    """
    table = csv_text.read(path)
    missing = [name for name in (*COLUMNS[:5], *KEPT) if name not in table.columns]
    got, remedy = ", ".join(table.columns), "write it with `vouch curate retrain`"
    refuse_any(DataError, (Problem(f"{path}:1", f"a column {name}", got, remedy) for name in missing))
    names = table.column("photograph")
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    problems = [Problem(f"{path}: {name}", "each photograph once", "it again", "remove one") for name in twice]
    problems += [  # a spreadsheet that saves the table writes TRUE, and a negative is to stay one
        Problem(f"{table.place(index)}: negative", "true or false", shown(said), "write one of them")
        for index, said in enumerate(table.column("negative"))
        if said not in NEGATIVE
    ]
    refuse_any(DataError, problems)
    return table


def stated_in(table: Table, prefix: str, index: int) -> dict[str, str]:
    """Return what a row states in columns with a prefix, `group_` or `stratum_`, without the empty ones."""
    cells = dict(zip(table.columns, table.records[index].cells, strict=True))
    return {name.removeprefix(prefix): cell for name, cell in cells.items() if name.startswith(prefix) and cell}


def _cells(one: Unlabelled, digest: str, worth: float) -> dict[str, str]:
    said = one.said
    why = SILENT if said is None and one.name and not one.negative else one.reason
    return {
        "photograph": one.photograph,
        "sha256": digest,
        "row_id": one.row_id,
        "class": one.name,
        "negative": str(one.negative).lower(),
        "said": "" if said is None else said.name,
        "confidence": "" if said is None else f"{said.confidence:.6f}",
        "unsure_bits": f"{unsure(one):.3f}",
        "gain": f"{worth:.3f}",
        "why": why,
        **one.strata,
        **one.groups,
        "source": one.source,
        "license": one.license,
    }
