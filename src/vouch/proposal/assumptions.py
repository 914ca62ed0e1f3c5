"""What a proposal says of itself: each assumption with its reason, in the order of reading, and what to beware of."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from vouch.calibration.fit.params import SECTIONS
from vouch.evaluation.foresight import labelled, of_calibrator, unknown_left_out
from vouch.params import check, preset_file
from vouch.proposal.candidates import LEAST
from vouch.proposal.formats import Said, counted, listed
from vouch.proposal.fractions import Shares
from vouch.proposal.groups import Groups
from vouch.proposal.network import Sizes
from vouch.proposal.survey import Survey
from vouch.proposal.unknown import described
from vouch.tasks import Task

LARGEST = 0.25  # share of photographs in one group, above which it is said
SHOWN = 8  # classes that are listed


def of_folder(found: Survey, sizes: Sizes) -> Iterator[Said]:
    """Say what the folder holds: format, task, classes, side manifest."""
    boxes = sum(len(record.boxes) for record in found.records)
    labels = f"{boxes:,} boxes" if found.task == "detect" else "a label each"
    yield f"format {found.descriptor.format}", found.evidence
    yield f"task {found.task}", f"{len(found.records):,} photographs with {labels}; {sizes.described()}"
    counts = Counter(box[0] for record in found.records for box in record.boxes)
    counts = counts if found.task == "detect" else Counter(label for label in found.labels if label is not None)
    shown = ", ".join(f"{one} {counts[one]:,}" for one in found.classes[:SHOWN])
    more = f" and {len(found.classes) - SHOWN} more" if len(found.classes) > SHOWN else ""
    yield f"{len(found.classes)} class{'es' if len(found.classes) != 1 else ''}", shown + more
    if found.descriptor.manifest is not None and found.rows is not None:
        yield f"side manifest {found.descriptor.manifest}", f"columns {', '.join(found.columns)}"


def of_shares(shares: Shares, needed: Mapping[str, Any]) -> Iterator[Said]:
    """Say which products count as unknown, what each split gets, and what must stay of it."""
    if shares.unknown:
        yield described(shares.unknown)
    yield f"fractions {', '.join(f'{one} {share:g}' for one, share in shares.fractions.items())}", shares.described()
    why = f"half of what is there, or {LEAST}: a later loss blocks"
    yield f"coverage of {needed['min_components']:,} groups", why


def of_rules(judged: Mapping[str, Mapping[str, Any]], shares: Shares) -> Iterator[Said]:
    """Say which rules of the gate judge an interval, and which a value."""
    for bound in ("worst", "value"):
        names = [name for name, rule in judged.items() if rule["bound"] == bound]
        least = max((judged[name]["min_groups"] for name in names), default=0)
        end = "the end of its interval that hurts" if bound == "worst" else "its value alone"
        if names:
            why = f"by {end}, on at least {counted(least, 'group')}; val_test has {shares.groups['val_test']:,}"
            yield f"gate judges {', '.join(names)}", why


def lopsided(keys: Groups) -> Iterator[str]:
    """Name a group that holds so much that splits cannot come out as wanted."""
    for key, values in keys.values.items():
        name, most = Counter(values).most_common(1)[0]
        if most > LARGEST * len(values):
            yield (
                f"group {name!r} of `{key}` holds {most / len(values):.0%} of all photographs and stays in one split: "
                "what the others hold is all that can be judged by"
            )


def starved(shares: Shares) -> Iterator[str]:
    """Name a split that gets less than half of the photographs that its fraction says, and why that is so."""
    count = sum(shares.photographs.values())
    for split, fraction in shares.fractions.items():
        if 2 * shares.photographs[split] < fraction * count:
            yield (
                f"{split} gets {counted(shares.photographs[split], 'photograph')} of {count:,}, where {fraction:g} is "
                "wanted: classes or groups are too few, or too large, to be shared out as the fractions say"
            )


def unused(found: Survey) -> Iterator[str]:
    """Name the classes that the source lists and no label names."""
    names = [name for name in found.descriptor.classes if name not in found.classes]
    if names:
        yield f"no label names {', '.join(names)}: left out of the classes"


def unshown(samples: pd.DataFrame, boxes: pd.DataFrame, shares: Shares, task: Task) -> Iterator[str]:
    """Name the classes of which train shows nothing to learn by, and those of which val_test shows nothing to judge by.

    Parameters
    ----------
    samples, boxes : DataFrame
        As in `tables`.
    """
    rows = labelled(samples.merge(shares.split, on="sample_id"), boxes, task).dropna(subset="class_true")
    for split, what in (("train", "nobody learns them"), ("val_test", "no verdict is about them")):
        names = sorted(set(rows["class_true"]) - set(rows.loc[rows["split"] == split, "class_true"]))
        if names:
            classes = f"{len(names)} class{'es' if len(names) != 1 else ''}"
            yield f"{split} shows nothing of {classes} ({listed(names)}): {what}; add photographs of other groups"


def uncalibrated(
    samples: pd.DataFrame, boxes: pd.DataFrame, shares: Shares, task: Task, presets: Mapping[str, Any]
) -> Iterator[str]:
    """Say that scores will stay raw, where val_select shows too little for the calibrator of the task's preset.

    Parameters
    ----------
    samples, boxes : DataFrame
        As in `tables`.
    presets : map
        Every preset by its name.

    Raises
    ------
    ParamsError
        When the preset is none.
    """
    asked = check(SECTIONS[task], presets[task]["calibrate"], f"{preset_file(task)}: calibrate")
    placed = samples.merge(shares.split, on="sample_id")
    rows, train = (labelled(placed[placed["split"] == name], boxes, task) for name in ("val_select", "train"))
    known = unknown_left_out(rows, train) if task == "identify" else rows
    if why := of_calibrator(known, asked):
        yield f"{why}; more photographs of other groups mend that, or a larger share in `split.fractions`"
