import numpy as np
import pandas as pd
import pytest

from vouch import io


def test_json_is_sorted_rounded_and_plain(tmp_path):
    io.write_json(tmp_path / "a.json", {"b": np.float64(0.12345678), "a": (np.int64(1), None, -0.0), "c": np.True_})
    expected = '{\n  "a": [\n    1,\n    null,\n    0.0\n  ],\n  "b": 0.123457,\n  "c": true\n}\n'
    assert (tmp_path / "a.json").read_text() == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_refuses_what_json_does_not_know(tmp_path, value):
    with pytest.raises(ValueError, match="JSON"):
        io.write_json(tmp_path / "a.json", {"a": value})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_the_same_table_is_the_same_bytes(tmp_path, suffix):
    table = pd.DataFrame({"a": ["x", "y"], "b": [0.5, 1 / 3]}, index=[7, 3])
    io.write_table(tmp_path / f"1{suffix}", table)
    io.write_table(tmp_path / f"2{suffix}", table.reset_index(drop=True))
    assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


def test_parquet_keeps_nulls_and_values_exactly(tmp_path):
    table = pd.DataFrame({"class_true": ["a", None], "score": [1 / 3, 0.0], "hits": np.array([1023, 0], np.uint16)})
    io.write_table(tmp_path / "t.parquet", table)
    read = io.read_table(tmp_path / "t.parquet")
    assert read["class_true"].isna().tolist() == [False, True]
    assert read["score"].tolist() == [1 / 3, 0.0]
    assert read["hits"].dtype == np.uint16


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    io.write_text(path, "old")

    def fail_half_way():
        with io.replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_is_replaced_whole(tmp_path):
    for names in (["a", "b"], ["c"]):
        with io.replacing(tmp_path / "out") as temporary:
            temporary.mkdir()
            for name in names:
                (temporary / name).write_text(name)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        io.write_bytes(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == []
