"""A system's counts go where a model's rows go: one ratio metric, and no third family."""

import numpy as np
import pandas as pd
import pytest

from evaluation.setting import SETTING
from vouch import tables
from vouch.evaluation.comparison.differences import Resampling, compare
from vouch.evaluation.comparison.significance import flip_signs
from vouch.evaluation.gates.judging import judge
from vouch.evaluation.gates.metrics_files import Measured, metrics_of
from vouch.evaluation.gates.rules import Rule
from vouch.evaluation.metrics.counts import numbered_counts
from vouch.evaluation.metrics.intervals import group_weights
from vouch.evaluation.metrics.strata import every_stratum, strata_masks
from vouch.evaluation.metrics.table import metrics_table
from vouch.io import write_json

GROUPS = 30
LIMIT = {"metric": "count_mae", "bound": "worst", "each": "format", "min_groups": 5}


def counts(wrong, seed=0):
    """Two products on two photographs of each of thirty shelves; every `wrong`-th count is one too low."""
    place = np.arange(GROUPS * 4)
    true = np.random.default_rng(seed).integers(1, 9, len(place))
    rows = pd.DataFrame(
        {
            "sample_id": [f"s{index // 2:03d}" for index in place],
            "group": [f"shelf{index // 4:02d}" for index in place],
            "stratum_format": np.where(place // 4 % 2, "market", "kiosk"),
            "class": np.where(place % 2, "cola", "water"),
            "n_true": true,
            "n_pred": true - (place % wrong == 0),
        }
    )
    assert set(tables.COUNTS) <= set(rows)
    return numbered_counts(rows)


def measured(rows):
    weights = group_weights(GROUPS, replicates=400, rng=np.random.default_rng(1))
    masks = strata_masks(rows, [*every_stratum(rows), ("format", "class")])
    return metrics_table(rows, names=["count_mae"], masks=masks, weights=weights, setting=SETTING)


def test_counts_have_intervals_by_stratum_and_class():
    found = measured(counts(wrong=5))["count_mae"]
    assert found["all"]["value"] == 24 / 120
    assert found["all"]["low"] < 0.2 < found["all"]["high"]
    assert found["class=water"]["value"] == 12 / 60
    assert (found["format=kiosk"]["n_groups"], found["format=kiosk,class=cola"]["n_rows"]) == (15, 30)


def test_counts_of_two_systems_are_compared():
    rng = np.random.default_rng(2)
    resampling = Resampling(
        weights=group_weights(GROUPS, replicates=400, rng=rng),
        signs=flip_signs(GROUPS, patterns=400, rng=rng),
        level=0.95,
        correlation=0.05,
    )
    margins = {"count_mae": 0.02}
    found = compare(counts(wrong=12), counts(wrong=2), margins=margins, strata=[("class",)], resampling=resampling)
    assert found["count_mae"]["all"]["delta"] == pytest.approx(10 / 120 - 60 / 120)
    assert found["overall"]["all"]["verdict"] == "better"


def test_a_gate_reads_the_metrics_file_of_a_system_by_its_name(tmp_path):
    write_json(tmp_path / "counts.json", measured(counts(wrong=5)))
    evidence = {"counts": metrics_of("counts", tmp_path / "counts.json", remedy="")}
    Measured.model_validate(evidence["counts"])
    rules = {
        name: Rule.model_validate({**LIMIT, "source": "counts", "limit": limit})
        for name, limit in (("loose", 0.4), ("tight", 0.2))
    }
    verdict = judge(rules, evidence, required={"format": ["kiosk", "market"]}, waivers={})
    passed = {name: one["passed"] for name, one in verdict["rules"].items()}
    assert passed == {
        "loose[format=kiosk]": True,
        "loose[format=market]": True,
        "tight[format=kiosk]": False,
        "tight[format=market]": False,
    }
    missing = judge(rules, {}, required={"format": ["kiosk"]}, waivers={})
    assert missing["rules"]["loose[format=kiosk]"]["reason"].startswith("no evidence: counts has no count_mae")
