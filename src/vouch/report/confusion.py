"""What was taken for what: true classes against those that were said, of all photographs and of the answered ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Json = Mapping[str, Any]
Counts = npt.NDArray[np.int64]
MOST_CLASSES = 20  # of a wider table nothing can be read: the weakest classes have a row
MOST_LEVEL = 6  # names that fit beside each other; more are written upright
LEAST_SPAN = 0.1  # confusions are shaded against the most frequent one, or this share of a class


def confusion(table: pd.DataFrame, calibrator: Json, test: Json) -> dict[str, Any]:
    """Return the confusion matrices of all photographs and of the answered ones.

    Parameters
    ----------
    table : table
        `group`, `class_true`, `class_pred` and `accept` (1 or 0) of each photograph.
    calibrator : dict
        Its `classes` are those of the model, in its order.
    test : dict
        test.json: its accuracy by class is recall, with an interval.
    """
    names = [*dict.fromkeys([*calibrator.get("classes", ()), *sorted({*table["class_true"], *table["class_pred"]})])]
    shown = _weakest(_counts(table, names))
    answered = table[table["accept"] == 1]
    return {
        "columns": [names[place] for place in shown],
        "others": len(names) - len(shown),
        "upright": len(shown) > MOST_LEVEL,
        "parts": [
            _part("All photographs", table, table, names, shown, test.get("accuracy", {})),
            _part("Answered photographs", answered, table, names, shown, test.get("accuracy_on_exits", {})),
        ],
    }


def _counts(table: pd.DataFrame, names: Sequence[str]) -> Counts:
    """Return how many photographs of each class (rows) were called each class (columns)."""
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (table["class_true"].map(place), table["class_pred"].map(place)), 1)
    return counts


def _weakest(counts: Counts) -> list[int]:
    """Return the places of the classes with least recall, at most twenty, in the model's order."""
    sizes = counts.sum(axis=1)
    recall = np.where(sizes > 0, np.diag(counts) / np.maximum(sizes, 1), 1.0)
    return sorted(np.argsort(recall, kind="stable")[:MOST_CLASSES].tolist())


def _part(
    title: str, part: pd.DataFrame, whole: pd.DataFrame, names: Sequence[str], shown: Sequence[int], recalls: Json
) -> dict[str, Any]:
    counts, everybody = _counts(part, names), whole["class_true"].value_counts()
    groups = part.groupby("class_true")["group"].nunique()
    span = max(float((_shares(counts) * ~np.eye(len(names), dtype=bool)).max()), LEAST_SPAN)
    rows = [
        {
            "name": names[place],
            "cells": [_cell(counts, place, column, span) for column in shown],
            "others": int(counts[place].sum() - counts[place, shown].sum()),
            "recall": _share(counts[place, place], counts[place]),
            "interval": recalls.get(f"class={names[place]}"),
            "n_rows": int(counts[place].sum()),
            "of": int(everybody.get(names[place], 0)),
            "n_groups": int(groups.get(names[place], 0)),
        }
        for place in shown
    ]
    called = [
        {"count": int(counts[:, place].sum()), "precision": _share(counts[place, place], counts[:, place])}
        for place in shown
    ]
    return {"title": title, "n_rows": len(part), "of": len(whole), "rows": rows, "called": called}


def _cell(counts: Counts, true: int, said: int, span: float) -> dict[str, Any]:
    share, right = _share(counts[true, said], counts[true]), true == said
    shade = round(100 * (share or 0.0) / (1.0 if right else span))
    return {"count": int(counts[true, said]), "share": share, "right": right, "shade": shade}


def _shares(counts: Counts) -> npt.NDArray[np.float64]:
    shares: npt.NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _share(count: np.int64, of: Counts) -> float | None:
    return float(count / of.sum()) if of.any() else None
