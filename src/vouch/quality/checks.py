"""The closed list of data checks: what each expects, and how severe it may be said to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
from pydantic import Field

from vouch.errors import Problem
from vouch.params import Section
from vouch.quality.hashes import MAX_RADIUS
from vouch.tables import ISSUES
from vouch.vision.images.formats import REFUSALS

BLOCK, QUARANTINE, WARN = "block", "quarantine", "warn"
ANY = (BLOCK, QUARANTINE, WARN)
UNUSABLE = (BLOCK, QUARANTINE)  # a model cannot use the photograph, or would learn from it what nobody said
WHOLE = (BLOCK, WARN)  # about the data set: there is no sample to set aside
WHOLE_DATASET = "(data set)"  # stands in the sample_id of such an issue


@dataclass(frozen=True)
class Check:
    """One check: the severities that make sense for it, what it expects, and what to do."""

    levels: tuple[str, ...]
    expected: str
    remedy: str


Luma = Annotated[float, Field(ge=0, le=255)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Thresholds(Section):
    """Where a photograph, box or pair of photographs begins to be suspicious."""

    dark_below: Luma  # mean luma, 0..255
    bright_above: Luma  # mean luma, 0..255
    blank_below: Luma  # standard deviation of luma, 0..255
    blurred_below: NotNegative  # variance of the Laplacian at 256 pixels width
    aspect_above: Annotated[float, Field(ge=1)]  # long side / short side
    min_side_px: NotNegative  # shorter side of a box, pixels
    outside_above: Fraction  # how far a box may stick out, fraction of the picture's side
    duplicate_iou: Fraction  # two boxes of one class overlap more: one object labelled twice
    near_radius_bits: Annotated[int, Field(ge=0, le=MAX_RADIUS)]  # Hamming distance of perceptual hashes, 0..15
    near_correlation: Fraction  # of the 16 x 16 thumbnails; tells apart pictures whose hashes agree by chance


_RELABEL = "correct the label"
CHECKS: Mapping[str, Check] = {
    **{name: Check(UNUSABLE, *words) for name, words in REFUSALS.items()},
    "wrong_extension": Check(ANY, "the extension of its format", "rename the file"),
    "exif_rotated": Check(ANY, "upright pixels", "make sure that it was labelled as a viewer shows it"),
    "dark": Check(ANY, "mean luma of at least `dark_below`", "look at it"),
    "bright": Check(ANY, "mean luma of at most `bright_above`", "look at it"),
    "blank": Check(ANY, "a deviation of luma of at least `blank_below`", "look at it"),
    "blurred": Check(ANY, "a sharpness of at least `blurred_below`", "look at it"),
    "odd_aspect": Check(ANY, "sides in a ratio of at most `aspect_above`", "look at it"),
    "missing_label": Check(UNUSABLE, "a label, or a source that declares its negatives", "label it or declare it"),
    "label_conflict": Check(UNUSABLE, "no objects in a photograph declared negative", _RELABEL),
    "empty_label": Check(ANY, "an object in a labelled photograph", "declare it negative or label it"),
    "unknown_class": Check(UNUSABLE, "a class of `ingest.classes`", "correct it, or map or add the class"),
    "box_outside": Check(ANY, "corners within the picture", _RELABEL),
    "box_degenerate": Check(UNUSABLE, "finite corners with x1 < x2 and y1 < y2", _RELABEL),
    "box_small": Check(ANY, "a side of at least `min_side_px`", _RELABEL),
    "box_duplicated": Check(ANY, "one box an object", "remove one of the two"),
    "size_mismatch": Check(ANY, "the size that the source states", "check which picture was labelled"),
    "missing_stratum": Check(ANY, "a value for every stratum", "fill the manifest's column"),
    "ungrouped": Check(ANY, "a value for at least one group key", "fill the manifest's column"),
    "exact_duplicate": Check(ANY, "each picture once", "remove one of them"),
    "exact_across_groups": Check(ANY, "a picture in one group", "check the groups or remove one of them"),
    "near_duplicate": Check(ANY, "each picture once", "thin out the sequence"),
    "near_across_groups": Check(ANY, "alike pictures in one group", "check the groups"),
    "contradicting_exact": Check(ANY, "one label for one picture", "decide which label is right"),
    "contradicting_near": Check(ANY, "the same classes in alike pictures", "decide which label is right"),
    "missing_coverage": Check(WHOLE, "the photographs and objects that `coverage` requires", "collect more"),
    "few_groups": Check(WHOLE, "at least `coverage.min_components` independent groups", "collect from more groups"),
}


def check_severities(severity: Mapping[str, str]) -> None:
    """Return when every check has a severity that makes sense for it.

    Raises
    ------
    ValueError
        Naming every missing check, unknown check and impossible severity.
    """
    wrong = [f"{name}: unknown check" for name in sorted(severity.keys() - CHECKS.keys())]
    wrong += [f"{name}: missing" for name in sorted(CHECKS.keys() - severity.keys())]
    for name in sorted(CHECKS.keys() & severity.keys()):
        if severity[name] not in CHECKS[name].levels:
            wrong.append(f"{name}: {' or '.join(CHECKS[name].levels)} expected, got {severity[name]}")
    if wrong:
        raise ValueError("; ".join(wrong))


def make_issues(sample_ids: pd.Series, check: str, details: pd.Series) -> pd.DataFrame:
    """Return findings of one check: `sample_id`, `check`, `detail`; the two columns are of the same rows.

    Raises
    ------
    ValueError
        When their indexes differ: pandas would align them, and tell one finding as two, one of a sample called `nan`.
    """
    if not sample_ids.index.equals(details.index):
        raise ValueError(f"{check}: details of other rows than the samples")
    return pd.DataFrame(
        {"sample_id": sample_ids.astype("str"), "check": check, "detail": details.astype("str")}
    ).reset_index(drop=True)


def grade(findings: list[pd.DataFrame], severity: Mapping[str, str]) -> pd.DataFrame:
    """Return the issues table: all findings with their severity, sorted, each once."""
    found = pd.concat(findings, ignore_index=True)
    found["severity"] = pd.Series([severity[check] for check in found["check"]], dtype="str")
    ordered = found[list(ISSUES)].drop_duplicates()
    return ordered.sort_values(["sample_id", "check", "detail"], kind="stable", ignore_index=True)


def quarantined(issues: pd.DataFrame) -> set[str]:
    """Return the samples that an issue sets aside."""
    return set(issues.loc[issues["severity"] == QUARANTINE, "sample_id"])


def problems(issues: pd.DataFrame) -> list[Problem]:
    """Return the issues that block, as problems to raise."""
    blocking = issues[issues["severity"] == BLOCK]
    rows = zip(blocking["sample_id"], blocking["check"], blocking["detail"], strict=True)
    return [
        Problem(f"{name} [{check}]", CHECKS[check].expected, got, CHECKS[check].remedy) for name, check, got in rows
    ]


def summarise(issues: pd.DataFrame) -> str:
    """Return what a person wants to know after a validation: each check that found something, and its first finding."""
    lines = [f"validate: quarantined {len(quarantined(issues))}, findings {len(issues)}"]
    for level in ANY:
        for check, found in issues[issues["severity"] == level].groupby("check"):
            first = found.iloc[0]
            lines.append(f"  {level} {check} {len(found)}: {first['sample_id']}: {first['detail']}")
            lines[-1] += ", …" if len(found) > 1 else ""
    return "\n".join(lines)
