"""The table of metrics. Measures, gates, comparison and pages read it, in its order; `measures` computes."""

from typing import Annotated

from pydantic import AfterValidator

from vouch.evaluation.metrics.definitions.answers import OF_ANSWERS, OF_CROPS
from vouch.evaluation.metrics.definitions.confidence import OF_CONFIDENCE
from vouch.evaluation.metrics.definitions.counts import OF_COUNTS
from vouch.evaluation.metrics.definitions.materials import OF_DATA, OF_SHIPPED
from vouch.evaluation.metrics.definitions.metric import NEITHER, Method
from vouch.evaluation.metrics.definitions.policies import OF_EVERY_POLICY, OF_POLICY

METRICS = {  # in the order of the page
    **OF_ANSWERS,
    **OF_CROPS,
    **OF_CONFIDENCE,
    **OF_EVERY_POLICY,
    **OF_POLICY,
    **OF_COUNTS,
    **OF_DATA,
    **OF_SHIPPED,
}


def names_of(*intervals: Method) -> frozenset[str]:
    """Return the metrics whose interval is one of these."""
    return frozenset(name for name, metric in METRICS.items() if metric.interval in intervals)


def _measurable(name: str) -> str:
    if name not in METRICS or METRICS[name].interval is None:
        raise ValueError(f"one of {sorted(name for name, metric in METRICS.items() if metric.interval)}")
    return name


def _directed(name: str) -> str:
    if METRICS[_measurable(name)].direction == NEITHER:
        raise ValueError(f"a metric of which more or less is better, unlike {name}")
    return name


MetricName = Annotated[str, AfterValidator(_measurable)]  # a parameter that names a metric of val_test
ComparedName = Annotated[str, AfterValidator(_directed)]  # and one that tells the better of two sides
