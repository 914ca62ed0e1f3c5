"""Crops of products: every labelled box of a photograph is a sample of its own, cut from pixels decoded once.

A crop inherits its photograph's group and strata. Its product is the box's, where the data set states products, else
the box's class. A photograph that is labelled as a whole is one crop, and its label is the product.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import DataError, Problem, refuse_any
from vouch.tables import products_of, stratum_columns
from vouch.vision.images.source import Crop, File, Image, size_of

CORNERS = ["x1", "y1", "x2", "y2"]
SHOWN = 10


def crops(samples: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Return one row per crop, in the order of `samples`, then of `boxes`.

    Parameters
    ----------
    samples : table
        Photographs: sample_id, group, image, label, stratum_*.
    boxes : table
        Labelled objects of these photographs and perhaps others: `tables.BOXES`, perhaps `product`. A box whose
        product is null is no crop: nobody knows what it shows.

    Returns
    -------
    table
        sample_id ("<photograph>#<number of its box, from 0>", or the photograph's own), photograph, image, group,
        product, x1, y1, x2, y2 (whole pixels that hold the box; null of a whole photograph), stratum_*.

    Raises
    ------
    DataError
        Naming boxes that have no area inside their photograph.
    """
    carried = ["sample_id", "group", "image", *stratum_columns(samples)]
    held = boxes.assign(product=products_of(boxes), number=boxes.groupby("sample_id", sort=False).cumcount())
    cut = samples[carried].merge(held, on="sample_id", how="inner", validate="one_to_many", sort=False)
    cut = cut[cut["product"].notna()].reset_index(drop=True)
    labels = samples["label"] if "label" in samples else pd.Series(None, index=samples.index, dtype=object)
    plain = labels.notna() & ~samples["sample_id"].isin(boxes["sample_id"])
    whole = samples.loc[plain, carried].assign(product=labels[plain], photograph=samples.loc[plain, "sample_id"])
    cut = cut.assign(photograph=cut["sample_id"], sample_id=cut["sample_id"] + "#" + cut["number"].astype("str"))
    columns = ["sample_id", "photograph", "image", "group", "product", *CORNERS, *stratum_columns(samples)]
    found = pd.concat([_in_pixels(cut), whole.assign(**dict.fromkeys(CORNERS, np.nan))])[columns]
    place = {name: index for index, name in enumerate(samples["sample_id"])}
    order = np.argsort(found["photograph"].map(place).to_numpy(np.int64), kind="stable")
    return found.iloc[order].reset_index(drop=True)


def with_moved(table: pd.DataFrame, *, deviation: float, seed: int) -> pd.DataFrame:
    """Return the crops of a table as `crops` made it, and each once more with moved corners, as a detector gives them.

    Parameters
    ----------
    table : table
    deviation : float, 0 to less than 0.25
        Standard deviation of a corner's coordinate, as a share of the box's side; 0 adds nothing. Draws lie within two
        deviations, so that no box turns inside out.
    seed : int

    Returns
    -------
    table
        Crops of one photograph still follow each other. A photograph that is one crop as a whole comes once.
    """
    boxed = table[table["x1"].notna()]
    if not deviation or boxed.empty:
        return table
    both = boxed["image"].map(_sizes(boxed["image"]))
    limits = np.tile(np.array(both.tolist(), np.float64), 2)
    corners = boxed[CORNERS].to_numpy(np.float64)
    sides = np.tile(corners[:, 2:] - corners[:, :2], 2)
    drawn = np.random.default_rng(seed).standard_normal(corners.shape).clip(-2, 2)
    moved = np.rint(corners + drawn * deviation * sides).clip(0, limits)
    kept = (moved[:, 2] > moved[:, 0]) & (moved[:, 3] > moved[:, 1])  # a sliver at the edge may lose its last pixel
    copies = boxed.assign(**dict(zip(CORNERS, moved.T, strict=True)))[kept]
    found: pd.DataFrame = pd.concat([table, copies])
    place = {name: index for index, name in enumerate(dict.fromkeys(table["photograph"]))}
    order = np.argsort(found["photograph"].map(place).to_numpy(np.int64), kind="stable")
    return found.iloc[order].reset_index(drop=True)


def images(table: pd.DataFrame) -> tuple[Image, ...]:
    """Return the crops of a table as `crops` made it; those of one photograph follow each other."""
    corners = table[CORNERS].to_numpy(np.float64)
    return tuple(_image(Path(path), box) for path, box in zip(table["image"], corners, strict=True))


def _image(path: Path, corners: NDArray[np.float64]) -> Image:
    if np.isnan(corners).any():
        return File(path)
    x1, y1, x2, y2 = (int(value) for value in corners)
    return Crop(File(path), (x1, y1, x2, y2))


def refuse_productless(table: pd.DataFrame, *, where: str) -> None:
    """Refuse a split without a crop of a known product.

    Raises
    ------
    DataError
        When there is none.
    """
    if table.empty:
        remedy = "state the product of boxes in the source, or label photographs"
        raise DataError([Problem(where, "boxes with a product, or labelled photographs", "none", remedy)])


def _in_pixels(cut: pd.DataFrame) -> pd.DataFrame:
    """Return the corners as the smallest whole pixels that hold the box, clipped to its photograph."""
    sizes = _sizes(cut["image"])
    width, height = (cut["image"].map({name: size[axis] for name, size in sizes.items()}) for axis in (0, 1))
    both = np.column_stack([width, height]).astype(np.float64).reshape(-1, 2)
    low = np.floor(cut[["x1", "y1"]].to_numpy(np.float64) * both)
    high = np.ceil(cut[["x2", "y2"]].to_numpy(np.float64) * both)
    corners = np.column_stack([low, high]).clip(0, np.column_stack([both, both]))
    empty = (corners[:, 2] <= corners[:, 0]) | (corners[:, 3] <= corners[:, 1])
    expected, remedy = "a box with area inside its photograph", "correct the label, or leave the box out"
    stated = cut.loc[empty, ["sample_id", *CORNERS]].head(SHOWN).itertuples(index=False)
    problems = [Problem(name, expected, str(tuple(box)), remedy) for name, *box in stated]
    if int(empty.sum()) > SHOWN:
        problems.append(Problem("boxes", expected, f"{int(empty.sum()) - SHOWN} more without", remedy))
    refuse_any(DataError, problems)
    return cut.assign(**dict(zip(CORNERS, corners.T, strict=True)))


def _sizes(paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return each photograph's upright (width, height) by its header; (1, 1) of what is none, which is told later."""
    found = {path: size_of(File(Path(path))) for path in dict.fromkeys(paths)}
    return {path: size if all(size) else (1, 1) for path, size in found.items()}
