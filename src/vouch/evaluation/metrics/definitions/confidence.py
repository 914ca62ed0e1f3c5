"""Metrics of confidence: how far it is from how often it is right."""

from vouch.evaluation.metrics.definitions.metric import BOXES, CLASSES, LOWER, Metric


def _one_vs_rest(title: str, sentence: str) -> Metric:
    return Metric(f"{title}, one class against the rest", f"Of the class's probability: {sentence}", LOWER)


OF_CONFIDENCE: dict[str, Metric] = {
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
}
