"""An export measures photographs whose size nobody stated; it needs their header, not that a model could read them."""

import pandas as pd
import pytest
from PIL import Image

from vouch.commands.data import _measured
from vouch.errors import DataError


def samples(*images):
    table = pd.DataFrame({"image": [str(image) for image in images]})
    return table.assign(width=pd.array([None] * len(table), "Int64"), height=pd.array([None] * len(table), "Int64"))


def test_a_photograph_that_is_set_aside_later_has_a_size(tmp_path):
    Image.new("CMYK", (30, 20)).save(tmp_path / "a.jpg")
    Image.new("RGB", (40, 10)).save(tmp_path / "b.png")
    found = _measured(samples(tmp_path / "a.jpg", tmp_path / "b.png"))
    assert found[["width", "height"]].to_numpy().tolist() == [[30, 20], [40, 10]]


def test_what_has_no_size_is_named_all_at_once(tmp_path):
    Image.new("RGB", (40, 10)).save(tmp_path / "b.png")
    (tmp_path / "c.jpg").write_bytes(b"no picture")
    (tmp_path / "d.jpg").touch()
    with pytest.raises(DataError) as caught:
        _measured(samples(tmp_path / "absent.jpg", tmp_path / "b.png", tmp_path / "c.jpg", tmp_path / "d.jpg"))
    assert [problem.where for problem in caught.value.problems] == [
        str(tmp_path / name) for name in ("absent.jpg", "c.jpg", "d.jpg")
    ]
