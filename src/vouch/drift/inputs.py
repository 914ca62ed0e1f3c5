"""New photographs, or a table of predictions on them, and val_calib beside them: as a model sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import numpy as np
import pandas as pd

from vouch import io, paths
from vouch.calibration.apply.calibrator import calibrated, score_problems
from vouch.calibration.apply.probabilities import logit_problems, probability_problems
from vouch.documents import separator_problems
from vouch.drift.profile import Profile, of_boxes, of_classes
from vouch.errors import DataError, Problem, WorkspaceError, refuse_any
from vouch.policies.apply.policy import decided
from vouch.release.inference import answer, seen
from vouch.release.opening import Bundle
from vouch.sources.tree import photographs_below
from vouch.splits import contract
from vouch.tables import GATE_LOGIT, LOGIT, PROBABILITY
from vouch.vision.images.formats import SUFFIXES
from vouch.vision.images.source import files

OWN = (
    "nothing says which photographs belong together: each counts as its own group, and what resembles is counted twice"
)


@dataclass(frozen=True)
class Profiled:
    """What there is to compare: the profile, and in words where its groups come from; `photographs` were decoded."""

    profile: Profile
    groups_from: str
    photographs: bool


def reference(model: str, dataset: str, bundle: Bundle, *, photographs: bool) -> Profiled:
    """Return val_calib: its photographs by the bundle's own network, or its rows of the prediction table.

    Raises
    ------
    WorkspaceError
        When the stage that writes it has not run.
    """
    if not photographs:
        path = paths.predictions(model, "candidate", "val_calib")
        _refuse_absent(path, f"dvc repro predict_candidate@{model}")
        rows = contract.read_predictions(model, "candidate", "val_calib", purpose="watch")
        return Profiled(_of_rows(bundle, rows, str(path)), "the groups of the split", photographs=False)
    for path in (paths.split(dataset, "val_calib"), paths.manifest(dataset, "samples")):
        _refuse_absent(path, f"dvc repro split@{dataset}")
    members = contract.read_split(dataset, "val_calib", purpose="watch")
    members = members.merge(io.read_table(paths.manifest(dataset, "samples")), on="sample_id", validate="one_to_one")
    images = [Path(image) for image in members["image"]]
    found = _of_images(bundle, images, members["group"].tolist())
    return Profiled(found, "the groups of the split", photographs=True)


def new(path: Path, bundle: Bundle, groups: Path | None) -> Profiled:
    """Return what PATH holds: a folder of photographs, or a table (.parquet, .csv) of predictions.

    Raises
    ------
    DataError
        Listing everything that is wrong: no photograph, unreadable ones, no table, groups that do not fit.
    """
    if path.is_dir():
        images = photographs_below(path)
        if not images:
            got = "none"
            raise DataError([Problem(str(path), f"photographs ({', '.join(sorted(SUFFIXES))})", got, "name another")])
        names, origin = _groups_of_images(path, images, groups)
        return Profiled(_of_images(bundle, images, names), origin, photographs=True)
    if path.suffix.lower() not in (".parquet", ".csv") or not path.is_file():
        expected = "a folder of photographs, or a table (.parquet, .csv)"
        raise DataError([Problem(str(path), expected, "something else" if path.exists() else "nothing", "name one")])
    rows, origin = _grouped(_read(path), groups, str(path))
    return Profiled(_of_rows(bundle, rows, str(path)), origin, photographs=False)


def _refuse_absent(path: Path, command: str) -> None:
    if not path.is_file():
        raise WorkspaceError([Problem(str(path), "val_calib", "no file", f"run `{command}`")])


def _of_images(bundle: Bundle, images: Sequence[Path], groups: Sequence[str]) -> Profile:
    samples = pd.DataFrame({"sample_id": [str(image) for image in images], "group": groups})
    match bundle.task:
        case "classify":
            rows, embeddings = seen(bundle, files(images))
            return of_classes(rows.assign(group=samples["group"]), bundle.classes, embeddings)
        case "detect":
            answered = answer(bundle, files(images))
            refuse_any(DataError, answered.refused)
            boxes = answered.rows.rename(columns={"image": "sample_id"})
            return of_boxes(_above_floor(bundle, boxes), samples, bundle.classes)
        case "identify":
            raise _no_profile(bundle)
        case _:
            assert_never(bundle.task)


def _no_profile(bundle: Bundle) -> DataError:
    where = f"bundle {bundle.manifest['name']}"
    expected, remedy = "one to detect or classify", "measure the drift of the detector that cuts its crops"
    return DataError([Problem(where, expected, f"one to {bundle.task}", remedy)])


def _groups_of_images(root: Path, images: Sequence[Path], groups: Path | None) -> tuple[list[str], str]:
    relative = [image.relative_to(root) for image in images]
    if groups is not None:
        return _listed_groups([name.as_posix() for name in relative], groups), f"the column `group` of {groups}"
    if all(name.parent == Path() for name in relative):
        return [str(name) for name in relative], OWN
    names = [str(name if name.parent == Path() else name.parent) for name in relative]
    loose = sum(name.parent == Path() for name in relative)
    also = f"; {loose} photographs in none are a group each" if loose else ""
    return names, f"the sub-folders of {root}{also}"


def _listed_groups(names: Sequence[str], file: Path) -> list[str]:
    """Return the group of each name as a CSV with columns image and group says; every name once, no other."""
    table = _read(file)
    missing = [column for column in ("image", "group") if column not in table]
    remedy = "one line for each photograph, named as in the folder or table"
    refuse_any(DataError, [Problem(str(file), f"a column `{column}`", "none", remedy) for column in missing])
    groups = table["group"].astype("str").fillna("").str.strip()
    problems = [
        Problem(f"{file}: {name}", "one line", "more", remedy) for name in table["image"][table["image"].duplicated()]
    ]
    problems += [
        Problem(f"{file}: {name}", "a group", "an empty cell", remedy) for name in table["image"][groups == ""]
    ]
    listed = dict(zip(table["image"].astype("str"), groups, strict=True))
    problems += [Problem(f"{file}: {name}", "a line", "none", remedy) for name in names if name not in listed]
    strange = listed.keys() - set(names)
    problems += [Problem(f"{file}: {name}", "a photograph of this name", "none", remedy) for name in strange]
    refuse_any(DataError, problems)
    return [listed[name] for name in names]


def _read(path: Path) -> pd.DataFrame:
    if path.exists() and not path.is_file():  # a pipe would be waited for, a device read for ever
        raise DataError([Problem(str(path), "a table (.parquet, .csv)", "no regular file", "name a file")])
    try:
        table = io.read_table(path)
    except OSError as error:
        raise DataError([Problem(str(path), "a table (.parquet, .csv)", str(error), "correct its name")]) from error
    refuse_any(DataError, separator_problems([str(column) for column in table], f"{path}:1"))
    return table


def _grouped(rows: pd.DataFrame, groups: Path | None, where: str) -> tuple[pd.DataFrame, str]:
    """Return a table with `sample_id` and `group`, and in words where its groups come from."""
    if "sample_id" not in rows and "image" in rows:  # as `vouch predict --csv` names it
        rows = rows.rename(columns={"image": "sample_id"})
    remedy = "name the columns as data/predictions/ or `vouch predict --csv` do"
    if "sample_id" not in rows:
        got = ", ".join(map(str, rows)) or "nothing"
        raise DataError([Problem(where, "a column sample_id or image", got, remedy)])
    if rows.empty:
        raise DataError([Problem(where, "rows", "none", "write it again: `vouch predict --csv` has every answer")])
    rows = rows.assign(sample_id=rows["sample_id"].astype("str"))
    if groups is not None:
        names = rows["sample_id"].unique().tolist()
        group_of = dict(zip(names, _listed_groups(names, groups), strict=True))
        return rows.assign(group=rows["sample_id"].map(group_of)), f"the column `group` of {groups}"
    if "group" not in rows:
        return rows.assign(group=rows["sample_id"]), OWN
    empty = rows["group"].isna() | (rows["group"].astype("str") == "")
    several = rows.groupby("sample_id")["group"].nunique()
    problems = [Problem(f"{where}: {name}", "a group", "nothing", remedy) for name in rows["sample_id"][empty]]
    problems += [Problem(f"{where}: {name}", "one group", "several", remedy) for name in several.index[several > 1]]
    refuse_any(DataError, problems)
    return rows, "the column `group` of the table"


def _of_rows(bundle: Bundle, rows: pd.DataFrame, where: str) -> Profile:
    match bundle.task:
        case "classify":
            return of_classes(_decided_classes(bundle, rows, where), bundle.classes, None)
        case "detect":
            samples = rows[["sample_id", "group"]].drop_duplicates("sample_id")
            return of_boxes(_decided_boxes(bundle, rows, where), samples, bundle.classes)
        case "identify":
            raise _no_profile(bundle)
        case _:
            assert_never(bundle.task)


def _decided_classes(bundle: Bundle, rows: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return rows of logits, or of probabilities that are calibrated already, as the policy decides on them."""
    prefix = LOGIT if any(str(column).startswith(LOGIT) for column in rows) else PROBABILITY
    values = [str(column) for column in rows if str(column).startswith(prefix)]
    values += [column for column in (GATE_LOGIT, "gate") if column in rows]
    rows = rows[["sample_id", "group"]].assign(**{name: pd.to_numeric(rows[name], errors="coerce") for name in values})
    check = logit_problems if prefix == LOGIT else probability_problems
    twice = rows["sample_id"][rows["sample_id"].duplicated()]
    remedy = "one row per photograph"
    problems = [Problem(f"{where}: {name}", "one row", "more", remedy) for name in twice]
    refuse_any(DataError, _of_another_model(rows, prefix, bundle, where) or check(rows, bundle.classes) or problems)
    if prefix == LOGIT:
        return decided(bundle.policy, calibrated(bundle.calibrator, rows))
    shares = rows[[PROBABILITY + name for name in bundle.classes]].to_numpy(np.float64)
    said = np.asarray(bundle.classes, dtype=object)[shares.argmax(axis=1)]
    return decided(bundle.policy, rows.assign(class_pred=said, confidence=shares.max(axis=1)))


