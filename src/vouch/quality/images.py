"""Every photograph decoded once: what is wrong with it, how bright and sharp it is, and its hashes."""

import functools
import hashlib
import multiprocessing
import os
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import Problem, WorkspaceError, refuse_any
from vouch.tables import SCAN
from vouch.vision.images.decoding import decode
from vouch.vision.images.formats import SUFFIXES

SHARPNESS_WIDTH_PX = 256
SHARPNESS_HEIGHT_PX = 64 * SHARPNESS_WIDTH_PX  # at the most: a sliver, 1 x 65,500, would fill 17 GB at 256 pixels width
CHUNK = 16  # photographs a worker takes at a time: about 50 ms of work


def scan(paths: Sequence[Path], *, max_megapixels: float, workers: int) -> Iterator[dict[str, Any]]:
    """Yield one `examine` record a photograph, in the order of `paths`, whatever the number of worker processes.

    Parameters
    ----------
    paths : sequence of Path
        Photographs; an absent one yields the problem `missing_image`.
    max_megapixels : float
        A header that claims more is refused undecoded.
    workers : int
        Processes; 1 stays in this one.

    Raises
    ------
    WorkspaceError
        Listing every photograph that this user may not read: that is no fault of the picture. Or when a process dies,
        most likely for lack of memory.
    """
    expected, remedy = "permission to read", "correct its owner or permissions"
    refuse_any(WorkspaceError, (Problem(str(path), expected, "none", remedy) for path in paths if _is_closed(path)))
    look = functools.partial(_examine_file, max_megapixels=max_megapixels)
    if workers == 1:
        yield from map(look, paths)
        return
    # no fork of this process: by now it has threads (pyarrow's, a network's), and a lock of theirs would stay shut
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # .6 s for OpenCV and pandas once, not in every process
    try:
        with ProcessPoolExecutor(workers, context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
            yield from pool.map(look, paths, chunksize=CHUNK)
    except BrokenProcessPool as error:
        remedy = "free memory or lower `max_megapixels`, run it again"
        raise WorkspaceError([Problem("scan", "every process to end well", "one that was killed", remedy)]) from error


def tabulate(sample_ids: Sequence[str], records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the scan table of `records`, in the order of `sample_ids`."""
    table = pd.DataFrame({"sample_id": list(sample_ids)})
    for column, dtype in SCAN_TYPES.items():
        table[column] = pd.Series([record[column] for record in records], dtype=dtype)
    return table[list(SCAN)]


def examine(stream: BinaryIO, suffix: str, *, max_megapixels: float) -> dict[str, Any]:
    """Say everything about one photograph that needs its pixels, and refuse what cannot be used.

    Parameters
    ----------
    stream : seekable binary stream
        The file's content.
    suffix : str
        The file name's ending, compared with the content.
    max_megapixels : float
        A header that claims more is refused undecoded.

    Returns
    -------
    dict
        The columns of `tables.SCAN` but `sample_id`. `problem` names all problems, comma-separated; where a problem
        keeps the photograph from being used, it is not decoded: `sha256` is empty and the statistics are null.
    """
    header, pixels = decode(stream, max_megapixels=max_megapixels)
    known = header.format != ""
    renamed = ["wrong_extension"] if known and SUFFIXES.get(suffix) != header.format else []
    found = {"format": header.format, "mode": header.mode, "width": header.width, "height": header.height}
    if pixels is None:
        return _record([*renamed, *header.problems], **found)
    rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    return _record(renamed, **found, orientation=header.orientation, **_statistics(rgb))


def perceptual_hash(grey: NDArray[np.float32]) -> int:
    """Return 64 bits that survive scaling, re-encoding and exposure: the signs of low frequencies about their median.

    Parameters
    ----------
    grey : float32 array (32, 32)
        Luma, 0..255.

    References
    ----------
    Zauner 2010, "Implementation and benchmarking of perceptual image hash functions", DCT hash.
    """
    # two decimals: a flat picture's coefficients are float noise near 1e-5, which must not become 63 random bits
    low = np.round(cv2.dct(grey)[:8, :8], 2)
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


SCAN_TYPES = {
    "problem": "str",
    "format": "str",
    "mode": "str",
    "width": "int32",
    "height": "int32",
    "orientation": "uint8",
    "mean": "float64",
    "deviation": "float64",
    "sharpness": "float64",
    "sha256": "str",
    "phash": "uint64",  # 0 where there is none: a null would make the column float and cost the low bits
    "thumbnail": "object",
}
_NOTHING = {
    "format": "",
    "mode": "",
    "width": 0,
    "height": 0,
    "orientation": 1,
    "mean": None,
    "deviation": None,
    "sharpness": None,
    "sha256": "",
    "phash": 0,
    "thumbnail": b"",
}


def _record(problems: Sequence[str], **columns: Any) -> dict[str, Any]:
    return {**_NOTHING, **columns, "problem": ",".join(sorted(problems))}


def _is_closed(path: Path) -> bool:
    """Whether something stands there that may not be opened, or even looked at."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:  # nothing, a link in a circle, a file for a folder: a photograph that is missing
        return False
    return not os.access(path, os.R_OK)


def _examine_file(path: Path, *, max_megapixels: float) -> dict[str, Any]:
    if not path.is_file():
        return _record(["missing_image"])
    with path.open("rb") as stream:
        return examine(stream, path.suffix.lower(), max_megapixels=max_megapixels)


def _statistics(pixels: NDArray[np.uint8]) -> dict[str, Any]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    mean, deviation = cv2.meanStdDev(grey)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA)
    return {
        "mean": float(mean[0, 0]),
        "deviation": float(deviation[0, 0]),
        "sharpness": _sharpness(grey),
        "sha256": _pixel_hash(pixels),
        "phash": perceptual_hash(small.astype(np.float32)),
        "thumbnail": cv2.resize(small, (16, 16), interpolation=cv2.INTER_AREA).tobytes(),
    }


def _pixel_hash(pixels: NDArray[np.uint8]) -> str:
    """Hash size and pixels: 640 x 480 black pixels are not 480 x 640 black pixels."""
    digest = hashlib.sha256(struct.pack("<II", *pixels.shape[:2]))
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _sharpness(grey: cv2.typing.MatLike) -> float:
    """Variance of the Laplacian at 256 pixels width: without one width, a larger photograph would count as blurred.

    What is more than 64 times as high as wide is squeezed to 64 times.
    """
    height, width = grey.shape
    size = (SHARPNESS_WIDTH_PX, min(max(1, round(height * SHARPNESS_WIDTH_PX / width)), SHARPNESS_HEIGHT_PX))
    # averaging whole pixels is 5 x faster than broken ones, and by way of twice the width within 8 % of the same value
    factor = max(1, width // (2 * SHARPNESS_WIDTH_PX))
    reduced = cv2.resize(grey, (width // factor, max(1, height // factor)), interpolation=cv2.INTER_AREA)
    doubled = cv2.resize(reduced, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR)
    edges = cv2.Laplacian(cv2.resize(doubled, size, interpolation=cv2.INTER_AREA), cv2.CV_16S)
    _, deviation = cv2.meanStdDev(edges)
    return float(deviation[0, 0]) ** 2
