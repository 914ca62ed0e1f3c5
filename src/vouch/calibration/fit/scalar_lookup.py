"""A calibrator as a table of 101 points for each class, for consumers that can only interpolate."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from vouch.calibration.apply.calibrator import Calibrator
from vouch.calibration.apply.scalar_maps import apply_map

POINTS = 101
OTHER = "*"  # the block of every class that has none of its own


def lookup_table(calibrator: Calibrator, classes: Iterable[str]) -> pd.DataFrame:
    """Return columns `class`, `score`, `confidence`: scores 0, .01 .. 1, confidence non-decreasing within a class.

    Between points the consumer interpolates linearly. Where a map is steep (beta calibration below a score of .01, an
    isotonic step) that differs from the map by at most the rise between two points.

    Parameters
    ----------
    calibrator : dict
        As `scalar_selection.fit_calibrator` returns it.
    classes : iterable of str
        Each gets a block, its own map or the global one; the block `*` serves every other class.
    """
    score = np.linspace(0.0, 1.0, POINTS)
    names = [OTHER, *sorted({*classes, *calibrator["classes"]})]
    blocks = []
    for name in names:
        curve = calibrator["classes"].get(name, calibrator["global"])
        blocks.append(pd.DataFrame({"class": name, "score": score, "confidence": apply_map(curve, score)}))
    return pd.concat(blocks, ignore_index=True)
