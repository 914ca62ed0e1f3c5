"""additions.csv: what a person added to a gallery or took out of it, in the order in which it was done.

One row a photograph: `product`, `photograph` (its file below photographs/, beside the table) and `sha256`, the hash of
that file. A row without a photograph takes the product out. Rows of one product that follow each other are one
addition. `vouch gallery` writes the table; it is kept in git, and the photographs by DVC.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from vouch.documents import DocumentError, decoded, read_bytes
from vouch.errors import DataError, Problem, refuse_any
from vouch.io import sha256
from vouch.names import PATH, shown
from vouch.vision.images.source import Image, files

HEADER = ["product", "photograph", "sha256"]
PHOTOGRAPHS = "photographs"  # folder beside the table
MAX_BYTES = 2**26  # of the table: half a million photographs
RESTORE = "restore the table from git; `vouch gallery` writes it"


@dataclass(frozen=True)
class Addition:
    """A product that was added, with its photographs and their hashes, or taken out: then it has none."""

    product: str
    photographs: tuple[tuple[Path, str], ...]

    @property
    def removed(self) -> bool:
        """Whether the product was taken out."""
        return not self.photographs


def read_additions(table: Path) -> list[Addition]:
    """Return what was added and taken out, in order; nothing where there is no table.

    Raises
    ------
    DataError
        Listing every row that is not of the form, and a table that is no CSV.
    """
    if not table.exists():
        return []
    try:
        text = decoded(read_bytes(table, str(table), max_bytes=MAX_BYTES), str(table))
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except DocumentError as error:
        raise DataError(error.problems) from error
    except csv.Error as error:
        raise DataError([Problem(str(table), "well-formed CSV", str(error), RESTORE)]) from error
    if not rows or rows[0] != HEADER:
        got = ",".join(rows[0]) if rows else "an empty file"
        raise DataError([Problem(f"{table}:1", f"the header {','.join(HEADER)}", got, RESTORE)])
    refuse_any(
        DataError, [one for number, row in enumerate(rows[1:], 2) for one in _problems(row, f"{table}:{number}")]
    )
    folder = table.parent / PHOTOGRAPHS
    return [
        Addition(product, tuple((folder / name, digest) for _, name, digest in part) if added else ())
        for (product, added), part in groupby(rows[1:], lambda row: (row[0], bool(row[1])))
    ]


def to_text(additions: Iterable[Addition]) -> str:
    """Return the table as text, as `read_additions` reads it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADER)
    for one in additions:
        writer.writerows([[one.product, "", ""]] if one.removed else _rows(one))
    return stream.getvalue()


def added_images(addition: Addition) -> tuple[Image, ...]:
    """Return the photographs of an addition, which must be those that were added.

    Raises
    ------
    DataError
        Naming each that is absent or has another hash.
    """
    problems = []
    for path, digest in addition.photographs:
        got = sha256(path) if path.is_file() else "no file"
        if got != digest:
            problems.append(Problem(str(path), f"sha256 {digest}", got, "run `dvc checkout`, or add the product again"))
    refuse_any(DataError, problems)
    return files(path for path, _ in addition.photographs)


def _rows(addition: Addition) -> list[list[str]]:
    return [[addition.product, path.name, digest] for path, digest in addition.photographs]


def _problems(row: list[str], where: str) -> list[Problem]:
    if len(row) != len(HEADER):
        return [Problem(where, ", ".join(HEADER), shown(",".join(row)), RESTORE)]
    product, name, digest = row
    problems = []
    if not product.strip() or product != product.strip():
        problems.append(Problem(f"{where}: product", "a name without outer spaces", shown(product), RESTORE))
    if bool(name) != bool(digest):
        got = shown(f"{name},{digest}")
        problems.append(Problem(where, "a photograph and its hash, or neither", got, RESTORE))
    if name and ("/" in name or not PATH.fullmatch(name)):
        problems.append(Problem(f"{where}: photograph", "the name of a file", shown(name), RESTORE))
    return problems
