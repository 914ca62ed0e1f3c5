"""Weather on a painted scene: snow on the ground, haze, a wet road, rain and flakes in the air."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw
from vouch.scenes.draw import Canvas, Colour, ellipse, stroke
from vouch.scenes.layers import FAR_M, ground_m
from vouch.scenes.perspective import Camera

HAZE: dict[str, Colour] = {
    "clear": (206, 216, 226),
    "rain": (150, 156, 164),
    "fog": (206, 208, 210),
    "snow": (224, 226, 230),
}
VISIBILITY_M = {"clear": (500.0, 900.0), "rain": (90.0, 160.0), "fog": (22.0, 42.0), "snow": (60.0, 110.0)}
SNOW: Colour = (226, 230, 236)


def snowed(paper: Canvas, view: Camera, lanes_m: tuple[float, ...], rng: np.random.Generator) -> None:
    """Cover the ground with snow, thin where wheels ran; paint this before anything stands on the road."""
    x, z = ground_m(paper, view)
    cover = np.full(z.shape, float(rng.uniform(0.66, 0.9)), np.float32)
    for lane in lanes_m:
        for side in (-0.75, 0.75):
            cover -= np.float32(0.5) * np.exp(-(((x - lane - side) / np.float32(0.3)) ** 2))
    patches = rng.normal(0.0, 0.1, (24, 20)).astype(np.float32)
    cover += cv2.resize(patches, (z.shape[1], z.shape[0]), interpolation=cv2.INTER_LINEAR)
    _mixed(paper.pixels, SNOW, np.where(z < FAR_M * 0.9, np.clip(cover, 0.0, 0.94), 0.0))


def hazed(paper: Canvas, distance_m: NDArray[np.float32], visibility_m: float, tone: Colour) -> None:
    """Let colours and lamps fade into the haze with distance: exp(-z / visibility) of them is left."""
    left = np.exp(-distance_m / np.float32(visibility_m))
    _mixed(paper.pixels, tone, 1 - left)
    _mixed(paper.glow, draw.DARK, 1 - np.sqrt(left))  # a lamp is seen farther than what it stands on


def _mixed(layer: NDArray[np.uint8], tone: Colour, share: NDArray[np.floating]) -> None:
    """Mix a colour into a layer in place, by a share per pixel."""
    flat = np.empty_like(layer)
    flat[:] = np.array(tone, np.uint8)
    share = share.astype(np.float32)
    cv2.blendLinear(layer, flat, 1 - share, share, dst=layer)


def wetted(paper: Canvas, view: Camera) -> None:
    """Darken the road and let it throw back what stands and shines on it."""
    below = ((paper.owner == 0) & (ground_m(paper, view)[1] < FAR_M * 0.5)).astype(np.uint8)
    tall = max(paper.owner.shape[0] // 3, 3)
    for layer, keep, share in ((paper.pixels, 0.62, 0.30), (paper.glow, 1.0, 0.55)):
        smear = cv2.blur(layer, (3, tall), anchor=(1, tall - 1), borderType=cv2.BORDER_REPLICATE)
        cv2.copyTo(cv2.addWeighted(layer, keep, smear, share, 0.0), below, layer)


def rained(paper: Canvas, rng: np.random.Generator, slant: float) -> None:
    """Paint streaks of rain, near ones longer."""
    for near in (0.3, 0.6, 1.0):
        starts = rng.uniform((-20, -20), (340, 240), (int(rng.integers(15, 40)), 2))
        streaks = [stroke([at, at + near * np.array([slant * 14, 18])], 0.5 + 0.7 * near) for at in starts]
        _veil(paper, streaks, (214, 220, 228), 0.16 + 0.2 * near)


def flaked(paper: Canvas, rng: np.random.Generator) -> None:
    """Paint falling flakes, few of them near and large."""
    for size, count, alpha in ((0.8, 70, 0.85), (1.5, 20, 0.7), (3.2, 5, 0.45)):
        places = rng.uniform((0, 0), (320, 240), (int(rng.integers(count // 2, count + 1)), 2))
        _veil(paper, [ellipse(at, (size, size * 1.2)) for at in places], (246, 248, 250), alpha)


def _veil(paper: Canvas, shapes: list[NDArray[np.float64]], tone: Colour, alpha: float) -> None:
    """Fill many shapes at once with a see-through colour."""
    mask = np.zeros(paper.owner.shape, np.uint8)
    on_canvas = [shape @ paper.frame[:, :2].T + paper.frame[:, 2] - 0.5 for shape in shapes]
    cv2.fillPoly(mask, [np.round(shape * 16).astype(np.int32) for shape in on_canvas], 255, cv2.LINE_AA, 4)
    _mixed(paper.pixels, tone, mask * np.float32(alpha / 255))


def haze(weather: str, time_of_day: str) -> Colour:
    """Return the colour of the haze as it is drawn; light falls on it as on everything."""
    tone = HAZE[weather]
    return draw.mix(tone, (236, 190, 160), 0.15) if time_of_day == "dusk" else tone
