"""Train again without some groups, fold by fold; each network answers for the groups that it never saw.

Reads   manifest and photographs of D, splits train and val_select (never val_calib or val_test), the starting point
Writes  data/predictions/M/by_group.parquet: raw rows of the waist for every group, with the fold that held it out
Fails   when there are fewer than three groups, or as a training fails
"""

import sys
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from vouch import io, params, paths
from vouch.evaluation.folds import folds
from vouch.params import Section
from vouch.splits.contract import read_split
from vouch.stages import main, predict
from vouch.tables import FOLD
from vouch.tasks import Task
from vouch.training.again import TRAINED, Course, as_shipped
from vouch.vision.scoring import SCORED, Network


class Params(Section):
    """models.M.cross_validate."""

    folds: Annotated[int, Field(ge=3, le=100)]  # trainings; where there are fewer groups, one for each
    seed: Annotated[int, Field(ge=0)]  # of which other groups choose the checkpoint


def run(model: str, dataset: str, task: Task, framework: str, start: str) -> None:
    """Cross-validate the training of model M on data set D by group; its networks are thrown away."""
    asked = params.load(Params, "models", model, "cross_validate")
    section = params.load(predict.SECTIONS[task], "models", model, "predict")
    postprocess = section.postprocess() if isinstance(section, predict.Detect) else None
    classes = tuple(params.read_value("datasets", dataset, "ingest", "classes"))  # in the order of the outputs
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    train = read_split(dataset, "train", purpose="fit_weights")
    val_select = read_split(dataset, "val_select", purpose="choose_checkpoint")
    members = pd.concat([train, val_select]).merge(samples, on="sample_id", validate="one_to_one")
    share, rng = len(val_select) / len(members), np.random.default_rng(asked.seed)
    parts = folds(members, _kinds(members, boxes), count=asked.folds, share=share, rng=rng)
    sizes = [members["group"].isin(fold.train).sum() for fold in parts]
    _say(f"{len(parts)} trainings of about {np.mean(sizes):.0f} photographs each")
    tables = []
    for number, fold in enumerate(parts, 1):
        where = f"fold {number} of {len(parts)}"
        held_out = _of(members, fold.held_out)
        _say(f"{where}: {len(fold.held_out)} groups, {len(held_out)} photographs, are held out")
        seen = {"train": _of(members, fold.train), "val_select": _of(members, fold.val_select), "boxes": boxes}
        scratch = paths.SCRATCH / "cross_validate" / model / str(number)
        course = Course(model, framework, start, classes, **seen, scratch=scratch, where=where)
        network = Network(as_shipped(TRAINED[task](course), task, where), classes, postprocess, None, None)
        rows = SCORED[task](network, held_out, boxes, section.batch, where)
        tables.append(rows.assign(**{FOLD: number}))
    io.write_table(paths.by_group(model), pd.concat(tables, ignore_index=True))


def _of(members: pd.DataFrame, groups: tuple[str, ...]) -> pd.DataFrame:
    return members[members["group"].isin(groups)]


def _kinds(members: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Return which classes each group shows, as labels or as boxes."""
    labels = members[["group", "label"]].set_axis(["group", "class"], axis=1).dropna()
    boxed = members[["sample_id", "group"]].merge(boxes, on="sample_id")[["group", "class_name"]]
    return pd.concat([labels, boxed.set_axis(["group", "class"], axis=1)]).drop_duplicates()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(run)
