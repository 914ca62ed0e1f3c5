"""Products that count as unknown: what training must never see, one part to fix the threshold by, another to judge."""

from collections.abc import Mapping, Sequence

import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.names import closest
from vouch.tables import products_of


def misplaced(
    table: pd.DataFrame, samples: pd.DataFrame, boxes: pd.DataFrame, unknown: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the photographs that show an unknown product outside its own split, and why: `sample_id`, `reason`.

    Parameters
    ----------
    table : DataFrame
        `sample_id` and `split` of every photograph.
    samples, boxes : DataFrame
        As in `tables`. A box shows its `product`, where there is that column, else its class; a photograph its label.
    unknown : mapping
        Split to the products that it alone may show.

    Raises
    ------
    DataError
        Naming each product that no photograph shows.
    """
    shown = pd.concat(
        [
            boxes[["sample_id"]].assign(product=products_of(boxes)),
            samples[["sample_id"]].assign(product=samples["label"]),
        ]
    ).dropna()
    known, remedy = set(shown["product"]), "name a product, or a class where none is stated"
    refuse_any(
        DataError,
        [
            Problem(f"split.unknown_products.{split}", remedy, product, closest(product, known))
            for split, names in unknown.items()
            for product in names
            if product not in known
        ],
    )
    home = {product: split for split, names in unknown.items() for product in names}
    strange = shown[shown["product"].isin(home)].merge(table[["sample_id", "split"]], on="sample_id")
    strange = strange[strange["product"].map(home) != strange["split"]].drop_duplicates("sample_id")
    reasons = [f"unknown product: {product}, for {home[product]} alone" for product in strange["product"].tolist()]
    return pd.DataFrame({"sample_id": strange["sample_id"].to_numpy(), "reason": reasons}, dtype="str")
