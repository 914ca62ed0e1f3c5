"""The prototypes of a product: one is the mean of its directions, several are the centres of its clusters."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

ROUNDS = 100  # of moving the centres; clusters of some hundred embeddings stand still after 5 to 20


def prototypes(unit: FloatArray, most: int, rng: np.random.Generator) -> FloatArray:
    """Return up to `most` prototypes of one product, float64 of shape (p, d), not yet scaled to length 1.

    One is the mean. More are the centres of spherical k-means (Dhillon, Modha 2001), started by k-means++ on the cosine
    distance; never more than there are different embeddings, and a cluster that empties is dropped.

    Parameters
    ----------
    unit : float64 array, shape (n, d), n > 0
        Directions.
    most : int
        At least 1.
    """
    most = min(most, len(np.unique(unit, axis=0))) if most > 1 else 1
    if most == 1:
        mean: FloatArray = unit.mean(axis=0, keepdims=True)
        return mean
    nearest = (unit @ _started(unit, most, rng).T).argmax(axis=1)
    for _ in range(ROUNDS):
        centres = _means(unit, nearest)
        lengths = np.linalg.norm(centres, axis=1, keepdims=True)
        moved = (unit @ np.divide(centres, lengths, out=centres.copy(), where=lengths > 0).T).argmax(axis=1)
        if np.array_equal(moved, nearest):
            break
        nearest = moved
    return _means(unit, nearest)


def _means(unit: FloatArray, nearest: npt.NDArray[np.intp]) -> FloatArray:
    """Return the mean of each cluster that holds anything."""
    _, code = np.unique(nearest, return_inverse=True)
    sums = np.zeros((code.max() + 1, unit.shape[1]))
    np.add.at(sums, code, unit)
    means: FloatArray = sums / np.bincount(code)[:, None]
    return means


def _started(unit: FloatArray, most: int, rng: np.random.Generator) -> FloatArray:
    """Return the first centres: each next one with a chance in proportion to its distance from those before."""
    chosen = [int(rng.integers(len(unit)))]
    distance = np.full(len(unit), np.inf)
    for _ in range(1, most):
        distance = np.minimum(distance, np.maximum(1 - unit @ unit[chosen[-1]], 0.0))
        distance[chosen] = 0.0
        if distance.sum() <= 0:
            break
        chosen.append(int(rng.choice(len(unit), p=distance / distance.sum())))
    return unit[chosen]
