"""Thresholds between scores, so that the last bit of a float never decides who is accepted."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

NOISE = 1e-9  # scores nearer than this may be equal on another machine, so no threshold parts them


def below(level: float, seen: FloatArray) -> float:
    """Return the middle between a seen score, with those that only noise parts from it, and the next lower one.

    `seen` is float64, rising, distinct; below the lowest of them counts 0.
    """
    starts = seen[np.concatenate([[True], np.diff(seen) > NOISE])]
    lowest = starts[np.searchsorted(starts, level, side="right") - 1]
    index = int(np.searchsorted(seen, lowest))
    return float((lowest + (seen[index - 1] if index else 0.0)) / 2)


def grid(score: FloatArray, *, steps: int) -> FloatArray:
    """Return the thresholds that let the most certain 1/steps, 2/steps, ... of the rows through, strictest first.

    It sees no label, so a test of these thresholds may be walked as if they had been written down beforehand.

    Parameters
    ----------
    score : float64 array, shape (n,), n > 0, in [0, 1]
    steps : int

    Returns
    -------
    float64 array, shape (at most steps,), falling
    """
    seen, falling = np.unique(score), np.sort(score)[::-1]
    counts = np.ceil(len(score) * np.arange(1, steps + 1) / steps - 1e-9).astype(np.intp)
    thresholds = {below(float(falling[count - 1]), seen) for count in counts}
    return np.array(sorted(thresholds, reverse=True))
