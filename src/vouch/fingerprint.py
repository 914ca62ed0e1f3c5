"""What a data set is, in one hash and a line a photograph; and what lies between two such states."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vouch.errors import DataError, Problem, so_many
from vouch.io import plain
from vouch.tables import BOXES, GROUP, PLACED, SPLIT_STATED, STRATUM, stratum_columns

FORM = 2  # of the file; another one cannot be compared with
DIGITS = 9  # of a corner, a fraction of the photograph's side: as exports write it
PARTS = ("photograph", "labels", "provenance")  # hashes of a sample
WORDS = {"photograph": "changed", "labels": "relabelled", "provenance": "regrouped"}


@dataclass(frozen=True)
class Difference:
    """Samples of which two states of a data set tell something else, each list sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]  # the same id, another photograph
    relabelled: tuple[str, ...]  # other classes, boxes, products or places
    regrouped: tuple[str, ...]  # other groups, strata or stated splits


def fingerprint(dataset: str, samples: pd.DataFrame, boxes: pd.DataFrame, scan: pd.DataFrame) -> dict[str, Any]:
    """Return what identifies a data set: one hash of all, counts per class, stratum and product, hashes per sample.

    Parameters
    ----------
    dataset : str
        Its name, which enters no hash.
    samples, boxes, scan : DataFrame
        As in `tables`. The order of rows and of the boxes of a photograph means nothing.

    Raises
    ------
    DataError
        When the scan is of other photographs than the manifest.
    """
    photographs = dict(zip(scan["sample_id"], scan["sha256"], strict=True))
    if photographs.keys() != set(samples["sample_id"]):
        odd = sorted(photographs.keys() ^ set(samples["sample_id"]))
        got = f"{so_many(len(odd), 'photograph')} in one of the two alone, the first {odd[0]}"
        remedy = f"run `dvc repro scan@{dataset}`"
        raise DataError([Problem("the scan", "the photographs of the manifest", got, remedy)])
    labels, provenance = _labels(samples, boxes), _provenance(samples)
    each = {
        name: dict(zip(PARTS, (photographs[name], labels[name], provenance[name]), strict=True))
        for name in sorted(photographs)
    }
    counts = {
        "photographs": len(samples),
        "boxes": len(boxes),
        "classes": _counted(boxes["class_name"], samples["label"]),
        "products": _counted(boxes["product"]) if "product" in boxes else {},
        "strata": {name.removeprefix(STRATUM): _counted(samples[name]) for name in stratum_columns(samples)},
    }
    return {"form": FORM, "dataset": dataset, "sha256": _hash(each), **counts, "samples": each}


def compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """Return which samples were added, removed, changed, relabelled or regrouped; one may be in several of the last."""
    before, after = old["samples"], new["samples"]
    both = sorted(before.keys() & after.keys())
    differing = {part: tuple(name for name in both if before[name][part] != after[name][part]) for part in PARTS}
    added, removed = (tuple(sorted(one.keys() - other.keys())) for one, other in ((after, before), (before, after)))
    return Difference(added, removed, **{WORDS[part]: names for part, names in differing.items()})


def checked(content: object, where: str) -> Mapping[str, Any]:
    """Return a fingerprint that was read from a file.

    Raises
    ------
    DataError
        When it is none, or one of another form.
    """
    remedy = "write it with `vouch data fingerprint`"
    form = content.get("form") if isinstance(content, dict) else None
    if not isinstance(content, dict) or form != FORM:
        got = "another content" if form is None else f"form {form}"
        raise DataError([Problem(where, f"a fingerprint of form {FORM}", got, remedy)])
    samples = content.get("samples")
    if not isinstance(samples, dict) or not all(_is_sample(one) for one in samples.values()):
        raise DataError([Problem(where, f"samples with {', '.join(PARTS)}", "another content", remedy)])
    if content.get("sha256") != _hash(samples):
        got, remedy = "samples that were edited", "restore the file"
        raise DataError([Problem(where, "the hash of its samples", got, remedy)])
    return content


def _is_sample(one: object) -> bool:
    return isinstance(one, dict) and one.keys() == set(PARTS) and all(isinstance(part, str) for part in one.values())


def _labels(samples: pd.DataFrame, boxes: pd.DataFrame) -> dict[str, str]:
    names = [name for name in (*BOXES, *PLACED) if name != "sample_id" and name in boxes]
    rounded = boxes.assign(**{corner: boxes[corner].round(DIGITS) for corner in ("x1", "y1", "x2", "y2")})
    held: dict[str, list[str]] = {}
    for sample_id, *box in _bare(rounded[["sample_id", *names]]).itertuples(index=False, name=None):
        held.setdefault(sample_id, []).append(_dumps(_stated(names, box)))
    rows = _bare(samples[["sample_id", "annotation", "label"]]).itertuples(index=False, name=None)
    return {name: _hash([annotation, label, sorted(held.get(name, []))]) for name, annotation, label in rows}


def _provenance(samples: pd.DataFrame) -> dict[str, str]:
    names = sorted(one for one in samples.columns if one.startswith((GROUP, STRATUM)) or one == SPLIT_STATED)
    rows = _bare(samples[["sample_id", *names]]).itertuples(index=False, name=None)
    return {name: _hash(_stated(names, values)) for name, *values in rows}


def _stated(names: Iterable[str], values: Iterable[object]) -> dict[str, object]:
    """Return what is stated: a column that another source brought along says nothing of a photograph that lacks it."""
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _bare(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with None where nothing is stated, and whole numbers that are none for a null beside them."""
    whole = {name: "Int64" for name in ("row", "position") if name in table}
    return table.astype(whole).astype(object).where(table.notna(), None)


def _counted(*columns: "pd.Series[str]") -> dict[str, int]:
    counts = pd.concat([column.dropna() for column in columns]).value_counts()
    return {str(name): int(counts[name]) for name in sorted(counts.index)}


def _dumps(content: object) -> str:
    return json.dumps(plain(content, DIGITS), sort_keys=True, ensure_ascii=False, allow_nan=False)


def _hash(content: object) -> str:
    return hashlib.sha256(_dumps(content).encode("utf-8")).hexdigest()


def described(found: Difference, *, shown: int) -> list[str]:
    """Return a line for each kind of difference, with the first `shown` samples of it."""
    kinds: Iterable[tuple[str, tuple[str, ...]]] = vars(found).items()
    lines = []
    for kind, names in kinds:
        more = ", ..." if len(names) > shown else ""
        lines.append(f"{kind} {len(names)}" + (f": {', '.join(names[:shown])}{more}" if names else ""))
    return lines
