"""What a gallery says of embeddings: the nearest product of each, how near it is, and how far ahead of the second."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vouch.retrieval.gallery import Gallery, transform
from vouch.retrieval.neighbours import nearest

SCALE = 32.0  # of cosines in the softmax that makes the raw score; the calibrator finds the right temperature
NEAREST = 32  # products that share the softmax: of two that near, further ones would take less than 1e-3
CANDIDATES = 5  # products that are named beside the nearest
ALONE = 2.0  # the margin where there is no second product: as far as two cosines can be apart
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Identified:
    """Of n crops, in their order.

    Attributes
    ----------
    product
        object (n,): the nearest product, None where the gallery is empty.
    score
        float64 (n,) in [0, 1]: its share of a softmax over the cosines to the nearest `NEAREST`.
    similarity
        float64 (n,) in [-1, 1]: the cosine to it, -1 where there is none.
    margin
        float64 (n,): that over the second product's, 0 or more.
    candidates
        For each crop up to `CANDIDATES` products with their cosines, the nearest first.
    """

    product: npt.NDArray[np.object_]
    score: FloatArray
    similarity: FloatArray
    margin: FloatArray
    candidates: tuple[tuple[tuple[str, float], ...], ...]


def identified(gallery: Gallery, embeddings: Sequence[FloatArray], samples: Sequence[str]) -> Identified:
    """Return what the gallery says; an empty one knows no product of any crop.

    Parameters
    ----------
    embeddings : sequence of arrays, shape (e,)
        As the network gave them.
    samples : sequence of str
        Their names, for a refusal.

    Raises
    ------
    DataError
        Naming each embedding that is not finite or has no direction.
    """
    count, names = len(embeddings), np.asarray(gallery.products, dtype=object)
    if not count or not len(names):
        none = np.full(count, None, dtype=object)
        return Identified(none, np.zeros(count), np.full(count, -1.0), np.zeros(count), ((),) * count)
    placed = transform(gallery, np.stack(embeddings), samples=samples)
    near = nearest(gallery, placed, k=min(NEAREST, len(names)))
    cosines = near.similarity.astype(np.float64)
    best = cosines[:, 0]
    second = cosines[:, 1] if len(names) > 1 else best - ALONE
    score = 1.0 / np.exp(SCALE * (cosines - best[:, None])).sum(axis=1)
    candidates = tuple(
        tuple(zip(names[places[:CANDIDATES]].tolist(), values[:CANDIDATES].tolist(), strict=True))
        for places, values in zip(near.product_index, cosines, strict=True)
    )
    return Identified(names[near.product_index[:, 0]], score, best, best - second, candidates)
