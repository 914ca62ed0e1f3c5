"""compare_counts against a paired bootstrap that is written out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vouch import io, paths
from vouch.errors import DataError
from vouch.evaluation.metrics.intervals import expanded_tail, group_weights
from vouch.stages import compare_counts

PRESETS = Path(__file__).parents[2] / "presets"
GROUPS, REPLICATES = 24, 400


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PRESETS, "presets")
    section = {"compare_counts": {"replicates": REPLICATES, "margins": {"count_mae": 0.03, "exact_count_rate": 0.02}}}
    io.write_text(Path("params.yaml"), json.dumps({"systems": {"s": section}}))
    rng = np.random.default_rng(3)
    rows = [
        (f"p{group}-{photograph}", f"g{group:02}", product, int(rng.integers(0, 6)))
        for group in range(GROUPS)
        for photograph in range(3)
        for product in ("cola", "lime", "rum")
    ]
    return pd.DataFrame(rows, columns=["sample_id", "group", "class", "n_true"])


def compared(table, candidate, baseline):
    for path, off in ((paths.counts("s"), candidate), (paths.baseline_counts("s"), baseline)):
        io.write_table(path, table.assign(n_pred=np.maximum(table["n_true"] + off, 0)))
    compare_counts.run("s")
    return io.read_json(paths.metrics("s", "comparison"))


def error(table, weights):
    """The mean over products of their mean error, each row as often as its group was drawn."""
    drawn = table["group"].map(weights)
    off, pairs = (table["n_pred"] - table["n_true"]).abs(), (table["n_true"] > 0) | (table["n_pred"] > 0)
    products = (table["class"] == name for name in ("cola", "lime", "rum"))
    sums = [((off * drawn)[mine].sum(), (pairs * drawn)[mine].sum()) for mine in products]
    return np.mean([above / below for above, below in sums if below])


def test_the_interval_is_that_of_a_paired_bootstrap_of_groups(table):
    rng = np.random.default_rng(5)
    found = compared(table, rng.integers(-1, 2, len(table)), rng.integers(-2, 3, len(table)))["count_mae"]["all"]
    sides = [io.read_table(path) for path in (paths.counts("s"), paths.baseline_counts("s"))]
    names = sorted(table["group"].unique())
    once = dict.fromkeys(names, 1)
    assert found["delta"] == pytest.approx(error(sides[0], once) - error(sides[1], once), abs=1e-6)
    weights = group_weights(GROUPS, replicates=REPLICATES, rng=np.random.default_rng(1))
    deltas = [
        error(sides[0], drawn) - error(sides[1], drawn)
        for drawn in (dict(zip(names, row.tolist(), strict=True)) for row in weights)
    ]
    tail = expanded_tail(0.95, GROUPS)
    assert [found["low"], found["high"]] == pytest.approx(np.quantile(deltas, [tail, 1 - tail]), abs=1e-5)
    assert found["verdict"] == "better"


def test_the_same_counts_are_not_worse_and_one_too_many_everywhere_is(table):
    off = np.random.default_rng(5).integers(-1, 2, len(table))
    assert compared(table, off, off)["overall"]["all"]["verdict"] == "not_worse"
    assert compared(table, 1, 0)["overall"]["all"]["verdict"] == "worse"
    assert compared(table, 0, 1)["overall"]["all"]["verdict"] == "better"


def test_sides_of_other_photographs_or_groups_are_refused(table):
    compared(table, 0, 0)
    io.write_table(paths.baseline_counts("s"), table.assign(n_pred=0, group="other"))
    with pytest.raises(DataError, match="one group"):
        compare_counts.run("s")
    io.write_table(paths.baseline_counts("s"), table.assign(n_pred=0, sample_id="x"))
    with pytest.raises(DataError, match="samples that both sides predicted"):
        compare_counts.run("s")
