"""PCA whitening: directions in which products differ little count as much as those in which they differ most.

y = L^(-1/2) V' (x - m): m the mean, V the eigenvectors of the largest eigenvalues of the covariance S of x (Jegou, Chum
2012, "Negative evidences and co-occurences in image retrieval", section 3). The eigenvalues in L are those of
(1 - g) S + g t I, t their mean and g by Ledoit and Wolf (2004, "A well-conditioned estimator for large-dimensional
covariance matrices"), which needs no parameter: from few embeddings the smallest ones are noise, up to 0, and one over
their root would be all that counts.
"""

import numpy as np
import numpy.typing as npt

from vouch.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]


def whitening(unit: FloatArray, components: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean, shape (e,), and the projection, shape (e, components), that whiten directions.

    Each column's sign is such that its largest entry is positive, so that no other machine turns it.

    Parameters
    ----------
    unit : float64 array, shape (n, e)
    components : int
        How many dimensions are kept, at least 1.

    Raises
    ------
    DataError
        When n embeddings, or e dimensions, hold fewer components; or the embeddings are all the same.
    """
    n, width = unit.shape
    most = min(n - 1, width)
    if not 1 <= components <= most:
        got = f"{n} of width {width}, which hold {max(most, 0)}"
        remedy = "lower `whiten`, or add photographs"
        raise DataError([Problem("embeddings", f"enough for {components} whitened components", got, remedy)])
    mean = unit.mean(axis=0)
    centred = unit - mean
    covariance = centred.T @ centred / n
    if np.trace(covariance) <= np.finfo(np.float64).eps:
        raise DataError([Problem("embeddings", "embeddings that differ", "all the same", "look at the network")])
    values, vectors = np.linalg.eigh(covariance)
    share = shrinkage(centred, covariance)
    kept = (1 - share) * np.maximum(values[::-1][:components], 0.0) + share * float(np.trace(covariance)) / width
    columns = vectors[:, ::-1][:, :components]
    signs = np.sign(columns[np.abs(columns).argmax(axis=0), np.arange(components)])
    return mean, columns * signs / np.sqrt(kept)


def shrinkage(centred: FloatArray, covariance: FloatArray) -> float:
    """Return the share in [0, 1] of the mean eigenvalue in each, by Ledoit and Wolf (2004, lemma 3.2 to 3.5)."""
    n, width = centred.shape
    scatter = float((covariance**2).sum())
    distance = scatter / width - (float(np.trace(covariance)) / width) ** 2
    squares = centred**2
    error = (float(np.vecdot(squares.sum(axis=1), squares.sum(axis=1))) / n - scatter) / (n * width)
    return 1.0 if distance <= 0 else float(np.clip(error / distance, 0.0, 1.0))
