"""The tables between stages: the only place that names columns.

samples    one row per photograph                       data/manifests/D/samples.parquet
boxes      one row per labelled object                data/manifests/D/boxes.parquet
scan       one row per decoded photograph             data/quality/D/scan.parquet
issues     one row per finding                        data/quality/D/issues.parquet
clusters   one row per near-duplicate photograph      data/quality/D/clusters.parquet
split      one row per photograph of one split        data/splits/D/S.csv
rows       the waist: one row per decision to judge   data/predictions/M/SIDE/S.parquet
by group   rows that cross_validate held out          data/predictions/M/by_group.parquet
counts     the waist of a system: one row per class of a photograph

Calibrate, decide and number add their columns to rows, one step after the other; nothing stores those.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

GROUP = "group_"  # prefix of a leakage key: group_driver, group_vehicle
STRATUM = "stratum_"  # prefix of a stratum: stratum_stream, stratum_scenario
LOGIT = "logit_"  # prefix of a class's logit, as a classifier's network gave it: logit_roadwork
PROBABILITY = "probability_"  # prefix of a class's calibrated probability
GATE_LOGIT = "gate_logit"  # of a classifier with a gate: the logit of its own answer being right

SAMPLES = (
    "sample_id",  # "<source>/<path inside the source>", unique in the data set
    "image",  # path of the photograph from the repository root, POSIX
    "source",  # name of the source folder
    "annotation",  # labelled, negative (known to hold nothing) or missing (nobody looked)
    "label",  # class of the whole photograph, null for a detection source
    "width",  # as the source states it, pixels, null where it does not
    "height",
)  # then group_* and stratum_*, text
SPLIT_STATED = "split_stated"  # then this, only where a source states it: a split in a word of its own, text or null
BOXES = ("sample_id", "class_name", "x1", "y1", "x2", "y2")  # corners in [0, 1] of width and height, as labelled
PLACED = (  # then these three, only where a source states one of them for any box
    "product",  # what the object is, by name; null: nobody knows
    "row",  # of its shelf, from 1 at the top, null where nobody says
    "position",  # in its row, from 1 at the left
)
SCAN = (
    "sample_id",
    "problem",  # "" or what is wrong with the photograph, comma-separated: truncated, too_large ...
    "format",  # JPEG, PNG ...
    "mode",  # Pillow's mode: RGB, L, CMYK, I;16 ...
    "width",  # pixels as stored, before the EXIF orientation
    "height",
    "orientation",  # EXIF tag 274, 1 when absent
    "mean",  # of luma, 0..255
    "deviation",  # of luma, 0..255
    "sharpness",  # variance of the Laplacian of luma at 256 pixels width
    "sha256",  # of the decoded, upright RGB pixels and their size
    "phash",  # 64-bit perceptual hash, uint64
    "thumbnail",  # 16 x 16 luma, 256 bytes: tells two pictures apart whose hashes agree
)
ISSUES = ("sample_id", "check", "severity", "detail")
CLUSTERS = ("sample_id", "cluster")
SPLIT = ("sample_id", "group")
ROWS = (
    "sample_id",
    "group",
    # stratum_*
    "class_true",  # null: nothing is there (false alarm, or an empty photograph)
    "class_pred",  # null: nothing was said (miss, or an empty photograph)
    "score",  # raw confidence in [0, 1], 0 where class_pred is null
    "correct",  # class_pred is right at IoU .50
)
DETECTION = (
    "x1",  # pixels of the photograph as decoded, of the prediction, or of the truth for a miss
    "y1",
    "x2",
    "y2",
    "iou",  # with the matched truth at IoU .50, else with the best truth of the class, else 0
    "hits",  # uint16, bit i: a hit at IoU .50 + .05 i under COCO's greedy rule
)
IDENTIFICATION = (  # of a crop; then x1, y1, x2, y2, its corners in pixels of the photograph
    "similarity",  # cosine to the nearest product, -1 where the gallery is empty
    "margin",  # of that over the second product's similarity, 0 or more; 2 where there is no second
    "product",  # what is there, known or not; class_true is null where the gallery does not know it
)

FOLD = "fold"  # of rows by group: which training never saw the group, from 1
CALIBRATED = (  # then probability_<class>, of a classifier
    "confidence",  # probability that class_pred is right, 0 where it is null
    "class_pred",  # of a classifier anew: the class of the largest probability
    "correct",  # of that
    "correct_before",  # as the network's own class_pred was
    "gate",  # of a classifier with a gate: calibrated probability that it is right
)
DECIDED = (  # the last three of a classifier
    "accept",  # the policy lets it stand; everything else is an abstention
    "selected",  # answered, with one class or several
    "prediction_set",  # classes that are possible, joined by "|"
    "set_size",
)
NUMBERED = (  # the last three where misses and false alarms of one class are counted
    "class",  # what is there, or else what was said to be there
    "calibrated",  # the calibrator was fitted for scores like this one
    "group_index",  # place of the group in sorted order, from 0
    "first",  # one row of each sample
    "positive",  # the positive class is there
    "said_positive",  # it is class_pred
    "positive_probability",
)
COUNTS = ("sample_id", "group", "class", "n_true", "n_pred")  # and stratum_*
UNKNOWN = "unknown"  # the class of COUNTS for objects that are, or are said to be, no product of the gallery


def products_of(boxes: "pd.DataFrame") -> "pd.Series[str]":
    """Return the product of each box: as the data set states it, null where nobody knows, else the box's class."""
    return boxes["product" if "product" in boxes else "class_name"]


def group_columns(table: "pd.DataFrame") -> list[str]:
    """Names of the leakage keys of a samples table, sorted."""
    return sorted(column for column in table.columns if column.startswith(GROUP))


def stratum_columns(table: "pd.DataFrame") -> list[str]:
    """Names of the strata of a table, sorted."""
    return sorted(column for column in table.columns if column.startswith(STRATUM))
