"""The splits contract: train shapes weights; val_select shapes scores; val_calib fixes decisions; val_test judges.

A stage opens a split, or predictions on it, by naming its purpose; any other purpose is refused.
"""

import pandas as pd

from vouch import io, paths
from vouch.errors import LeakageError, Problem

PURPOSES = {
    "fit_weights": ("train",),
    "compare_exports": ("train",),  # a network and what was made of it see the same photographs, nothing is learned
    "choose_checkpoint": ("val_select",),
    "fit_calibrator": ("val_select",),
    "choose_labels": ("val_select",),  # what a person labels next follows from what the model gets wrong
    "fix_policy": ("val_calib",),
    "judge": ("val_test",),
    "watch": ("val_calib",),  # new photographs are compared with it after the release, nothing is learned
    "predict": ("val_select", "val_calib", "val_test"),  # scores are computed, nothing is learned
    "exclude": ("val_select", "val_calib", "val_test"),  # photographs from elsewhere must be none of these
    "hold_out": ("train", "val_select", "val_calib"),  # a benchmark must be of nothing that made the model
    "describe": ("train", "val_select", "val_calib", "val_test"),  # members are counted for a page, nothing is learned
}


def allow(split: str, purpose: str) -> None:
    """Return when `purpose` may read `split`.

    Raises
    ------
    LeakageError
        When it may not.
    """
    if split not in PURPOSES[purpose]:
        expected = f"{' or '.join(PURPOSES[purpose])} for {purpose}"
        raise LeakageError([Problem(f"split {split}", expected, split, "read the split that this purpose owns")])


def read_split(dataset: str, split: str, *, purpose: str) -> pd.DataFrame:
    """Return the samples (`sample_id`, `group`) of a split, when the purpose may read it."""
    allow(split, purpose)
    return io.read_table(paths.split(dataset, split))[["sample_id", "group"]]


JUDGMENTS = (
    "fit_calibrator",
    "choose_labels",
    "fix_policy",
    "judge",
    "watch",
)  # they alone see what a model said


def read_predictions(model: str, side: str, split: str, *, purpose: str) -> pd.DataFrame:
    """Return one side's rows on a split, when the purpose may read it."""
    if purpose not in JUDGMENTS:
        expected = f"a purpose of {', '.join(JUDGMENTS)}"
        raise LeakageError([Problem(f"predictions on {split}", expected, purpose, "read the split itself")])
    allow(split, purpose)
    return io.read_table(paths.predictions(model, side, split))
