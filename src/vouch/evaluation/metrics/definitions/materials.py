"""Metrics of a data set, and of what ships against what was trained."""

from vouch.evaluation.metrics.definitions.metric import HIGHER, LOWER, Metric

OF_DATA: dict[str, Metric] = {
    "largest_component_fraction": Metric(
        "Largest component fraction", "Share of photographs that the largest indivisible part of a split holds.", LOWER
    ),
    "missing_coverage": Metric("Missing coverage", "How many required strata or classes have too little.", LOWER),
    "near_duplicate_fraction": Metric("Near duplicate fraction", "Share of photographs that repeat another.", LOWER),
    "quarantined_fraction": Metric("Quarantined fraction", "Share of photographs that are set aside.", LOWER),
}


OF_SHIPPED: dict[str, Metric] = {
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
