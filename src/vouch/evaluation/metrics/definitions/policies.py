"""Metrics of what is answered and what is left open: of every policy that confidence allows, and of the one at hand."""

from vouch.evaluation.metrics.definitions.metric import HIGHER, LOWER, POSITIVE, Metric

OF_EVERY_POLICY: dict[str, Metric] = {
    "aurc": Metric("AURC", "Mean risk of the surest answers over all coverages.", LOWER, "log"),
    "e_aurc": Metric("Excess AURC", "AURC less what the best order of as many errors has.", LOWER, "log"),
    "risk_at_coverage_80": Metric(
        "Risk at 80 % coverage", "Share of wrong ones among the surest 80 %.", LOWER, "effective"
    ),
    "coverage_at_risk_02": Metric(
        "Coverage at 2 % risk", "Largest share answered with at most 2 % wrong.", HIGHER, "percentile"
    ),
    "coverage_at_risk_02_first": Metric(
        "Coverage before 2 % risk", "Share answered before the risk first exceeds 2 %.", HIGHER, "percentile"
    ),
    "augrc": Metric("AUGRC", "Mean undetected-error risk over all coverages.", LOWER, "log"),
}


OF_POLICY: dict[str, Metric] = {
    "coverage": Metric(
        "Coverage", "Share of decisions that the policy answers rather than abstains from.", HIGHER, "share"
    ),
    "coverage_at_precision_95": Metric(
        "Coverage at 95 % precision", "Largest share answered at 95 % right answers.", HIGHER, "percentile"
    ),
    "fnr_on_exits": Metric(
        "Misses among answers",
        "Share of answered positives that were called negative.",
        LOWER,
        "share",
        POSITIVE,
        by_class=False,
    ),
    "fpr_on_exits": Metric(
        "False alarms among answers",
        "Share of answered negatives that were called positive.",
        LOWER,
        "share",
        POSITIVE,
        by_class=False,
    ),
    "set_size_all": Metric(
        "Set size over all",
        "Mean number of classes left open; an abstention leaves all.",
        LOWER,
        "log",
        ("set_size",),
    ),
    "average_set_size": Metric(
        "Average set size",
        "Mean number of classes in a prediction set.",
        LOWER,
        "log",
        ("selected", "set_size"),
    ),
}
