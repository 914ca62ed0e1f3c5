"""A camera over a flat road, and the things that stand on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vouch.scenes.draw import Colour


@dataclass(frozen=True)
class Camera:
    """A pinhole camera over a flat road, in units of the canvas and metres."""

    centre_x: float
    horizon_y: float
    focal: float
    height_m: float
    bend: float  # metres of sideways drift per square metre of distance: the road's curve

    def at(self, x_m: ArrayLike, y_m: ArrayLike, z_m: ArrayLike) -> NDArray[np.float64]:
        """Project points: x to the right, y above the road, z ahead."""
        x, y, z = np.broadcast_arrays(*(np.asarray(value, float) for value in (x_m, y_m, z_m)))
        right = self.centre_x + self.focal * (x + self.bend * z**2) / z
        return np.stack([right, self.horizon_y + self.focal * (self.height_m - y) / z], axis=-1)


@dataclass(frozen=True)
class Body:
    """A thing on the road: what, where, and everything that shapes its picture."""

    kind: str
    label: str  # class, or "" for scenery
    x_m: float
    z_m: float
    size: float
    colour: Colour
    second: Colour
    front: bool  # vehicles: the front is seen; pedestrians: the face is
    phase: float  # of a walk, or any other variation from 0 to 1
    lights: float  # how much its lamps shine, 0 to 1
