"""Photographs from elsewhere that a validation split holds already, the same pixels or nearly."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from vouch.errors import Problem
from vouch.quality.duplicates import THUMBNAIL_BYTES, correlation
from vouch.quality.hashes import pair_batches


def repeated(extra: pd.DataFrame, held_out: pd.DataFrame, *, radius_bits: int, min_correlation: float) -> list[Problem]:
    """Return a problem for each photograph of `extra` that is one of `held_out`, exactly or nearly.

    Parameters
    ----------
    extra, held_out : DataFrame
        Decoded photographs, as in `tables.SCAN`.
    radius_bits : int
        Pictures whose hashes differ in more bits are not near, 0..15.
    min_correlation : float
        Pictures whose thumbnails correlate less are not near either.
    """
    same = dict(zip(held_out["sha256"], held_out["sample_id"], strict=True))
    found = {
        name: f"the pixels of {same[pixels]}"
        for name, pixels in zip(extra["sample_id"], extra["sha256"], strict=True)
        if pixels in same
    }
    for mine, theirs in _near(extra, held_out, radius_bits, min_correlation):
        found.setdefault(mine, f"nearly {theirs}")
    expected, remedy = "no photograph of a validation split", "remove it from the folder"
    return [Problem(name, expected, got, remedy) for name, got in found.items()]


def _near(
    extra: pd.DataFrame, held_out: pd.DataFrame, radius_bits: int, min_correlation: float
) -> Iterator[tuple[str, str]]:
    both = pd.concat([held_out, extra], ignore_index=True)
    luma = np.frombuffer(b"".join(both["thumbnail"]), np.uint8).reshape(len(both), THUMBNAIL_BYTES)
    for left, right in pair_batches(both["phash"].to_numpy(np.uint64), radius=radius_bits):
        across = (left < len(held_out)) & (right >= len(held_out))
        one, other = left[across], right[across]
        alike = correlation(luma[one], luma[other]) >= min_correlation
        names = (both["sample_id"].iloc[rows[alike]] for rows in (other, one))
        yield from zip(*names, strict=True)
