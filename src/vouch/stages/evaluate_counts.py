"""Judge a system's counts of products on val_test, with intervals by group.

Reads   data/predictions/S/{val_test,facings}.parquet
Writes  metrics/S/{counts,facings}.json, of photographs and of shelf rows; plots/S/counts.csv: the error of each product
Fails   when counts are none, or a metric or stratum is none of this table
"""

from typing import Any

import pandas as pd

from vouch import io, params, paths
from vouch.evaluation.counting import Judging, judged
from vouch.evaluation.metrics.strata import CLASS
from vouch.splits import contract
from vouch.stages import main

ERROR = "count_mae"
COLUMNS = ["product", "pairs", "n_true", "n_pred", ERROR, "low", "high"]


class Params(Judging):
    """systems.S.evaluate_counts."""


def run(name: str) -> None:
    """Judge counts by photograph, and by shelf row where boxes state rows."""
    section = params.load(Params, "systems", name, "evaluate_counts")
    contract.allow("val_test", "judge")
    counts, facings = (io.read_table(path) for path in (paths.counts(name), paths.facings(name)))
    found = judged(counts, section)
    io.write_json(paths.metrics(name, "counts"), found)
    io.write_json(paths.metrics(name, "facings"), judged(facings, section) if len(facings) else {})
    io.write_table(paths.plots(name, "counts.csv"), of_products(counts, found))


def of_products(counts: pd.DataFrame, found: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return a row for each product that is there or was counted: how many, and its mean error, the largest first."""
    sums = counts.groupby("class", sort=True)[["n_true", "n_pred"]].sum()
    cells = {product: found.get(ERROR, {}).get(f"{CLASS}={product}", {}) for product in sums.index}
    rows = [
        (product, cell["n_rows"], *sums.loc[product, ["n_true", "n_pred"]], cell["value"], cell["low"], cell["high"])
        for product, cell in cells.items()
        if cell.get("value") is not None
    ]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values([ERROR, "product"], ascending=[False, True])


if __name__ == "__main__":
    main(run)
