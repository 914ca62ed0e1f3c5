"""How a page says numbers, metrics, strata and guarantees to a reader who has two minutes."""

import re
from collections.abc import Mapping
from typing import Any

from vouch.evaluation.metrics.definitions.metric import HIGHER, Metric
from vouch.evaluation.metrics.definitions.table import METRICS

NO_EVIDENCE = "no evidence"
LEAST_SHOWN = 0.0005  # of three decimals

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
OPERATORS = {">=": "≥", "<=": "≤"}


def metric(name: str) -> Metric:
    """Return how to speak of a metric; one that is not listed keeps its own name."""
    return METRICS.get(name, Metric(name.replace("_", " ").capitalize(), "", HIGHER))


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

    An end that is nothing beside the other one is shown as such.

    >>> interval({"value": 0.9, "low": 0.871, "high": 0.932})
    '[0.871, 0.932]'
    >>> interval({"value": 0.006, "low": 0.000035, "high": 0.01})
    '[0.000, 0.010]'
    """
    if cell is None or cell.get("low") is None or cell.get("high") is None:
        return ""
    ends = [cell["low"], cell["high"]]
    if max(map(abs, ends)) >= LEAST_SHOWN:
        ends = [0.0 if abs(end) < LEAST_SHOWN else end for end in ends]
    return f"[{number(ends[0])}, {number(ends[1])}]"


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
