import pandas as pd
import pytest

from vouch.errors import DataError
from vouch.evaluation.metrics.strata import every_stratum, strata_masks

ROWS = pd.DataFrame(
    {
        "stratum_stream": ["cabin", "cabin", "rear", "rear"],
        "stratum_scenario": ["day", "night", "day", "day"],
        "class": ["phone", "phone", "cone", None],
    }
)


def test_masks_by_hand():
    masks = strata_masks(ROWS, [("stream",), ("scenario",), ("class",)])
    assert {name: mask.astype(int).tolist() for name, mask in masks.items()} == {
        "all": [1, 1, 1, 1],
        "stream=cabin": [1, 1, 0, 0],
        "stream=rear": [0, 0, 1, 1],
        "scenario=day": [1, 0, 1, 1],
        "scenario=night": [0, 1, 0, 0],
        "class=cone": [0, 0, 1, 0],
        "class=phone": [1, 1, 0, 0],
    }


def test_crossed_strata_keep_the_combination_that_no_row_has():
    masks = strata_masks(ROWS, [("stream", "scenario")])
    assert {name: mask.astype(int).tolist() for name, mask in masks.items()} == {
        "all": [1, 1, 1, 1],
        "stream=cabin,scenario=day": [1, 0, 0, 0],
        "stream=cabin,scenario=night": [0, 1, 0, 0],
        "stream=rear,scenario=day": [0, 0, 1, 1],
        "stream=rear,scenario=night": [0, 0, 0, 0],
    }


def test_every_stratum_names_the_columns_and_the_class():
    assert every_stratum(ROWS) == [("scenario",), ("stream",), ("class",)]


def test_unknown_strata_are_all_named():
    with pytest.raises(DataError) as refused:
        strata_masks(ROWS, [("weather",), ("stream", "colour")])
    assert [problem.got for problem in refused.value.problems] == ["colour", "weather"]


def test_an_empty_table_has_the_whole_and_nothing_else():
    assert list(strata_masks(ROWS.iloc[:0], [("stream",), ("class",)])) == ["all"]
