"""What is said of a metric: what it is called, which way is better, its interval, and the columns it needs."""

from dataclasses import dataclass
from typing import Literal

from vouch.tables import PROBABILITY

Direction = Literal[1, -1, 0]
Method = Literal["share", "effective", "count", "log", "logit", "percentile", "noise"]  # see `intervals.estimate`

HIGHER: Direction = 1
LOWER: Direction = -1
NEITHER: Direction = 0  # too much and too little are as bad
CLASSES = (PROBABILITY,)
POSITIVE = ("positive",)
NEAREST = ("similarity",)
BOXES = ("x1", "y1", "x2", "y2", "iou")
COUNTED = ("n_true", "n_pred")
OVERALL = "overall"  # stands beside metrics in comparison.json: the verdict over all of them
BEFORE = "_before"  # ends the name of a metric as it was before calibration


@dataclass(frozen=True)
class Metric:
    """How a metric is read.

    Attributes
    ----------
    title, sentence
        What it is called, and what it says.
    direction
        1 when higher is better, -1 when lower is, 0 when it should be near 0: such a metric is read, neither limited by
        a gate nor compared.
    interval
        The family: which of `intervals.estimate`'s methods; docs/intervals.md says what each errs by. None: a value
        alone, as a comparison of two files or a fit on val_select gives it.
    needs
        Columns beside those of every task; a name that ends with "_" is the prefix of at least one.
    by_class
        Whether it means something on one class alone.
    """

    title: str
    sentence: str
    direction: Direction
    interval: Method | None = None
    needs: tuple[str, ...] = ()
    by_class: bool = True
