"""Metrics of counts: of pairs of a photograph and a product that is there or was said to be."""

from vouch.evaluation.metrics.definitions.metric import COUNTED, HIGHER, LOWER, NEITHER, Metric

OF_COUNTS: dict[str, Metric] = {
    "count_mae": Metric(
        "Count error",
        "Mean over products of how far a count is off, where the product is there or was said to be.",
        LOWER,
        "count",
        COUNTED,
    ),
    "count_mae_micro": Metric(
        "Count error, over all pairs",
        "The same over all pairs of a photograph and a product: frequent products weigh more.",
        LOWER,
        "count",
        COUNTED,
    ),
    "exact_count_rate": Metric(
        "Exact counts",
        "Share of pairs of a photograph and a product that are counted exactly.",
        HIGHER,
        "share",
        COUNTED,
    ),
    "count_bias": Metric(
        "Count bias",
        "Mean of counts less truths over the same pairs: above 0 too many, below 0 too few.",
        NEITHER,
        "percentile",
        COUNTED,
    ),
    "false_gap_rate": Metric(
        "False gaps", "Share of products there, photograph by photograph, that are counted 0.", LOWER, "share", COUNTED
    ),
    "hidden_gap_rate": Metric(
        "Hidden gaps",
        "Share of products counted, photograph by photograph, that are not there.",
        LOWER,
        "share",
        COUNTED,
    ),
}
