"""The split lock: which group is in which split, kept for ever, as a lock file keeps packages."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import LeakageError, Problem, refuse_any
from vouch.paths import SPLITS

HEADER = ["group", "split"]


def parse(content: bytes, where: str) -> dict[str, str]:
    """Return the split of every group that a lock file names.

    Parameters
    ----------
    content : bytes
        The file: UTF-8 CSV with the header `group,split`.
    where : str
        Its name, for the messages.

    Raises
    ------
    LeakageError
        Listing every malformed row (a merge conflict's marks among them), unknown split and group named twice.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise LeakageError([Problem(where, "UTF-8 CSV", str(error), "restore the file from git")]) from error
    refuse_any(LeakageError, [*_malformed(rows, where), *_repeated(rows, where)])
    return {row[0]: row[1] for row in rows[1:]}


def extend(
    lock: Mapping[str, str], nodes: Iterable[str], split_of_node: NDArray[np.int8], *, known: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return the lock with the new groups added, sorted; nothing that it held moves or goes.

    Parameters
    ----------
    lock : mapping
        Group to split, as it was.
    nodes : iterable of str
        Groups in the data.
    split_of_node : int8 array (n_nodes,)
        Position in SPLITS of each.
    known : bool array (n_nodes,)
        Which of them the lock held already.
    """
    added = {node: SPLITS[split] for node, split, old in zip(nodes, split_of_node, known, strict=True) if not old}
    rows = sorted({**added, **lock}.items())
    return pd.DataFrame(rows, columns=HEADER, dtype="str")


def _malformed(rows: list[list[str]], where: str) -> list[Problem]:
    problems = []
    if not rows or rows[0] != HEADER:
        got = ",".join(rows[0]) if rows else "an empty file"
        problems.append(Problem(f"{where}:1", "the header group,split", got, "restore the file from git"))
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(HEADER) or row[1] not in SPLITS:
            expected = f"a group and one of {', '.join(SPLITS)}"
            problems.append(Problem(f"{where}:{number}", expected, ",".join(row), "restore the row from git"))
    return problems


def _repeated(rows: list[list[str]], where: str) -> list[Problem]:
    counts = Counter(row[0] for row in rows[1:] if row)
    repeated = {group for group, count in counts.items() if count > 1}
    places: dict[str, list[str]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if row and row[0] in repeated:
            places.setdefault(row[0], []).append(f"{row[-1]} in line {number}")
    remedy = "keep the row that git's history has first"
    return [Problem(f"{where}: {group}", "one row", ", ".join(got), remedy) for group, got in places.items()]
