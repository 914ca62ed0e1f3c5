"""What is wrong with single photographs and their labels. Each function returns findings: sample_id, check, detail."""

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.quality.checks import Thresholds, make_issues
from vouch.tables import group_columns, stratum_columns
from vouch.vision.images.formats import described

SIDEWAYS = 5  # EXIF orientations from here on swap width and height


def image_findings(scan: pd.DataFrame, limits: Thresholds) -> list[pd.DataFrame]:
    """Judge files and pixels: what `scan` refused, and dark, bright, blank, blurred or oddly shaped photographs.

    Parameters
    ----------
    scan : DataFrame
        As in `tables.SCAN`; statistics are null where a photograph was not decoded.
    limits : Thresholds
    """
    sides = scan[["width", "height"]]
    aspect = sides.max(axis=1) / sides.min(axis=1).clip(lower=1)
    suspicious = {
        "dark": (scan["mean"] < limits.dark_below, scan["mean"].map("mean luma {:.1f}".format)),
        "bright": (scan["mean"] > limits.bright_above, scan["mean"].map("mean luma {:.1f}".format)),
        "blank": (scan["deviation"] < limits.blank_below, scan["deviation"].map("deviation {:.2f}".format)),
        "blurred": (scan["sharpness"] < limits.blurred_below, scan["sharpness"].map("sharpness {:.1f}".format)),
        "odd_aspect": (aspect > limits.aspect_above, aspect.map("ratio {:.2f}".format)),
        "exif_rotated": (scan["orientation"] != 1, scan["orientation"].map("orientation {}".format)),
    }
    found = [make_issues(scan["sample_id"][flag], name, got[flag]) for name, (flag, got) in suspicious.items()]
    return found + list(_file_findings(scan))


def annotation_findings(
    samples: pd.DataFrame, boxes: pd.DataFrame, scan: pd.DataFrame, *, classes: Collection[str]
) -> list[pd.DataFrame]:
    """Judge what the manifest says of each photograph: label, declared size, groups and strata.

    Parameters
    ----------
    samples, boxes, scan : DataFrame
        As in `tables`; `scan` has a row per sample.
    classes : collection of str
        The classes that a label may have.
    """
    objects = samples["sample_id"].map(boxes["sample_id"].value_counts()).fillna(0).astype(int)
    annotation, label = samples["annotation"], samples["label"]
    unlabelled = (annotation == "labelled") & (objects == 0) & label.isna()
    suspicious = {
        "missing_label": (annotation == "missing", annotation.map("annotation: {}".format)),
        "label_conflict": ((annotation == "negative") & (objects > 0), objects.map("{} boxes".format)),
        "empty_label": (unlabelled, annotation.map("no box; annotation: {}".format)),
        "unknown_class": (label.notna() & ~label.isin(list(classes)), label.map("{}".format)),
    }
    found = [make_issues(samples["sample_id"][flag], name, got[flag]) for name, (flag, got) in suspicious.items()]
    return [*found, _size_findings(samples, scan), *_provenance_findings(samples)]


def box_findings(
    boxes: pd.DataFrame, scan: pd.DataFrame, limits: Thresholds, *, classes: Collection[str]
) -> list[pd.DataFrame]:
    """Judge every box: its corners, its size in pixels, its class, and whether it is there twice.

    Parameters
    ----------
    boxes, scan : DataFrame
        As in `tables`; corners are fractions of the picture as a person sees it.
    limits : Thresholds
    classes : collection of str
        The classes that a box may have.
    """
    corners = boxes[["x1", "y1", "x2", "y2"]]
    proper = (boxes["x1"] < boxes["x2"]) & (boxes["y1"] < boxes["y2"]) & ~corners.isin([np.inf, -np.inf]).any(axis=1)
    side_px = _side_px(boxes, scan)
    text = _box_text(boxes)
    suspicious = {
        "box_degenerate": (~proper, text),
        "box_outside": (((corners < -limits.outside_above) | (corners > 1 + limits.outside_above)).any(axis=1), text),
        "box_small": (proper & (side_px < limits.min_side_px), side_px.map("{:.1f} px, ".format).astype("str") + text),
        "unknown_class": (~boxes["class_name"].isin(list(classes)), text),
        "box_duplicated": (_is_repeated(boxes, limits.duplicate_iou), text),
    }
    return [make_issues(boxes["sample_id"][flag], name, got[flag]) for name, (flag, got) in suspicious.items()]


