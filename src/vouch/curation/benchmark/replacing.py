"""The row that takes a rejected one's place: `suggest` and `manifest` call it alike, so no place is filled twice."""

import re

from vouch.curation.benchmark.rows import Rows

AGAIN = re.compile(r"(.+)\.([2-9]|[1-9]\d{1,5})")  # the row that takes the place of a rejected one: r7, then r7.2, r7.3


def replacements(rows: Rows) -> dict[int, dict[str, str]]:
    """Return, for each rejected row that no other has replaced, the cells of the one that would, but for its status.

    It has the same class, negative and strata, and a `row_id` of its own.
    """
    known = set(rows.column("row_id"))
    kept = ("class", "negative", *rows.strata)
    found = {}
    for index, (row_id, status) in enumerate(zip(rows.column("row_id"), rows.column("status"), strict=True)):
        if status == "rejected" and (after := _successor(row_id, known)) not in known:
            found[index] = {"row_id": after, **{name: rows.cell(index, name) for name in kept}}
    return found


def _successor(row_id: str, known: set[str]) -> str:
    """Return the row_id of what takes a rejected row's place.

    >>> _successor("r7", {"r7"}), _successor("r7.2", {"r7", "r7.2"}), _successor("v1.2", {"v1.2"})
    ('r7.2', 'r7.3', 'v1.2.2')
    """
    match = AGAIN.fullmatch(row_id)
    if match and match[1] in known:
        return f"{match[1]}.{int(match[2]) + 1}"
    return f"{row_id}.2"
