"""How a page says numbers, metrics, strata and guarantees to a reader who has two minutes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NO_EVIDENCE = "no evidence"


@dataclass(frozen=True)
class Metric:
    """What a metric is called, what it says in one sentence, and whether less of it is better."""

    title: str
    says: str
    less_is_better: bool = False


METRICS = {  # in the order of the page
    "map50": Metric("mAP at IoU .50", "Ranking quality over all confidences; a box counts when it overlaps by half."),
    "map50_95": Metric("mAP at IoU .50–.95", "As mAP, averaged over ten overlaps: rewards tight boxes."),
    "recall": Metric("Recall", "Share of labelled objects that the policy accepts a right box for."),
    "precision": Metric("Precision", "Share of accepted boxes that are right."),
    "false_alarms_per_sample": Metric("False alarms a photograph", "Mean number of accepted wrong boxes.", True),
    "accuracy": Metric("Accuracy", "Share of photographs that get the right class."),
    "top1": Metric("Top-1", "Share of known objects whose first guess is right."),
    "accuracy_on_exits": Metric("Accuracy of answers", "Share of answered photographs that get the right class."),
    "auroc": Metric("AUROC", "Chance that a photograph of a class scores above one of another."),
    "recall_at_precision_95": Metric(
        "Recall at 95 % precision", "Share of positives above the threshold that still has 95 % precision."
    ),
    "ece": Metric("Calibration error (ECE)", "Mean distance between confidence and how often it is right.", True),
    "ece_accepted": Metric("ECE of accepted boxes", "The same distance among what the policy accepts.", True),
    "ece_before": Metric("ECE before calibration", "The same distance for the raw scores.", True),
    **{
        name: Metric("Adaptive ECE", "The same with equally filled bins.", True)
        for name in ("adaptive_ece", "ece_adaptive")
    },
    **{
        name: Metric("Debiased ECE", "The same less what chance adds.", True)
        for name in ("debiased_ece", "ece_debiased")
    },
    **{
        name: Metric("Classwise ECE", "The same, averaged over classes.", True)
        for name in ("classwise_ece", "ece_classwise")
    },
    "mce": Metric("Largest calibration error", "The worst bin's distance.", True),
    "d_ece": Metric("D-ECE", "Calibration error of detections, over confidence and box size.", True),
    "laece0": Metric("LaECE", "Mean distance between confidence and overlap with the object.", True),
    "laace0": Metric("LaACE", "As LaECE, detection by detection instead of in bins.", True),
    "nll": Metric("Negative log-likelihood", "Mean surprise at the truth.", True),
    "brier": Metric("Brier score", "Mean squared distance of what was said from what is, summed over classes.", True),
    "gate_ece": Metric(
        "Calibration error of the gate", "Mean distance between its word and how often it is right.", True
    ),
    "gate_nll": Metric("Log-likelihood of the gate, negative", "Mean surprise at whether an answer is right.", True),
    "gate_brier": Metric("Brier score of the gate", "Mean squared distance of its word from whether that is so.", True),
    "aurc": Metric("AURC", "Mean risk of the surest answers over all coverages.", True),
    "e_aurc": Metric("Excess AURC", "AURC less what the best order of as many errors has.", True),
    "risk_at_coverage_80": Metric("Risk at 80 % coverage", "Share of wrong ones among the surest 80 %.", True),
    "coverage_at_risk_02": Metric("Coverage at 2 % risk", "Largest share answered with at most 2 % wrong."),
    "coverage_at_risk_02_first": Metric(
        "Coverage before 2 % risk", "Share answered before the risk first exceeds 2 %."
    ),
    "augrc": Metric("AUGRC", "Mean undetected-error risk over all coverages.", True),
    "coverage": Metric("Coverage", "Share of decisions that the policy answers rather than abstains from."),
    "coverage_at_precision_95": Metric("Coverage at 95 % precision", "Largest share answered at 95 % right answers."),
    "fnr_on_exits": Metric("Misses among answers", "Share of answered positives that were called negative.", True),
    "fpr_on_exits": Metric(
        "False alarms among answers", "Share of answered negatives that were called positive.", True
    ),
    "set_size_all": Metric("Set size over all", "Mean number of classes left open; an abstention leaves all.", True),
    "average_set_size": Metric("Average set size", "Mean number of classes in a prediction set.", True),
    "unknown_false_accept_rate": Metric("Unknowns accepted", "Share of unknown products that got a known name.", True),
    "count_mae": Metric("Count error", "Mean absolute error of a count.", True),
    "exact_count_rate": Metric("Exact counts", "Share of counts that are exactly right."),
    "box_difference_px": Metric(
        "Box difference, pixels", "Largest shift of a box between what was trained and what ships.", True
    ),
    "changed_photographs": Metric(
        "Photographs that changed",
        "Where what ships gives another class, or another set of boxes passes the floor.",
        True,
    ),
    "changed_fraction": Metric("Share that changed", "The same as a share of the photographs compared.", True),
    "logit_difference": Metric(
        "Logit difference", "Largest change of a logit between what was trained and what ships.", True
    ),
    "score_difference": Metric(
        "Score difference", "Largest change of a score between what was trained and what ships.", True
    ),
}

GUARANTEES = {  # what holds, with which probability, over what it is random, and whether exactly
    "none": "No statistical guarantee: the thresholds are chosen on val_calib and judged on val_test, no more.",
    "marginal": (
        "On average: over draws of val_calib and of the next photograph, the risk is at most alpha and the share "
        "selected at least xi, exactly where rows are independent. The risk of this one model may be larger."
    ),
    "pac": (
        "Coverage: with probability 1 − delta over draws of val_calib, at least the share xi of new photographs is "
        "selected. The risk is at most alpha on average over such draws; the risk of this one model may be larger."
    ),
    "certified": (
        "Certified: a rule whose risk is above alpha would have passed in at most the share delta of draws of "
        "val_calib. That is exact where photographs are independent of each other, and approximate, backed by "
        "simulation, where those of a group are alike."
    ),
}

BOUNDS = {"value": "value", "low": "lower bound", "high": "upper bound", "verdict": "verdict"}
OPERATORS = {">=": "≥", "<=": "≤", ">": ">", "<": "<", "==": "="}


def metric(name: str) -> Metric:
    """Return how to speak of a metric; one that is not listed keeps its own name."""
    return METRICS.get(name, Metric(name.replace("_", " ").capitalize(), ""))


def in_order(names: Mapping[str, Any]) -> list[str]:
    """Return metric names in the order of the page, unlisted ones last, by name."""
    order = {name: place for place, name in enumerate(METRICS)}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))


def number(value: float | None, digits: int = 3) -> str:
    """Return a number as a reader wants it: fixed decimals, grouped thousands, a power of ten when tiny.

    >>> number(0.97349), number(1234567), number(0.0000252), number(-0.0), number(None)
    ('0.973', '1,234,567', '2.5×10⁻⁵', '0.000', 'no evidence')
    """
    if value is None:
        return NO_EVIDENCE
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if value != 0 and abs(value) < 0.5 * 10**-digits:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPT)}".replace("-", "−")
    return f"{value + 0.0:,.{digits}f}".replace("-", "−")


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def signed(value: float | None) -> str:
    """Return a difference with its sign.

    >>> signed(0.0251), signed(-0.004), signed(0.0), signed(None)
    ('+0.025', '−0.004', '0.000', 'no evidence')
    """
    text = number(value)
    return f"+{text}" if value is not None and value > 0 else text


def interval(cell: Mapping[str, Any] | None) -> str:
    """Return the interval of a metric's cell, empty where there is none.

    >>> interval({"value": 0.9, "low": 0.871, "high": 0.932})
    '[0.871, 0.932]'
    """
    if cell is None or cell.get("low") is None or cell.get("high") is None:
        return ""
    return f"[{number(cell['low'])}, {number(cell['high'])}]"


def p_value(value: float | None) -> str:
    """Return a p value: three decimals, or the bound below them."""
    return NO_EVIDENCE if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def share(part: float, whole: float) -> str:
    """Return a percentage with one decimal, a dash of nothing.

    >>> share(1, 8), share(0, 0)
    ('12.5 %', '–')
    """
    return f"{100 * part / whole:.1f} %" if whole else "–"


def percent(value: float) -> str:
    """Return a share that is not nothing as a whole percentage, where room is scarce.

    >>> percent(0.125), percent(0.004), percent(0.996), percent(1.0)
    ('12 %', '<1 %', '>99 %', '100 %')
    """
    if 0 < value < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < value < 1 else f"{100 * value:.0f} %"


def parts(name: str) -> list[tuple[str, str]]:
    """Return the keys and values of a stratum; a comma inside a value, before no key, does not cross anything.

    >>> parts("stream=cabin,scenario=night"), parts("class=can, opened"), parts("all")
    ([('stream', 'cabin'), ('scenario', 'night')], [('class', 'can, opened')], [])
    """
    pairs = (part.partition("=") for part in re.split(r",(?=[^,=]+=)", name))
    return [(key, value) for key, equals, value in pairs if equals]


def stratum(name: str) -> str:
    """Return a stratum as words.

    >>> stratum("all"), stratum("stream=cabin,scenario=night")
    ('everything', 'stream cabin × scenario night')
    """
    return " × ".join(f"{key} {value}" for key, value in parts(name)) or "everything"
