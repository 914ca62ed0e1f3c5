"""How photographs, groups, labels and strata fall into the splits."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from vouch.tables import STRATUM, stratum_columns

ASIDE = "set aside"  # photographs of the manifest that no split holds: quarantined


def balance(samples: pd.DataFrame, boxes: pd.DataFrame, splits: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return counts by split, in blocks: photographs and groups, labels, and photographs of each stratum.

    Parameters
    ----------
    samples : columns of `tables.SAMPLES`, with stratum_*
    boxes : columns of `tables.BOXES`
    splits : sample_id and group of each split, in the order to show
    """
    where = pd.concat([table.assign(split=name) for name, table in splits.items()], ignore_index=True)
    placed = samples.merge(where[["sample_id", "split"]], on="sample_id", how="left")
    placed["split"] = placed["split"].fillna(ASIDE)
    names = [*splits, *([ASIDE] if (placed["split"] == ASIDE).any() else [])]
    labels = pd.concat([boxes[["sample_id", "class_name"]], _labels(samples)], ignore_index=True)
    counted = labels.merge(placed[["sample_id", "split"]], on="sample_id")
    unlabelled = placed[~placed["sample_id"].isin(labels["sample_id"])]
    size = [
        _row("photographs", placed["split"], names),
        _row("of them without a label", unlabelled["split"], names),
        _row("groups", where.drop_duplicates(["group", "split"])["split"], names),
    ]
    blocks = [{"title": "Size", "rows": size}, {"title": "Labels", "rows": _rows(counted, "class_name", names)}]
    blocks += [
        {"title": f"Photographs by {column.removeprefix(STRATUM)}", "rows": _rows(placed, column, names)}
        for column in stratum_columns(samples)
    ]
    return {"splits": names, "blocks": blocks, "straddling": _straddling(where)}


def _labels(samples: pd.DataFrame) -> pd.DataFrame:
    known = samples.loc[samples["label"].notna(), ["sample_id", "label"]]
    return known.rename(columns={"label": "class_name"})


def _rows(table: pd.DataFrame, column: str, names: list[str]) -> list[dict[str, Any]]:
    return [_row(str(value), part["split"], names) for value, part in table.groupby(column, sort=True)]


def _row(name: str, split: pd.Series, names: list[str]) -> dict[str, Any]:
    counts = split.value_counts()
    return {"name": name, "counts": [int(counts.get(each, 0)) for each in names], "total": len(split)}


def _straddling(where: pd.DataFrame) -> int:
    return int((where.groupby("group")["split"].nunique() > 1).sum())
