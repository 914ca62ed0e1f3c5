"""The random stream of each picture: none hangs on what another one drew, so any may be taken alone."""

from typing import Protocol

import numpy as np


class Seeded(Protocol):
    """What tells one rendered data set from another: parameters of a scene whose groups are numbered."""

    @property
    def seed(self) -> int:
        """Names the data set's random streams."""

    @property
    def first_group(self) -> int:
        """Number of its first group."""


def of_picture(params: Seeded, kind: int, number: int, use: int) -> np.random.Generator:
    """Return the random stream for one use of a picture; pictures of another first group are other pictures.

    Parameters
    ----------
    params : Seeded
    kind : int
        What the scene calls its streams of pictures, apart from those of its plan and of its persistent looks.
    number : int
        The picture's, within the data set.
    use : int
        0 for what is seen, and one more for each thing that is done to it later.
    """
    return np.random.default_rng(np.random.SeedSequence([params.seed, kind, params.first_group, number, use]))
