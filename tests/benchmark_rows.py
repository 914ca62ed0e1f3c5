"""Tables of a benchmark for tests: rows in few words."""

from vouch.curation.benchmark.rows import Rows, new_rows

COLUMNS = (
    "row_id", "class", "negative", "stratum_light", "photograph", "url", "source", "license", "status", "note",
)  # fmt: skip
WANTED = {"class": "can", "negative": "false", "status": "wanted"}


def table(*rows: dict[str, str]) -> Rows:
    """Return a table of these rows: cans that are wanted, r0, r1 ..., wherever a row does not say otherwise."""
    cells = [{"row_id": f"r{index}", **WANTED, **row} for index, row in enumerate(rows)]
    return new_rows("benchmark.csv", COLUMNS, cells)


def text(rows: Rows, *columns: str) -> list[tuple[str, ...]]:
    """Return the cells of some columns."""
    return list(zip(*map(rows.column, columns), strict=True))
