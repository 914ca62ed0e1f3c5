"""The table of metrics: what each is called and says, which way is better, its interval, and the columns it needs.

Measures, gates, comparison and pages read it, in its order; of arithmetic it knows nothing. `measures` computes.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

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


def _one_vs_rest(title: str, sentence: str) -> Metric:
    return Metric(f"{title}, one class against the rest", f"Of the class's probability: {sentence}", LOWER)


METRICS = {  # in the order of the page
    # of detections and of answers
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
    # of crops of known and unknown products
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
    # of confidence
    "ece": Metric(
        "Calibration error (ECE)", "Mean distance between confidence and how often it is right.", LOWER, "noise"
    ),
    "ece_accepted": Metric("ECE of accepted boxes", "The same distance among what the policy accepts.", LOWER, "noise"),
    "ece_before": Metric("ECE before calibration", "The same distance for the raw scores.", LOWER, "noise"),
    "ece_adaptive": Metric("Adaptive ECE", "The same with equally filled bins.", LOWER, "noise"),
    "ece_debiased": Metric("Debiased ECE", "The same less what chance adds.", LOWER, "noise"),
    "ece_classwise": Metric(
        "Classwise ECE",
        "The same of each class's probability, whether or not it was answered, averaged over classes.",
        LOWER,
        "noise",
        CLASSES,
        by_class=False,
    ),
    "ece_class_mean": Metric("Mean ECE of classes", "The same for each predicted class, averaged over them.", LOWER),
    "mce": Metric("Largest calibration error", "The worst bin's distance.", LOWER, "noise"),
    "d_ece": Metric("D-ECE", "Calibration error of detections, over confidence and box size.", LOWER, needs=BOXES),
    "laece0": Metric("LaECE", "Mean distance between confidence and overlap with the object.", LOWER, needs=("iou",)),
    "laace0": Metric("LaACE", "As LaECE, detection by detection instead of in bins.", LOWER, needs=("iou",)),
    "nll": Metric("Negative log-likelihood", "Mean surprise at the true class.", LOWER, "log", CLASSES),
    "nll_confidence": Metric(
        "Negative log-likelihood of confidence", "Mean surprise at whether an answer is right.", LOWER
    ),
    "brier": Metric(
        "Brier score",
        "Mean squared distance of the probabilities from the truth, summed over classes: 0 to 2.",
        LOWER,
        "log",
        CLASSES,
    ),
    "brier_confidence": Metric(
        "Brier score of confidence",
        "Mean squared distance of the confidence from 1 where the answer is right, else from 0: 0 to 1.",
        LOWER,
    ),
    "gate_ece": Metric(
        "Calibration error of the gate head", "Mean distance between its word and how often it is right.", LOWER
    ),
    "gate_nll": Metric(
        "Log-likelihood of the gate head, negative", "Mean surprise at whether an answer is right.", LOWER
    ),
    "gate_brier": Metric(
        "Brier score of the gate head", "Mean squared distance of its word from whether that is so: 0 to 1.", LOWER
    ),
    "one_vs_rest_ece": _one_vs_rest("ECE", "mean distance from how often the class is there."),
    "one_vs_rest_ece_adaptive": _one_vs_rest("Adaptive ECE", "the same with equally filled bins."),
    "one_vs_rest_ece_debiased": _one_vs_rest("Debiased ECE", "the same less what chance adds."),
    "one_vs_rest_mce": _one_vs_rest("Largest calibration error", "the worst bin's distance."),
    "one_vs_rest_nll": _one_vs_rest("Negative log-likelihood", "mean surprise at whether the class is there."),
    "one_vs_rest_brier": _one_vs_rest("Brier score", "mean squared distance from whether it is there: 0 to 1."),
    # of every policy that confidence allows
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
    # of the policy
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
    # of counts: pairs of a photograph and a product that is there or was said to be
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
    # of a data set
    "largest_component_fraction": Metric(
        "Largest component fraction", "Share of photographs that the largest indivisible part of a split holds.", LOWER
    ),
    "missing_coverage": Metric("Missing coverage", "How many required strata or classes have too little.", LOWER),
    "near_duplicate_fraction": Metric("Near duplicate fraction", "Share of photographs that repeat another.", LOWER),
    "quarantined_fraction": Metric("Quarantined fraction", "Share of photographs that are set aside.", LOWER),
    # of what ships against what was trained
    "box_difference_px": Metric(
        "Box difference, pixels", "Largest shift of a box between what was trained and what ships.", LOWER
    ),
    "changed_photographs": Metric(
        "Photographs that changed",
        "Where what ships gives another class or product, or another set of boxes passes the floor.",
        LOWER,
    ),
    "changed_fraction": Metric("Share that changed", "The same as a share of the photographs compared.", LOWER),
    "logit_difference": Metric(
        "Logit difference", "Largest change of a logit between what was trained and what ships.", LOWER
    ),
    "embedding_difference": Metric(
        "Embedding difference", "Longest way an embedding of length 1 moved from what was trained to what ships.", LOWER
    ),
    "least_cosine": Metric(
        "Least cosine", "Of an embedding from what ships to that of the same crop from its source.", HIGHER
    ),
    "score_difference": Metric(
        "Score difference", "Largest change of a score between what was trained and what ships.", LOWER
    ),
    "boxes_found_again": Metric(
        "Boxes found again",
        "Share of its source's boxes that what ships has too: same class, nearly same place.",
        HIGHER,
    ),
    "file_bytes": Metric("File, bytes", "Size of the network that ships.", LOWER),
    "file_fraction": Metric("Share of the size", "Of the file that it was made of.", LOWER),
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
