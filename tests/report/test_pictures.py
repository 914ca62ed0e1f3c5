import base64
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vouch.errors import DataError
from vouch.report.pictures import HEIGHT_PX, MOST, Mistake, alt_text, data_uri, worst


def rows(*found):
    columns = ["sample_id", "kind", "class", "confidence", "x1", "y1", "x2", "y2"]
    return pd.DataFrame(found, columns=columns).assign(class_true="metal")


def samples(*names):
    return pd.DataFrame({"sample_id": names, "image": [f"data/{name}" for name in names]})


def decoded(uri):
    prefix, _, content = uri.partition(",")
    assert prefix == "data:image/jpeg;base64"
    return Image.open(BytesIO(base64.b64decode(content)))


def test_the_worst_come_in_the_table_s_order_one_picture_a_photograph():
    table = rows(
        ("b", "miss", "phone", 0.0, 0, 0, 1, 1),
        ("a", "miss", "cone", 0.3, 0, 0, 1, 1),
        ("b", "miss", "cone", 0.0, 2, 2, 3, 3),
        ("a", "false_alarm", "phone", 0.9, 0, 0, 1, 1),
    )
    found = worst(table, samples("a", "b"), "miss")
    assert [(each.sample_id, each.captions) for each in found] == [("b", ("phone", "cone")), ("a", ("cone 0.30",))]
    assert found[0].image == "data/b"
    assert alt_text(found[1]) == "Missed: cone 0.30 in a"


def test_a_photograph_says_what_was_answered_and_what_is_true():
    nowhere = (np.nan,) * 4
    table = rows(("a", "wrong_exit", "glass", 0.97, *nowhere), ("b", "abstention", "paper", 0.4, *nowhere))
    found = [alt_text(one) for kind in ("wrong_exit", "abstention") for one in worst(table, samples("a", "b"), kind)]
    assert found == [
        "Answered wrongly as: glass 0.97, in truth metal. a",
        "Left to a person: paper 0.40, in truth metal. b",
    ]


def test_no_more_than_a_handful_is_shown():
    names = [f"s{place}" for place in range(30)]
    table = rows(*((name, "miss", "phone", 0.0, 0, 0, 1, 1) for name in names))
    assert [each.sample_id for each in worst(table, samples(*names), "miss")] == names[:MOST]


def test_every_unknown_photograph_is_named():
    table = rows(("x", "miss", "phone", 0.0, 0, 0, 1, 1), ("y", "miss", "phone", 0.0, 0, 0, 1, 1))
    with pytest.raises(DataError, match=r"(?s)2 problems.*got x.*got y"):
        worst(table, samples("a"), "miss")


@pytest.mark.parametrize("size", [(320, 200), (200, 3000), (3000, 40), (8, 8)])
def test_a_photograph_of_any_shape_gives_a_picture_of_one_height(size):
    mistake = Mistake("a", "a", "miss", np.array([[1.0, 1.0, 6.0, 7.0]]), ("phone",))
    first = data_uri(Image.new("RGB", size, "grey"), mistake)
    assert decoded(first).height == HEIGHT_PX
    assert first == data_uri(Image.new("RGB", size, "grey"), mistake)


def test_a_mistake_about_the_whole_photograph_has_no_closer_look():
    mistake = Mistake("a", "a", "miss", np.full((1, 4), np.nan), ("street",))
    assert decoded(data_uri(Image.new("RGB", (520, 260)), mistake)).width == 470
