"""Both sides' counts beside each other, and what they are judged to be."""

import pytest

from vouch.errors import DataError
from vouch.evaluation.counting import Judging, judged, paired
from vouch.sources.counts import CountFile, Photograph
from vouch.tables import COUNTS

ASKED = Judging(
    metrics=("count_mae", "exact_count_rate"),
    crossed=(),
    replicates=200,
    seed=1,
    level=0.95,
    few_groups=20,
    intraclass_correlation=0.05,
)


def one(name, store="1", **counts):
    return Photograph(name, counts, {"store": store}, {"light": "dim" if store == "1" else "bright"})


def file(*photographs, products=None):
    return CountFile(products, photographs)


def rows(sides):
    return [tuple(row) for row in sides.counts[list(COUNTS)].itertuples(index=False)]


def test_every_product_that_is_there_or_was_said_has_a_row():
    truth = file(one("b", "2", cola=1, water=0), one("a", cola=2, juice=1))
    said = file(one("a", cola=3, water=1, tea=0), one("b"))
    sides = paired(said, truth, group_key="store")
    assert rows(sides) == [
        ("a", "1", "cola", 2, 3),
        ("a", "1", "juice", 1, 0),
        ("a", "1", "water", 0, 1),
        ("b", "2", "cola", 1, 0),
    ]
    assert sides.counts["stratum_light"].tolist() == ["dim", "dim", "dim", "bright"]
    assert (sides.unlisted, sides.unseen) == ((), ("water",))
    assert judged(sides.counts, ASKED)["count_mae"]["all"]["value"] == pytest.approx((1 + 1 + 1) / 3)
    assert judged(sides.counts, ASKED)["count_mae"]["light=bright"]["value"] == 1
    assert judged(sides.counts, ASKED)["exact_count_rate"]["class=cola"]["value"] == 0


def test_a_photograph_of_nothing_on_both_sides_stands_in_the_table_and_in_no_denominator():
    sides = paired(file(one("a"), one("b", cola=1)), file(one("a"), one("b", cola=1)), group_key=None)
    assert rows(sides) == [("a", "a", "unknown", 0, 0), ("b", "b", "cola", 1, 1)]
    found = judged(sides.counts, ASKED)["exact_count_rate"]["all"]
    assert (found["value"], found["n_rows"]) == (1, 1)


def test_photographs_of_nothing_alone_have_no_figure():
    sides = paired(file(one("a")), file(one("a")), group_key=None)
    assert judged(sides.counts, ASKED)["count_mae"]["all"]["value"] is None


def test_what_the_predictions_do_not_list_is_counted_as_unknown():
    truth = file(one("a", cola=2, rare=3, odd=1, unknown=1))
    said = file(one("a", cola=2, unknown=4), products=frozenset({"cola", "water"}))
    sides = paired(said, truth, group_key=None)
    assert rows(sides) == [("a", "a", "cola", 2, 2), ("a", "a", "unknown", 5, 4)]
    assert sides.unlisted == ("odd", "rare")


def refused(said, truth, group_key=None):
    with pytest.raises(DataError) as caught:
        paired(said, truth, group_key=group_key)
    return str(caught.value)


def test_photographs_of_one_side_are_refused_by_name():
    message = refused(file(one("a"), one("x")), file(one("a"), one("y"), one("z")))
    assert "predictions: y" in message
    assert "predictions: z" in message
    assert "ground truth: x" in message


def test_empty_files_are_refused():
    assert "predictions: expected photographs, got none" in refused(file(), file(one("a")))
    assert "ground truth: expected photographs, got none" in refused(file(one("a")), file())


def test_a_photograph_without_the_group_is_refused():
    message = refused(file(one("a"), one("b")), file(one("a"), Photograph("b", {}, {}, {})), "store")
    assert "ground truth: b: expected a group store, got no groups" in message
    assert "a group shop, got the keys ['store']" in refused(file(one("a")), file(one("a")), "shop")


@pytest.mark.parametrize("key", ["class", "a=b"])
def test_a_stratum_that_would_take_the_place_of_another_is_refused(key):
    truth = Photograph("a", {"cola": 1}, {}, {key: "cola"})
    message = refused(file(one("a", cola=1)), file(truth))
    assert f"ground truth: a: expected strata not called class, and without =, got a stratum '{key}'" in message


def test_products_that_the_other_side_spells_in_another_case_are_refused():
    assert "expected products that differ by more than case, got Cola, cola" in refused(
        file(one("a", Cola=1)), file(one("a", cola=1))
    )
    listed = file(one("a"), products=frozenset({"Water"}))
    assert "got Water, water" in refused(listed, file(one("a", water=2)))
