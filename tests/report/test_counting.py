import pandas as pd
import pytest

from vouch.errors import DataError
from vouch.report.counting import Miscount, by_row, caption, of_strata, products, worst

COUNTS = pd.DataFrame(
    [
        ("a", "g1", "cola", 3, 1),
        ("a", "g1", "lime", 0, 1),
        ("b", "g1", "cola", 2, 2),
        ("c", "g2", "lime", 1, 5),
        ("d", "g3", "cola", 0, 3),
        ("e", "g3", "unknown", 0, 0),
    ],
    columns=["sample_id", "group", "class", "n_true", "n_pred"],
)
SAMPLES = pd.DataFrame({"sample_id": list("abcde"), "image": [f"{name}.png" for name in "abcde"]})


def cell(value, **more):
    return {"value": value, "low": None, "high": None, "n_rows": 3, "n_groups": 2, **more}


MEASURED = {
    "count_mae": {"all": cell(2.0), "class=cola": cell(5 / 3), "class=lime": cell(2.5), "light=dim": cell(1.0)},
    "exact_count_rate": {"all": cell(0.2), "class=cola": cell(1 / 3), "class=lime": cell(0.0)},
}


def test_the_worst_photographs_are_those_off_by_most_objects():
    found = worst(COUNTS, SAMPLES)
    assert [(one.sample_id, one.image, one.off) for one in found] == [
        ("c", "c.png", 4),
        ("a", "a.png", 3),
        ("d", "d.png", 3),
    ]
    assert found[1].products == (("cola", 1, 3), ("lime", 1, 0))  # said, there; the worst first


def test_no_more_than_six_are_shown_and_none_that_is_right():
    many = pd.DataFrame({"sample_id": [f"p{place}" for place in range(9)], "class": "cola", "n_true": 0, "n_pred": 1})
    samples = pd.DataFrame({"sample_id": many["sample_id"], "image": "x.png"})
    assert [one.sample_id for one in worst(many, samples)] == [f"p{place}" for place in range(6)]
    assert worst(COUNTS[COUNTS["sample_id"].isin(["b", "e"])], SAMPLES) == []


def test_counts_of_a_photograph_that_is_not_in_the_manifest_are_refused():
    with pytest.raises(DataError, match="counts: expected a sample of the manifest, got c"):
        worst(COUNTS, SAMPLES[SAMPLES["sample_id"] != "c"])


def test_a_caption_names_eight_products_and_counts_the_others():
    wrong = tuple((f"p{place}", 2, 1) for place in range(10))
    assert caption(Miscount("a", "a.png", 10, wrong)).endswith("p7 2, there 1; and 2 more")


def test_products_come_with_the_largest_error_first_and_what_is_nowhere_is_left_out():
    found = products(COUNTS, MEASURED)
    assert [metric.title for metric in found["metrics"]] == ["Count error", "Exact counts"]
    assert [(row["name"], row["n_true"], row["n_pred"]) for row in found["rows"]] == [("lime", 1, 6), ("cola", 5, 6)]
    assert found["rows"][0]["cells"] == [
        MEASURED["count_mae"]["class=lime"],
        MEASURED["exact_count_rate"]["class=lime"],
    ]


def test_strata_leave_products_to_their_own_table():
    assert of_strata(MEASURED) == {
        "count_mae": {"all": cell(2.0), "light=dim": cell(1.0)},
        "exact_count_rate": {"all": cell(0.2)},
    }


def test_rows_of_a_shelf_stand_beside_photographs():
    (row,) = by_row({"count_mae": {"all": cell(0.5)}}, MEASURED)
    assert (row["row"]["value"], row["photograph"]["value"]) == (0.5, 2.0)
    assert by_row({}, MEASURED) == []
