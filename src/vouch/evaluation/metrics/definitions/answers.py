"""Metrics of what a model answers: of detections, of classes, and of crops of known and unknown products."""

from vouch.evaluation.metrics.definitions.metric import CLASSES, HIGHER, LOWER, NEAREST, POSITIVE, Metric

OF_ANSWERS: dict[str, Metric] = {
    "map50": Metric(
        "mAP at IoU .50",
        "Ranking quality over all confidences; a box counts when it overlaps by half.",
        HIGHER,
        "effective",
        ("hits",),
    ),
    "map75": Metric(
        "mAP at IoU .75",
        "As mAP, a box counts when it overlaps by three quarters.",
        HIGHER,
        "effective",
        ("hits",),
    ),
    "map50_95": Metric(
        "mAP at IoU .50–.95",
        "As mAP, averaged over ten overlaps: rewards tight boxes.",
        HIGHER,
        "effective",
        ("hits",),
    ),
    "recall": Metric("Recall", "Share of labelled objects that the policy accepts a right box for.", HIGHER, "share"),
    "precision": Metric("Precision", "Share of accepted boxes that are right.", HIGHER, "share"),
    "false_alarms_per_sample": Metric(
        "False alarms a photograph", "Mean number of accepted wrong boxes.", LOWER, "count", by_class=False
    ),
    "limit_reached_fraction": Metric(
        "Limit reached",
        "Share of photographs with as many detections as `predict.limit` lets through: more may be there.",
        LOWER,
        "share",
        ("limited",),
        by_class=False,
    ),
    "accuracy": Metric("Accuracy", "Share of photographs that get the right class.", HIGHER, "share", CLASSES),
    "accuracy_on_exits": Metric(
        "Accuracy of answers", "Share of answered photographs that get the right class.", HIGHER, "share"
    ),
    "auroc": Metric(
        "AUROC",
        "Chance that a photograph of a class scores above one of another.",
        HIGHER,
        "logit",
        CLASSES,
        by_class=False,
    ),
    "recall_at_precision_95": Metric(
        "Recall at 95 % precision",
        "Share of positives above the threshold that still has 95 % precision.",
        HIGHER,
        "effective",
        (*POSITIVE, *CLASSES),
        by_class=False,
    ),
}


OF_CROPS: dict[str, Metric] = {
    "top1": Metric("Top-1", "Share of known crops whose nearest product is theirs.", HIGHER, "share", NEAREST),
    "top1_accepted": Metric(
        "Top-1 of named crops",
        "Share of crops with a name that is theirs; an unknown one has none.",
        HIGHER,
        "share",
        NEAREST,
    ),
    "known_accept_rate": Metric(
        "Known crops named", "Share of known crops that get a name, right or wrong.", HIGHER, "share", NEAREST
    ),
    "unknown_false_accept_rate": Metric(
        "Unknown crops named", "Share of unknown crops that get a name all the same.", LOWER, "share", NEAREST
    ),
    "auroc_unknown": Metric(
        "AUROC of known against unknown",
        "Chance that a known crop scores above an unknown one.",
        HIGHER,
        "logit",
        NEAREST,
        by_class=False,
    ),
    "oscr": Metric(
        "OSCR",
        "Share of known crops named rightly, averaged over the shares of unknown ones that the threshold lets through.",
        HIGHER,
        "logit",
        NEAREST,
        by_class=False,
    ),
    "tpr_at_fpr_05": Metric(
        "Known crops named at 5 % unknown",
        "Share of known crops above the threshold that 5 % of unknown ones reach.",
        HIGHER,
        "effective",
        NEAREST,
        by_class=False,
    ),
}
