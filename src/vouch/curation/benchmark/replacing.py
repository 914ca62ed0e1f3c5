"""Empty places, and the row in the place of a rejected one: alike for `suggest` and `manifest`, so none fills twice."""

import re

from vouch.curation.benchmark.rows import Rows

AGAIN = re.compile(r"(.+)\.([2-9]|[1-9]\d{1,5})")  # the row that takes the place of a rejected one: r7, then r7.2, r7.3


def empty_places(rows: Rows) -> dict[int, dict[str, str] | None]:
    """Return the rows with an empty place: what of `replacements` would fill it, None where the row itself can.

    Those are the wanted rows without photograph and url, and they come first: to fill one adds no row.
    """
    named = [bool(one or other) for one, other in zip(rows.column("photograph"), rows.column("url"), strict=True)]
    statuses = zip(rows.column("status"), named, strict=True)
    wanted = {index: None for index, (status, full) in enumerate(statuses) if status == "wanted" and not full}
    return {**wanted, **replacements(rows)}


def replacements(rows: Rows) -> dict[int, dict[str, str]]:
    """Return, for each rejected row that no other has replaced, the cells of the one that would, but for its status.

    It has the same class, negative and strata, and a `row_id` of its own.
    """
    known = set(rows.column("row_id"))
    last: dict[str, int] = {}  # of those that took a place: r7.3 holds that of r7 also where a person took r7.2 out
    for stem, number in (_place(row_id, known) for row_id in known):
        last[stem] = max(last.get(stem, 1), number)
    kept = ("class", "negative", *rows.strata)
    found = {}
    for index, (row_id, status) in enumerate(zip(rows.column("row_id"), rows.column("status"), strict=True)):
        stem, number = _place(row_id, known)
        if status == "rejected" and number == last[stem]:
            found[index] = {"row_id": f"{stem}.{number + 1}", **{name: rows.cell(index, name) for name in kept}}
    return found


def _place(row_id: str, known: set[str]) -> tuple[str, int]:
    """Return whose place a row has, by the first row's name, and the how many-th it is in it.

    >>> _place("r7", {"r7"}), _place("r7.2", {"r7", "r7.2"}), _place("v1.2", {"v1.2"})
    (('r7', 1), ('r7', 2), ('v1.2', 1))
    """
    match = AGAIN.fullmatch(row_id)
    return (match[1], int(match[2])) if match and match[1] in known else (row_id, 1)
