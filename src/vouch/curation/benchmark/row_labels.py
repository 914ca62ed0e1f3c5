"""What the `class` of each row means in a taxonomy: negatives stay negative, and no word is guessed."""

from collections.abc import Iterator, Sequence
from functools import cache

from vouch.curation.benchmark.rows import Rows
from vouch.curation.taxonomy.taxonomy import Entry, Taxonomy, by_word
from vouch.curation.taxonomy.words import folded
from vouch.errors import DataError, Problem, refuse_any
from vouch.names import closest, shown


def items_of(rows: Rows, taxonomy: Taxonomy) -> list[Entry]:
    """Return the item that each row is about, by its id or any of its words.

    Raises
    ------
    DataError
        Listing each class that the taxonomy lacks, and each row of a negative item that does not say `negative`.
    """
    known = by_word(taxonomy)
    classes = rows.column("class")
    words = {name: known.get(name) or known.get(folded(name)) for name in set(classes)}  # some hundred, not 200,000
    items = [words[name] for name in classes]
    refuse_any(DataError, _problems(rows, items, sorted(one.id for one in taxonomy.items)))
    return [item for item in items if item is not None]


def _problems(rows: Rows, items: Sequence[Entry | None], ids: Sequence[str]) -> Iterator[Problem]:
    nearest = cache(lambda name: closest(name, ids))  # a thousand rows of one wrong word are one search
    classes, negatives = rows.column("class"), rows.column("negative")
    for index, (item, negative) in enumerate(zip(items, negatives, strict=True)):
        if item is None:
            name = classes[index]
            yield Problem(f"{rows.where(index)}: class", "an item of the taxonomy", shown(name), nearest(name))
        elif item.negative and negative != "true":
            remedy = "write true, or correct the class"
            yield Problem(f"{rows.where(index)}: negative", f"true, as {item.id} is a negative", negative, remedy)