def _of_another_model(rows: pd.DataFrame, prefix: str, bundle: Bundle, where: str) -> list[Problem]:
    """Say which columns a table lacks that every prediction of this model has."""
    lacking = [prefix + name for name in bundle.classes if prefix + name not in rows]
    remedy = f"name a table that {bundle.manifest['name']} predicted"
    return [Problem(where, f"a column {name}", "none", remedy) for name in lacking]


def _decided_boxes(bundle: Bundle, rows: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the detections of a table, calibrated and decided; a row without class_pred is no detection."""
    remedy = "one row per detection, and one without class_pred for a photograph where nothing was found"
    missing = [column for column in ("class_pred", "score") if column not in rows]
    refuse_any(DataError, [Problem(where, f"a column {column}", "none", remedy) for column in missing])
    rows = rows[rows["class_pred"].notna() & (rows["class_pred"] != "")].reset_index(drop=True)
    rows = rows[["sample_id", "group", "class_pred"]].assign(score=pd.to_numeric(rows["score"], errors="coerce"))
    problems = score_problems(rows["score"].to_numpy(np.float64))
    expected = f"one of {', '.join(bundle.classes)}"
    unknown = set(rows["class_pred"]) - set(bundle.classes)
    problems += [Problem(f"{where}: class_pred", expected, str(name), remedy) for name in unknown]
    refuse_any(DataError, problems)
    return _above_floor(bundle, decided(bundle.policy, calibrated(bundle.calibrator, rows)))


def _above_floor(bundle: Bundle, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the detections that the calibrator was fitted for: weaker ones are noise, hundreds a photograph."""
    strong: pd.DataFrame = rows[rows["score"] >= bundle.calibrator["floor"]].reset_index(drop=True)
    return strong
