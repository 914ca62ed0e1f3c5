"""Products that count as unknown: what training must never see, one part to fix the threshold by, another to judge."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import DataError, Problem, refuse_any
from vouch.names import closest
from vouch.paths import SPLITS
from vouch.splits.components import Components
from vouch.splits.params import Home
from vouch.tables import products_of


def at_home(
    allowed: NDArray[np.bool_],
    samples: pd.DataFrame,
    boxes: pd.DataFrame,
    components: Components,
    unknown: Mapping[Home, Sequence[str]],
) -> NDArray[np.bool_]:
    """Return `allowed` with each component that shows unknown products of one split alone kept to that split.

    A component that shows anything else too, or whose photographs state other splits, stays as it is: `misplaced` says
    what of it must be set aside.

    Parameters
    ----------
    allowed : bool array (n_components, n_splits)
        Splits that each component may go to.
    samples : DataFrame
        As in `tables`, in the order of `components.of_sample`.
    boxes, components
    unknown : mapping
        Split to the products that it alone may show.
    """
    home = {product: split for split, names in unknown.items() for product in names}
    if not home:  # as of most data sets; a million photographs would take a second to say so
        return allowed
    component_of = pd.DataFrame({"sample_id": samples["sample_id"].to_numpy(), "component": components.of_sample})
    shown = _shown(samples, boxes).merge(component_of, on="sample_id")
    homes = pd.Series([home.get(product, "") for product in shown["product"]], dtype="str").groupby(shown["component"])
    alone = homes.first()[homes.nunique() == 1]
    found = allowed.copy()
    for split in unknown:
        bound = alone.index[alone == split].to_numpy()
        free = bound[allowed[bound, SPLITS.index(split)]]
        found[free] = np.isin(SPLITS, [split])
    return found


def misplaced(
    table: pd.DataFrame, samples: pd.DataFrame, boxes: pd.DataFrame, unknown: Mapping[Home, Sequence[str]]
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
    shown = _shown(samples, boxes)
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


def _shown(samples: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Return which photograph shows which product: `sample_id`, `product`."""
    of_boxes = boxes[["sample_id"]].assign(product=products_of(boxes))
    of_photographs = samples[["sample_id"]].assign(product=samples["label"])
    return pd.concat([of_boxes, of_photographs]).dropna().reset_index(drop=True)
