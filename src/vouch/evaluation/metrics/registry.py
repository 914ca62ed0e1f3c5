"""Every metric by name, what it needs, and the rows as metrics want them.

Three families: ratios of sums over rows (`ratios`, `probabilities`, `calibration_error`), ranks of detections
(`average_precision`), and orders of answers or of a class (`selective`, `auroc`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import AfterValidator

from vouch.calibration.apply.calibrator import Calibrator, calibrated
from vouch.calibration.apply.probabilities import PROBABILITY, label_problems
from vouch.calibration.fit.calibration_errors import equal_mass, equal_width
from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.metrics import auroc, calibration_error, probabilities, ratios, selective
from vouch.evaluation.metrics.average_precision import IOU_BITS, mean_average_precision
from vouch.evaluation.metrics.intervals import FloatArray, Measure, Method
from vouch.evaluation.metrics.ratios import Terms, ratio
from vouch.policies.apply.policy import Policy, decided
from vouch.policies.apply.rows import class_names


@dataclass(frozen=True)
class Metric:
    """How a metric is read, and how it is made ready on rows.

    Attributes
    ----------
    better
        1 when higher is better, -1 when lower is.
    interval
        Which of `intervals.estimate`'s methods; docs/intervals.md says what each errs by.
    measure
        Takes judged rows (a stratum of them) and the number of groups in the whole table.
    by_class
        Whether it means something on one class alone.
    needs
        Columns beside those of every task; a name that ends with "_" is the prefix of at least one.
    chance
        For a calibration error: takes judged rows and the correlation of a group's rows, returns what a perfectly
        calibrated model would show on average. None for other metrics.
    """

    better: int
    interval: Method
    measure: Callable[[pd.DataFrame, int], Measure]
    by_class: bool = True
    needs: tuple[str, ...] = ()
    chance: Callable[[pd.DataFrame, float], float | None] | None = None


def judged(rows: pd.DataFrame, *, calibrator: Calibrator, policy: Policy, positive: str | None = None) -> pd.DataFrame:
    """Return the rows as metrics want them: calibrated, decided, numbered.

    Photographs of a classification that nobody labelled are left out. Added are what `calibrated` and `decided` add,
    and

    * `calibrated`: the calibrator was made for scores like this one;
    * `group_index`: place of the group in sorted order, from 0;
    * `first`: one row of each sample;
    * where `positive`, or else the policy, names a positive class: `positive` (it is there), `said_positive` (it was
      answered) and `positive_probability`.

    Raises
    ------
    DataError
        When no photograph of a classification is labelled, or a label or the positive class is none of its classes.
    """
    found = decided(policy, calibrated(calibrator, rows))
    return prepared(found, floor=calibrator.get("floor", 0.0), positive=positive or policy.get("positive"))


def prepared(rows: pd.DataFrame, *, floor: float, positive: str | None) -> pd.DataFrame:
    """Return calibrated and decided rows with the last columns of `judged`.

    Parameters
    ----------
    floor : float
        The raw score from which on the calibrator was fitted.
    positive : str, optional
        The class of which misses and false alarms are counted.
    """
    names = class_names(rows)
    if names:
        rows = _labelled(rows, names)
    found = rows.assign(
        calibrated=rows["class_pred"].notna() & (rows["score"].to_numpy(dtype=np.float64) >= floor),
        group_index=pd.factorize(rows["group"], sort=True)[0],
        first=~rows["sample_id"].duplicated(),
    )
    if positive is None:
        return found
    if positive not in names:
        remedy = "name a class that the model has probabilities of"
        raise DataError([Problem("positive class", f"one of {names}", positive, remedy)])
    return found.assign(
        positive=rows["class_true"].to_numpy(dtype=object) == positive,
        said_positive=rows["class_pred"].to_numpy(dtype=object) == positive,
        positive_probability=rows[PROBABILITY + positive],
    )


def _labelled(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    refuse_any(DataError, label_problems(rows, names))
    found = rows[rows["class_true"].notna().to_numpy(dtype=bool)]
    if found.empty:
        raise DataError([Problem("class_true", "labelled photographs", "none", "label photographs of this split")])
    return found


def refuse_unmeasurable(rows: pd.DataFrame, names: Sequence[str], *, side: str = "") -> None:
    """Return when the rows have every column that the named metrics need.

    Raises
    ------
    DataError
        Naming each metric and the columns that it lacks.
    """
    remedy = "leave the metric out for this model, or judge rows that carry it"
    problems = [
        Problem(f"{side}metric {name}", f"judged rows with {_columns(lacking)}", "rows without", remedy)
        for name in names
        if (lacking := missing_columns(rows, name))
    ]
    refuse_any(DataError, problems)


def missing_columns(rows: pd.DataFrame, name: str) -> list[str]:
    """Return the columns that a metric needs and the rows lack."""
    present = [str(column) for column in rows.columns]
    return [
        need
        for need in METRICS[name].needs
        if need not in present and not (need.endswith("_") and any(column.startswith(need) for column in present))
    ]


def _columns(needs: Sequence[str]) -> str:
    said = [f"column {need}<class>" if need.endswith("_") else f"column {need}" for need in needs]
    notes = {"column positive": "column positive (a policy that names a positive class)"}
    return ", ".join(notes.get(need, need) for need in said)


def _counted(terms: Callable[[pd.DataFrame], Terms], *, share: bool = True) -> Callable[[pd.DataFrame, int], Measure]:
    return partial(ratio, terms=terms, share=share)


def _calibration(
    terms: Callable[[pd.DataFrame], Terms],
    *,
    stated: str,
    counted: str,
    bins: Callable[[FloatArray, int], npt.NDArray[np.intp]],
) -> Metric:
    chance = partial(calibration_error.expected, stated=stated, counted=counted, bins=bins)
    return Metric(-1, "noise", _counted(terms), chance=chance)


CLASSES = (PROBABILITY,)
POSITIVE = ("positive",)
SETS = ("selected", "set_size")

METRICS = {
    # of detections
    "map50": Metric(1, "effective", partial(mean_average_precision, bits=(0,)), needs=("hits",)),
    "map50_95": Metric(1, "effective", partial(mean_average_precision, bits=IOU_BITS), needs=("hits",)),
    "recall": Metric(1, "share", _counted(ratios.recall)),
    "precision": Metric(1, "share", _counted(ratios.precision)),
    "false_alarms_per_sample": Metric(-1, "count", _counted(ratios.false_alarms, share=False), by_class=False),
    # of class probabilities
    "accuracy": Metric(1, "share", _counted(ratios.accuracy), needs=CLASSES),
    "nll": Metric(-1, "log", _counted(probabilities.nll, share=False), needs=CLASSES),
    "brier": Metric(-1, "log", _counted(probabilities.brier, share=False), needs=CLASSES),
    "auroc": Metric(1, "logit", auroc.auroc, by_class=False, needs=CLASSES),
    "recall_at_precision_95": Metric(
        1, "effective", partial(auroc.recall_at_precision, limit=0.05), by_class=False, needs=(*POSITIVE, *CLASSES)
    ),
    # of confidence
    "ece": _calibration(calibration_error.ece, stated="confidence", counted="calibrated", bins=equal_width),
    "ece_before": _calibration(calibration_error.ece_before, stated="score", counted="calibrated", bins=equal_width),
    "ece_accepted": _calibration(
        calibration_error.ece_accepted, stated="confidence", counted="accept", bins=equal_width
    ),
    "ece_adaptive": _calibration(
        calibration_error.ece_adaptive, stated="confidence", counted="calibrated", bins=equal_mass
    ),
    "ece_debiased": Metric(-1, "noise", calibration_error.ece_debiased),
    "ece_classwise": Metric(
        -1,
        "noise",
        calibration_error.ece_classwise,
        by_class=False,
        needs=CLASSES,
        chance=calibration_error.expected_classwise,
    ),
    "mce": Metric(-1, "noise", calibration_error.mce),
    # of the policy
    "coverage": Metric(1, "share", _counted(ratios.coverage)),
    "accuracy_on_exits": Metric(1, "share", _counted(ratios.precision)),
    "fnr_on_exits": Metric(-1, "share", _counted(ratios.fnr_on_exits), by_class=False, needs=POSITIVE),
    "fpr_on_exits": Metric(-1, "share", _counted(ratios.fpr_on_exits), by_class=False, needs=POSITIVE),
    "average_set_size": Metric(
        -1, "log", _counted(probabilities.set_size, share=False), needs=("selected", "set_size")
    ),
    "set_size_all": Metric(-1, "log", _counted(probabilities.set_size_all, share=False), needs=SETS[1:]),
    # of every policy that confidence allows
    "aurc": Metric(-1, "log", selective.aurc),
    "e_aurc": Metric(-1, "log", selective.e_aurc),
    "augrc": Metric(-1, "log", selective.augrc),
    "risk_at_coverage_80": Metric(-1, "effective", partial(selective.risk_at_coverage, share=0.8)),
    "coverage_at_risk_02": Metric(1, "percentile", partial(selective.coverage_at_risk, limit=0.02)),
    "coverage_at_risk_02_first": Metric(1, "percentile", partial(selective.coverage_before_risk, limit=0.02)),
    "coverage_at_precision_95": Metric(1, "percentile", partial(selective.coverage_at_risk, limit=0.05)),
}


def _known(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"one of {sorted(METRICS)}")
    return name


MetricName = Annotated[str, AfterValidator(_known)]  # a parameter that names a metric
