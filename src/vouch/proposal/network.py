"""How large the network's canvas is, how long it trains, and how many minutes that takes here.

Seconds are of one photograph in training, validation and what feeds them included, times the threads: measured on two
idle cores of an AMD EPYC (Zen 3, AVX2), PyTorch 2.15 in float32, where two threads are far from twice as fast as one.
EfficientNet-Lite0's are not: one thread of a busy machine (AVX-512) took 76 ms of processor time a step, and a third
more is allowed for the second thread and the feed. Its views and rates are customary for fine-tuning, not tuned here.
Another processor takes another time: half or twice as much is no surprise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import numpy.typing as npt

from vouch.errors import Problem
from vouch.evaluation.foresight import SMALL_PX
from vouch.proposal.formats import Said, counted
from vouch.proposal.survey import Survey
from vouch.tasks import ByTask, Task
from vouch.vision.images.decoding import read_header

FloatArray = npt.NDArray[np.float64]

STEPS = 20  # of an epoch, below which batches are halved
MINUTES = 15.0  # of training on two cores
THREADS = 2
SMALL_SHARE = 0.05
HEADERS = 2000  # photographs whose size is read


@dataclass(frozen=True)
class Recipe:
    """A network and what it starts from, how long it trains, and what that costs."""

    network: str  # in words
    pretrained: bool  # it starts from weights that saw a million photographs
    seconds: float  # a photograph, at the canvas of `measured_px`
    measured_px: int
    canvases: tuple[int, ...]
    views: int  # of train photographs: curbside took 50 x 671 and trashnet 30 x 1,516 from random weights
    epochs: tuple[int, int]  # fewest and most
    batch: int
    least_batch: int = 4


DETECTOR = Recipe("YOLO11-p from random weights", False, 0.085, 320, (224, 320, 416, 512, 640), 35_000, (10, 100), 16)
SMALL = Recipe(
    "resnet10t at half its width from random weights", False, 0.018, 128, (128, 160, 224), 45_000, (10, 100), 32
)
# An embedder's steps are a classifier's, its batches four photographs each of two products or more.
SMALL_EMBEDDER = replace(SMALL, canvases=(96, 128, 160), least_batch=8)
LITE0 = Recipe("EfficientNet-Lite0 from ImageNet's weights", True, 0.100, 224, (160, 224), 12_000, (4, 40), 16)
LITE0_EMBEDDER = replace(LITE0, batch=32, least_batch=8)
PRETRAINED_PX = 160  # the median longer side below which photographs are unlike those of ImageNet


@dataclass(frozen=True)
class Sizes:
    """Width and height of some photographs, evenly spaced over the folder."""

    places: tuple[int, ...]  # of the records
    pixels: FloatArray  # shape (n, 2)
    problems: tuple[Problem, ...]

    def described(self) -> str:
        """Return the median size and the extremes."""
        widths, heights = self.pixels.T
        same = len(np.unique(self.pixels, axis=0)) == 1
        middle = f"{median(widths):g} x {median(heights):g} pixels"
        ends = f" (median), longer side {self.longer.min():g} to {self.longer.max():g}"
        return middle + ("" if same else ends)

    @property
    def longer(self) -> FloatArray:
        """The longer side of each."""
        return np.asarray(self.pixels.max(axis=1))


@dataclass(frozen=True)
class Network:
    """What the training section of a model says of size and length, and whether it starts from ImageNet's weights."""

    size_px: int
    epochs: int
    batch: int
    minutes: float
    pretrained: bool
    said: tuple[Said, ...]
    warnings: tuple[str, ...]


def photograph_sizes(found: Survey) -> Sizes:
    """Read the headers of at most 2,000 photographs, evenly spaced; those that cannot be used are problems."""
    places = np.unique(np.linspace(0, len(found.records) - 1, min(HEADERS, len(found.records))).round().astype(int))
    problems: list[Problem] = []
    kept: list[int] = []
    pixels = []
    for place in places.tolist():
        image = found.records[place].image
        if image not in found.tree.photographs:  # which its reader has said
            continue
        header = read_header(found.tree.path(image))
        problems += header.refusals(image)
        if not header.problems:
            kept.append(place)
            pixels.append(header.size)
    return Sizes(tuple(kept), np.array(pixels, dtype=np.float64).reshape(-1, 2), tuple(problems))


