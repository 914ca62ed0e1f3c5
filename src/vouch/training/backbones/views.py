"""The views that a backbone is given of a canvas: the whole, and tiles of it."""

import torch
from torch import Tensor
from torch.nn import functional

from vouch.training.backbones.params import Views


def tile_corners(size_px: int, views: Views) -> tuple[int, list[int]]:
    """Return a tile's side and where tiles begin along each side of a canvas.

    Tiles of side t = L / (m - (m - 1) o) overlap by the fraction o of it and cover the canvas.
    """
    count = views.tiles_per_side
    if count == 0:
        return 0, []
    side = min(size_px, round(size_px / (count - (count - 1) * views.overlap)))
    return side, [round(index * (size_px - side) / max(1, count - 1)) for index in range(count)]


def canvas_views(images: Tensor, views: Views) -> Tensor:
    """Return the whole canvases and their tiles, each resized: (n, 3, L, L) to (n, views, 3, side, side)."""
    side, starts = tile_corners(int(images.shape[-1]), views)
    tiles = [images[:, :, y : y + side, x : x + side] for y in starts for x in starts]
    return torch.stack([_resized(view, views.side_px) for view in [images, *tiles]], dim=1)


def _resized(images: Tensor, side_px: int) -> Tensor:
    if images.shape[-1] == side_px:
        return images
    return functional.interpolate(images, size=(side_px, side_px), mode="bilinear", align_corners=False)
