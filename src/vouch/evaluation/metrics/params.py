"""Parameters of what judges and compares: how groups are resampled, and what is told of them."""

from typing import Annotated

from pydantic import Field

from vouch.evaluation.metrics.definitions.table import MetricName
from vouch.params import Section


class Bootstrap(Section):
    """Groups drawn with replacement, and the level of the intervals that come of it."""

    replicates: Annotated[int, Field(ge=200, le=1_000_000)]  # 4 bytes for each group of each, 5 with patterns of signs
    seed: Annotated[int, Field(ge=0)]
    level: Annotated[float, Field(gt=0.5, lt=1.0)]


class Intervals(Bootstrap):
    """Intervals that are marked where groups are few."""

    few_groups: Annotated[int, Field(ge=2)]


class MetricsTable(Intervals):
    """Which metrics are taken, on the whole, by stratum and by strata crossed."""

    metrics: tuple[MetricName, ...]
    crossed: tuple[tuple[str, ...], ...]