def recipe(task: Task, longer_px: float) -> Recipe:
    """Return what is trained: what sees photographs, not thumbnails, as a whole starts from ImageNet's weights."""
    large = longer_px >= PRETRAINED_PX
    classifier, embedder = (LITE0, LITE0_EMBEDDER) if large else (SMALL, SMALL_EMBEDDER)
    return ByTask(detect=DETECTOR, classify=classifier, identify=embedder)[task]


def network(task: Task, found: Survey, sizes: Sizes, *, n_train: int, cores: int) -> Network:
    """Return canvas, epochs, batch and minutes; training that would take too long on two cores is cut, and said so."""
    longer_px = float(median(sizes.longer))
    chosen = recipe(task, longer_px)
    canvases = _canvases(chosen, longer_px)
    said, warnings = [], []
    fewest, most = chosen.epochs
    wanted = int(np.clip(round(chosen.views / n_train), fewest, most))
    if task == "detect":
        shares = {canvas: small_share(found, sizes, canvas) for canvas in canvases}
        size_px = next((canvas for canvas, share in shares.items() if share <= SMALL_SHARE), canvases[-1])
        why = f"{shares[size_px]:.1%} of boxes would have a side under {SMALL_PX:g} pixels there"
        if shares[size_px] > SMALL_SHARE:
            warnings.append(f"{why} on a canvas of {size_px}, the largest: they can hardly be found")
    else:
        fitting = [one for one in canvases if minutes(chosen, one, wanted, n_train, THREADS) <= MINUTES]
        size_px = max(fitting, default=canvases[0])
        cut = f"; {canvases[-1]} would take longer than {MINUTES:g} minutes" if size_px < canvases[-1] else ""
        why = f"the largest of {', '.join(map(str, canvases))} that the time allows{cut}"
    said.append((f"canvas {size_px} x {size_px}", why))
    affordable = int(MINUTES / minutes(chosen, size_px, 1, n_train, THREADS))
    epochs = max(fewest, min(wanted, affordable))
    limit = f"to stay within {MINUTES:g} minutes on {THREADS} cores" if affordable >= fewest else "to the least"
    cut = f", cut from {wanted} {limit}" if epochs < wanted else ""
    said.append((f"{epochs} epochs", f"{n_train:,} photographs in train; fewer photographs take more{cut}"))
    if epochs < wanted:
        warnings.append(
            f"{epochs} epochs are fewer than the {wanted} that these photographs want: raise it for a night"
        )
    taken, spent = _spent(chosen, size_px, epochs, n_train, min(THREADS, cores))
    said.append(spent)
    batch = _batch(chosen, n_train)
    return Network(size_px, epochs, batch, round(taken, 1), chosen.pretrained, tuple(said), tuple(warnings))


def _spent(chosen: Recipe, size_px: int, epochs: int, n_train: int, threads: int) -> tuple[float, Said]:
    """Return the minutes of a training here, and the sentence that says them."""
    taken = minutes(chosen, size_px, epochs, n_train, threads)
    about = f"about {counted(round(taken), 'minute')}" if taken >= 1 else "less than a minute"
    what = f"{about} of training here"
    return taken, (what, f"{chosen.network} on {counted(threads, 'core')}, by rates of an AMD EPYC")


def minutes(chosen: Recipe, size_px: int, epochs: int, n_train: int, threads: int) -> float:
    """Return the minutes of a training on so many cores; time grows with the canvas's area."""
    seconds = chosen.seconds * (size_px / chosen.measured_px) ** 2
    return seconds * epochs * n_train / threads / 60


def small_share(found: Survey, sizes: Sizes, canvas: int) -> float:
    """Return the share of boxes, of the photographs that were measured, whose shorter side is under 8 pixels there."""
    small = total = 0
    for place, (width, height) in zip(sizes.places, sizes.pixels, strict=True):
        scale = canvas / max(width, height)
        for _, x1, y1, x2, y2 in found.records[place].boxes:
            total += 1
            small += min((x2 - x1) * width, (y2 - y1) * height) * scale < SMALL_PX
    return small / total if total else 0.0


def _canvases(chosen: Recipe, longer_px: float) -> Sequence[int]:
    """Return the canvases that do not enlarge a photograph; of small ones the multiple of 32 below."""
    return [one for one in chosen.canvases if one <= longer_px] or [max(32, int(longer_px) // 32 * 32)]


def _batch(chosen: Recipe, n_train: int) -> int:
    """Return the batch, halved where an epoch would have few steps."""
    batch = chosen.batch
    while batch > chosen.least_batch and n_train < STEPS * batch:
        batch //= 2
    return batch