def contents(samples: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Return what each photograph is said to hold: `objects` ("2 can, 1 glass") and `classes` ("can, glass").

    Null where nobody looked; an empty text for a negative.
    """
    labelled = pd.DataFrame({"sample_id": samples["sample_id"], "class_name": samples["label"]}).dropna()
    said = pd.concat([boxes[["sample_id", "class_name"]], labelled], ignore_index=True)
    counts = said.value_counts().reset_index().sort_values(["sample_id", "class_name"], kind="stable")
    counts["objects"] = counts["count"].astype("str") + " " + counts["class_name"]
    joined = counts.groupby("sample_id", sort=True).agg({"objects": ", ".join, "class_name": ", ".join})
    texts = joined.reindex(samples["sample_id"]).rename(columns={"class_name": "classes"}).astype("object").fillna("")
    texts[(samples["annotation"] == "missing").to_numpy()] = None
    return texts.reset_index(drop=True)


def _file_findings(scan: pd.DataFrame) -> Iterator[pd.DataFrame]:
    header = [
        described(kind, mode, width, height)
        for kind, mode, width, height in zip(scan["format"], scan["mode"], scan["width"], scan["height"], strict=True)
    ]
    got = pd.Series(header, index=scan.index, dtype="str")
    listed = scan["problem"].str.split(",").explode()
    for name in sorted(set(listed) - {""}):
        index = listed.index[listed == name]
        yield make_issues(scan["sample_id"].loc[index], name, got.loc[index])


def _size_findings(samples: pd.DataFrame, scan: pd.DataFrame) -> pd.DataFrame:
    """Compare the stated size with the size as a person sees the photograph; a size nobody stated is not compared."""
    seen = _seen_size(scan).reindex(samples["sample_id"]).reset_index(drop=True)
    stated = samples[["width", "height"]].reset_index(drop=True)
    known = stated.notna().all(axis=1) & (seen["width"] > 0)
    differs = known & ((stated["width"] != seen["width"]) | (stated["height"] != seen["height"]))
    rows = zip(*(table[side][differs] for table in (stated, seen) for side in ("width", "height")), strict=True)
    got = [f"{int(w)} x {int(h)} stated, {int(real_w)} x {int(real_h)} real" for w, h, real_w, real_h in rows]
    ids = samples["sample_id"].reset_index(drop=True)[differs]
    return make_issues(ids, "size_mismatch", pd.Series(got, index=ids.index, dtype="str"))


def _provenance_findings(samples: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for column in stratum_columns(samples):
        empty = samples[column].isna() | (samples[column] == "")
        yield make_issues(
            samples["sample_id"][empty],
            "missing_stratum",
            samples["sample_id"][empty].map(lambda _, c=column: f"no {c}"),
        )
    keys = group_columns(samples)
    alone = (samples[keys].isna() | (samples[keys] == "")).all(axis=1)
    got = samples["sample_id"][alone].map(lambda _: f"none of {', '.join(keys) or 'no keys'}")
    yield make_issues(samples["sample_id"][alone], "ungrouped", got)


def _seen_size(scan: pd.DataFrame) -> pd.DataFrame:
    """Width and height after the EXIF orientation, by sample_id."""
    swapped = scan["orientation"] >= SIDEWAYS
    size = pd.DataFrame(
        {
            "width": scan["width"].where(~swapped, scan["height"]),
            "height": scan["height"].where(~swapped, scan["width"]),
        }
    )
    return size.set_index(pd.Index(scan["sample_id"]))


def _side_px(boxes: pd.DataFrame, scan: pd.DataFrame) -> pd.Series:
    """Shorter side in pixels; infinite where the size of the photograph is unknown."""
    size = _seen_size(scan).reindex(boxes["sample_id"]).reset_index(drop=True)
    size.index = boxes.index
    width_px = (boxes["x2"] - boxes["x1"]) * size["width"]
    height_px = (boxes["y2"] - boxes["y1"]) * size["height"]
    return pd.concat([width_px, height_px], axis=1).min(axis=1).where(size["width"] > 0, np.inf)


def _box_text(boxes: pd.DataFrame) -> pd.Series:
    number = boxes.groupby("sample_id").cumcount() + 1
    rows = zip(number, boxes["class_name"], boxes["x1"], boxes["y1"], boxes["x2"], boxes["y2"], strict=True)
    texts = [f"box {n} {name} ({x1:.4g}, {y1:.4g}, {x2:.4g}, {y2:.4g})" for n, name, x1, y1, x2, y2 in rows]
    return pd.Series(texts, index=boxes.index, dtype="str")


def _is_repeated(boxes: pd.DataFrame, max_iou: float) -> pd.Series:
    """Tell which boxes overlap an earlier box of their class and photograph by more than `max_iou`."""
    owner = boxes.groupby(["sample_id", "class_name"], sort=False).ngroup().to_numpy()
    order = np.argsort(owner, kind="stable")
    corners = boxes[["x1", "y1", "x2", "y2"]].to_numpy()[order]
    owner = owner[order]
    repeated = np.zeros(len(boxes), dtype=bool)
    later = np.arange(1, len(boxes))
    for step in range(1, len(boxes)):  # compare with the box `step` places before, where it is of the same owner
        later = later[later >= step]
        later = later[owner[later] == owner[later - step]]
        if not len(later):
            break
        repeated[order[later[_iou(corners[later], corners[later - step]) > max_iou]]] = True
    return pd.Series(repeated, index=boxes.index)


def _iou(first_xyxy: NDArray[np.float64], second_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Overlap of box i with box i, 0 where either is degenerate."""
    inner = np.minimum(first_xyxy[:, 2:], second_xyxy[:, 2:]) - np.maximum(first_xyxy[:, :2], second_xyxy[:, :2])
    common: NDArray[np.float64] = np.clip(inner, 0, None).prod(axis=1)
    area = sum(np.clip(box[:, 2:] - box[:, :2], 0, None).prod(axis=1) for box in (first_xyxy, second_xyxy))
    iou: NDArray[np.float64] = np.nan_to_num(common / np.maximum(area - common, 1e-12))
    return iou
