"""How a data set is to be divided, for tests that care for a part of it."""

from vouch.paths import SPLITS
from vouch.splits.params import Splitting


def asked(*fractions, **said):
    """Return a division by these fractions, by a seed alone but for what is said."""
    rest = {"seed": 1, "bridge": "refuse", "stated": {}, "unknown_products": {}}
    return Splitting.model_validate({"fractions": dict(zip(SPLITS, fractions, strict=True)), **rest, **said})
