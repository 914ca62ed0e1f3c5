"""Made-up classification rows as metrics want them: photographs in groups of one difficulty."""

import numpy as np
import pandas as pd

from vouch.evaluation.metrics.numbering import numbered

BINARY = ("clear", "work")
THREE = ("clear", "cone", "work")


def photographs(
    seed, *, size=400, groups=25, classes=BINARY, decimals=6, least=0.7, positive="work", difficulty=1.0, skill=1.5
):
    """Rows with probabilities of `classes`, rounded to make ties; a confidence of `least` or more is accepted."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, size)
    truth = rng.integers(0, len(classes), size)
    ease = skill + difficulty * rng.normal(0, 1, groups)[group]
    logits = rng.normal(0, 1, (size, len(classes)))
    logits[np.arange(size), truth] += ease
    probability = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), decimals)
    probability[:, -1] = 1 - probability[:, :-1].sum(axis=1)
    return rows_of(probability, truth, [f"g{number:05d}" for number in group], classes, least, positive, rng)


def rows_of(probability, truth, group, classes, least, positive, rng):
    confidence = probability.max(axis=1)
    names, said = np.array(classes, dtype=object), probability.argmax(axis=1)
    raw = rng.random(len(truth)) < 0.9  # the raw answer was another one in a tenth of the rows
    table = pd.DataFrame(
        {
            "sample_id": [f"s{number:06d}" for number in range(len(truth))],
            "group": group,
            "stratum_light": np.where(rng.random(len(truth)) < 0.5, "day", "night"),
            "class_true": pd.array(names[truth], dtype="str"),
            "class_pred": pd.array(names[said], dtype="str"),
            "score": np.sqrt(confidence),
            "correct": said == truth,
            "correct_before": (said == truth) & raw,
            "confidence": confidence,
            "accept": confidence >= least,
            "selected": confidence >= least - 0.1,
            "set_size": np.where(confidence >= least, 1.0, 2.0),
            **{f"probability_{name}": probability[:, place] for place, name in enumerate(classes)},
        }
    )
    return numbered(table, task="classify", floor=0.0, positive=positive)


def copied(rows, drawn):
    """The rows of a replicate, each as often as its group was drawn."""
    return rows.loc[np.repeat(rows.index, drawn[rows["group_index"]])]
