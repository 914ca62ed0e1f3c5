import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vouch import io
from vouch.errors import DataError, WorkspaceError


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


def test_a_parquet_table_is_read_by_columns_too(tmp_path):
    whole = pd.DataFrame({"metric": ["recall", "ece"], "rows": np.array([3, 5], np.int32)})
    for name, table in (("t.parquet", whole), ("empty.parquet", whole[:0])):
        io.write_table(tmp_path / name, table)
        read = io.read_columns(tmp_path / name)
        assert {name: column.tolist() for name, column in read.items()} == table.to_dict("list")
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"t\.parquet: expected a table"):
        io.read_columns(tmp_path / "t.parquet")
    with pytest.raises(FileNotFoundError):
        io.read_columns(tmp_path / "no.parquet")


def test_columns_are_read_without_pandas(tmp_path):
    io.write_table(tmp_path / "t.parquet", pd.DataFrame({"metric": ["recall"], "rows": [3]}))
    code = "import sys, pathlib, vouch.io as io\nio.read_columns(pathlib.Path('t.parquet'))\nprint(*sys.modules)"
    command, source = [sys.executable, "-c", code], str(Path(__file__).parents[1] / "src")
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": source}, capture_output=True, text=True, check=True)
    assert "pandas" not in done.stdout.split()


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


def held(root):
    """Every file below a folder with its bytes, and every link with where it leads."""
    return {
        str(path.relative_to(root)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def occupied(root):
    """A folder with a person's photographs, a link to it, an empty folder and a pipe: no place for a file."""
    (root / "photographs/2024").mkdir(parents=True)
    (root / "photographs/2024/a.jpg").write_bytes(b"dear")
    (root / "link").symlink_to(root / "photographs")
    (root / "empty").mkdir()
    os.mkfifo(root / "pipe")
    return root


WRITERS = {
    "bytes": lambda path: io.write_bytes(path, b"x"),
    "text": lambda path: io.write_text(path, "x"),
    "json": lambda path: io.write_json(path, {}),
    "table": lambda path: io.write_table(path, pd.DataFrame({"a": [1]})),
}


@pytest.mark.parametrize("place", ["photographs", "photographs/2024", "link", "empty", "pipe", ".", ""])
@pytest.mark.parametrize("writer", WRITERS)
def test_what_replaces_a_file_never_touches_anything_else(tmp_path, monkeypatch, writer, place):
    monkeypatch.chdir(occupied(tmp_path))
    before = held(tmp_path)
    with pytest.raises(WorkspaceError, match="expected a file, or nothing"):
        WRITERS[writer](Path(place))
    assert held(tmp_path) == before
    assert (tmp_path / "empty").is_dir()


def test_a_folder_that_came_up_while_a_file_was_written_stays(tmp_path):
    def lose_the_race():
        with io.replacing(tmp_path / "out") as temporary:
            temporary.write_text("x")
            occupied(tmp_path / "out")

    with pytest.raises(WorkspaceError, match="expected a file, or nothing"):
        lose_the_race()
    assert (tmp_path / "out/photographs/2024/a.jpg").read_bytes() == b"dear"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_owned_folder_is_replaced_whole(tmp_path):
    for names in (["a", "b"], ["c"]):
        with io.replacing_folder(tmp_path / "out") as temporary:
            temporary.mkdir()
            for name in names:
                (temporary / name).write_text(name)
    assert held(tmp_path) == {"out/c": b"c"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def fill(context, path, *, made):
    """Write into a folder until the disk is full, before the folder is made or after."""
    with context(path) as temporary:
        if made:
            temporary.mkdir(exist_ok=True)
            (temporary / "half").write_text("x")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("made", [True, False])  # not made: nothing to rename into place
def test_a_failed_folder_leaves_the_old_one_and_nothing_else(tmp_path, made):
    occupied(tmp_path / "out")
    before = held(tmp_path)
    with pytest.raises(OSError, match=r"No space left|No such file"):
        fill(io.replacing_folder, tmp_path / "out", made=made)
    assert held(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("context", [io.replacing_folder, io.new_folder])
def test_no_folder_takes_the_place_of_a_file_or_a_link(tmp_path, context):
    occupied(tmp_path)
    (tmp_path / "file").write_bytes(b"dear")
    before = held(tmp_path)
    for place in ("file", "link", "pipe"):
        with pytest.raises(WorkspaceError, match=place):
            fill(context, tmp_path / place, made=True)
    assert held(tmp_path) == before


def test_a_new_folder_is_new_or_was_empty(tmp_path, monkeypatch):
    occupied(tmp_path)
    for place in ("made", "empty", "deep/down"):
        with io.new_folder(tmp_path / place) as temporary:
            (temporary / "a").write_text("a")
    before = held(tmp_path)
    assert {"made/a", "empty/a", "deep/down/a"} < set(before)
    monkeypatch.chdir(tmp_path)
    for place in ("photographs", "made", ".", ".."):
        with pytest.raises(WorkspaceError, match="no folder, or an empty one"):
            fill(io.new_folder, Path(place), made=True)
    with pytest.raises(OSError, match="No space left"):
        fill(io.new_folder, tmp_path / "other", made=True)
    assert held(tmp_path) == before
    assert not (tmp_path / "other").exists()


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        io.write_bytes(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("context", [io.replacing, io.replacing_folder, io.new_folder])
def test_a_failed_write_leaves_no_folder_that_was_not_there(tmp_path, context):
    def fail(path):
        with context(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "mine").mkdir()
    with pytest.raises(OSError, match="No space left"):
        fail(tmp_path / "mine/deep/er/out")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        fail(tmp_path / "taken/deep/out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine", "taken"]


@pytest.mark.parametrize("name", ["~/t.csv", "~/t.parquet", "~root/t.csv"])
def test_a_tilde_is_a_name_like_any_other(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    io.write_table(Path(name), pd.DataFrame({"a": ["x"]}))
    assert (tmp_path / name).is_file()
    assert io.read_table(Path(name))["a"].tolist() == ["x"]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 5000, b'{"a": NaN}', b""])
def test_what_is_no_json_is_named(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.json"):
        io.read_json(tmp_path / "a.json")
    with pytest.raises(FileNotFoundError):
        io.read_json(tmp_path / "b.json")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
@pytest.mark.parametrize("spoil", [lambda whole: whole + b'"', lambda _: b"", lambda _: b"\xff\x00" * 99])
def test_what_is_no_table_is_named(tmp_path, name, spoil):
    path = tmp_path / name
    io.write_table(path, pd.DataFrame({"a": ["x", "y"]}))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=rf"{name}: expected a table"):
        io.read_table(path)
    with pytest.raises(FileNotFoundError):
        io.read_table(tmp_path / "no" / name)


def test_what_pandas_notes_in_a_parquet_file_is_passed_over(tmp_path):
    note = {"columns": [{"name": "a", "numpy_typo": "object"}], "index_columns": ["gone"], "column_indexes": []}
    table = pa.table({"a": ["x", "y"]}).replace_schema_metadata({"pandas": json.dumps(note)})
    pq.write_table(table, tmp_path / "a.parquet")
    assert io.read_table(tmp_path / "a.parquet")["a"].tolist() == ["x", "y"]
