"""Names of products: what no two sources of a data set may spell in two ways; and boxes that share a place."""

from collections.abc import Iterator, Sequence

import pandas as pd

from vouch.errors import Problem, so_many
from vouch.names import respelled
from vouch.sources.descriptor import Descriptor
from vouch.sources.records import Reading
from vouch.sources.vocabulary import is_fit, is_formula
from vouch.tables import UNKNOWN


def product_problems(sources: Sequence[tuple[Descriptor, Reading]]) -> Iterator[Problem]:
    """Yield products that are no names, or formulas, and those that differ by case, composition or outer space."""
    first: dict[str, str] = {}  # product: where it is stated first
    for descriptor, reading in sources:
        for record in reading.records:
            for number, place in enumerate(record.places, start=1):
                if place.product is not None:
                    first.setdefault(place.product, f"{descriptor.name}: {record.where}: box {number}")
    for product, where in first.items():
        if not is_fit(product) or is_formula(product):  # predictions are CSV, too
            expected = "a product without control characters or outer spaces that no spreadsheet calculates"
            yield Problem(where, expected, f"{product!a}", "correct the name")
        elif product.casefold() == UNKNOWN:  # counts say it of what is no product
            remedy = "name none where nobody knows it, or call the product otherwise"
            yield Problem(where, f"a product not called {UNKNOWN}", product, remedy)
    for names in respelled(sorted(first)).values():
        places = ", ".join(f"{name!r} at {first[name]}" for name in names)
        yield Problem("products", "one spelling of each", places, "write the same name everywhere")


def shared_places(boxes: pd.DataFrame) -> tuple[str, ...]:
    """Say where two boxes of one photograph stand at one row and position: a stack perhaps, or a slip.

    Parameters
    ----------
    boxes : DataFrame
        As in `tables`.
    """
    if "row" not in boxes:
        return ()
    stated = boxes[boxes["row"].notna() & boxes["position"].notna()]
    again = stated[stated.duplicated(["sample_id", "row", "position"])]
    if again.empty:
        return ()
    one = again.iloc[0]
    count = so_many(len(again), "box")
    first = f"the first in {one['sample_id']}, row {one['row']}, position {one['position']}"
    return (f"{count} at the row and position of an earlier one in the same photograph, {first}",)
