import pandas as pd
import pytest

from report import made_up
from vouch.report.confusion import confusion

# 4 cats of 3 groups, 3 of them right; 2 dogs of one group, one right; no hen at all
PHOTOGRAPHS = pd.DataFrame(
    [
        ("cat", "cat", "g1", 1.0),
        ("cat", "cat", "g1", 1.0),
        ("cat", "cat", "g2", 0.0),
        ("cat", "hen", "g3", 1.0),
        ("dog", "dog", "g1", 0.0),
        ("dog", "cat", "g1", 0.0),
    ],
    columns=["class_true", "class_pred", "group", "accept"],
)
CALIBRATOR = {"classes": ["dog", "cat", "hen"]}


def counts(part):
    return [[cell["count"] for cell in row["cells"]] for row in part["rows"]]


def column(part, name):
    return [row[name] for row in part["rows"]]


def test_counts_shares_and_recall_by_hand_in_the_model_s_order():
    found = confusion(PHOTOGRAPHS, CALIBRATOR, {"accuracy": {"class=cat": made_up.cell(0.75)}})
    everybody, answered = found["parts"]
    assert (found["columns"], found["others"]) == (["dog", "cat", "hen"], 0)
    assert counts(everybody) == [[1, 1, 0], [0, 3, 1], [0, 0, 0]]
    assert [cell["share"] for cell in everybody["rows"][1]["cells"]] == [0.0, 0.75, 0.25]
    assert column(everybody, "recall") == [0.5, 0.75, None]
    assert column(everybody, "n_rows") == [2, 4, 0]
    assert column(everybody, "n_groups") == [1, 3, 0]
    assert column(everybody, "interval") == [None, made_up.cell(0.75), None]
    assert everybody["called"] == [
        {"count": 1, "precision": 1.0},
        {"count": 4, "precision": 0.75},
        {"count": 1, "precision": 0.0},
    ]
    assert (answered["n_rows"], answered["of"]) == (3, 6)
    assert counts(answered) == [[0, 0, 0], [0, 2, 1], [0, 0, 0]]
    assert column(answered, "recall") == [None, pytest.approx(2 / 3), None]
    assert (column(answered, "n_groups"), column(answered, "of")) == ([0, 2, 0], [2, 4, 0])


def test_the_shade_of_a_right_answer_is_its_share_and_of_a_wrong_one_that_of_the_most_frequent():
    dog, cat, _ = confusion(PHOTOGRAPHS, CALIBRATOR, {})["parts"][0]["rows"]
    assert [cell["shade"] for cell in dog["cells"]] == [50, 100, 0]
    assert [cell["shade"] for cell in cat["cells"]] == [0, 75, 50]
    rare = pd.DataFrame({"class_true": "cat", "class_pred": ["hen"] + ["cat"] * 49, "group": "g", "accept": 1.0})
    assert confusion(rare, {}, {})["parts"][0]["rows"][0]["cells"][1]["shade"] == 20  # .02 of .1, not of .02


def test_where_nothing_is_answered_the_second_table_is_empty():
    answered = confusion(PHOTOGRAPHS.assign(accept=0.0), CALIBRATOR, {})["parts"][1]
    assert (answered["n_rows"], column(answered, "recall")) == (0, [None] * 3)


def test_of_many_classes_the_weakest_are_shown_and_the_others_answers_stand_together():
    names = tuple(f"product {place:02d}" for place in range(24))  # every fourth has recall .9, then .8, .7, .6
    found = confusion(made_up.confusion(names), {"classes": names}, {})
    assert (len(found["columns"]), found["others"], found["upright"]) == (20, 4, True)
    left = [name for name in names if name not in found["columns"]]
    assert left == ["product 08", "product 12", "product 16", "product 20"]  # ties: the first stay
    everybody = found["parts"][0]
    assert {row["name"]: row["others"] for row in everybody["rows"] if row["others"]} == {
        "product 07": 4,  # each calls the next class, which has no column
        "product 11": 4,
        "product 15": 4,
        "product 19": 4,
    }
    assert {sum(row) for row in counts(everybody)} == {6, 10}
