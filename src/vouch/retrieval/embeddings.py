"""Embeddings as directions: what a network gave, checked and scaled to length 1."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vouch.errors import DataError, Problem, refuse_any

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

LEAST_NORM = 1e-12  # networks give lengths of 1 to 100; what is shorter than this has no direction
REMEDY = "look at the photograph and at the network"


def directions(embeddings: npt.ArrayLike, *, width: int | None = None, samples: Sequence[str] = ()) -> FloatArray:
    """Return embeddings scaled to length 1, float64 of shape (n, e).

    Parameters
    ----------
    embeddings : array, shape (n, e)
    width : int, optional
        What e must be.
    samples : sequence of str, length n
        The names under which problems are told; without, embeddings have numbers from 0.

    Raises
    ------
    DataError
        Where they are no table of numbers of this width; or naming every embedding that holds NaN or infinity, or is 0.
    """
    table = np.asarray(embeddings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != (width or table.shape[-1]) or table.shape[1] == 0:
        expected = f"embeddings of shape (n, {width or 'e'})"
        raise DataError([Problem("embeddings", expected, f"shape {table.shape}", "take those of the gallery's model")])
    finite: BoolArray = np.isfinite(table).all(axis=1).reshape(-1)
    scale = np.abs(np.where(finite[:, None], table, 1.0)).max(axis=1, initial=LEAST_NORM)[:, None]
    norms = scale[:, 0] * np.linalg.norm(np.where(finite[:, None], table, 1.0) / scale, axis=1)  # no square overflows
    refuse_any(DataError, _problems(finite, norms, samples))
    unit: FloatArray = table / norms[:, None]
    return unit


def _problems(finite: BoolArray, norms: FloatArray, samples: Sequence[str]) -> list[Problem]:
    def name(row: int) -> str:
        return samples[row] if len(samples) else f"embedding {row}"

    odd, short = np.flatnonzero(~finite).tolist(), np.flatnonzero(~(norms > LEAST_NORM)).tolist()
    problems = [Problem(name(row), "an embedding of finite numbers", "NaN or infinity", REMEDY) for row in odd]
    return problems + [Problem(name(row), "an embedding with a direction", "length 0", REMEDY) for row in short]
