"""corrections.csv of a source: what a person found wrong in its labels, kept beside them and applied by `ingest`.

One row a photograph: `image` (its path in the source) and `label`, a class of the data set, or `drop`, which leaves the
photograph out. The label files stay as they came.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping

from vouch.errors import Problem
from vouch.names import closest
from vouch.sources.records import Record
from vouch.sources.tree import Tree

FILE = "corrections.csv"
HEADER = ["image", "label"]
DROP = "drop"


def read(tree: Tree) -> tuple[dict[str, str], list[Problem]]:
    """Return the corrections of a source by photograph, none where it has no file of them, and its problems."""
    if FILE not in tree.files:
        return {}, []
    text = tree.text(FILE)
    if isinstance(text, Problem):
        return {}, [text]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return {}, [Problem(FILE, "well-formed CSV", str(error), "restore it, or write it with `vouch review-labels`")]
    if not rows or rows[0] != HEADER:
        got = ",".join(rows[0]) if rows else "an empty file"
        return {}, [Problem(f"{FILE}:1", "the header image,label", got, "restore it; other tables need another name")]
    found: dict[str, str] = {}
    problems = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(HEADER):
            problems.append(Problem(f"{FILE}:{number}", "an image and a label", ",".join(row), "complete the row"))
        elif row[0] in found:
            problems.append(Problem(f"{FILE}:{number}", "one row per photograph", f"{row[0]} again", "remove one"))
        else:
            found[row[0]] = row[1]
    return found, problems


def correction_problems(
    corrections: Mapping[str, str], records: Iterable[Record], classes: Collection[str]
) -> Iterator[Problem]:
    """Yield corrections that cannot be: of no photograph, to no class, or of boxes, which a class cannot correct."""
    known = {record.image: record for record in records}
    for image, label in corrections.items():
        where = f"{FILE}: {image}"
        if image not in known:
            yield Problem(where, "a photograph of the source", "none of this name", "remove the row")
        elif label != DROP and known[image].label is None:
            got = f"{label!r} for one with boxes or without any label"
            yield Problem(where, f"`{DROP}` for a photograph without a class of its own", got, "correct its label file")
        elif label != DROP and label not in classes:
            yield Problem(where, f"`{DROP}` or a class of the data set", repr(label), closest(label, classes))
        elif label == DROP and DROP in classes:
            yield Problem(where, f"a class or `{DROP}`", f"`{DROP}`, which is both", "rename that class")
