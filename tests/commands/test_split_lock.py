"""`vouch split show` and `vouch split check` on what the stage split wrote."""

from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from vouch import io, paths
from vouch.commands.split_lock import split_check, split_show
from vouch.errors import DataError, LeakageError
from vouch.stages import split
from vouch.tables import CLUSTERS, ISSUES

PARAMS = """datasets:
  d:
    split:
      fractions:
        train: 0.4
        val_select: 0.2
        val_calib: 0.2
        val_test: 0.2
      seed: 1
      bridge: refuse
      stated: {}
      unknown_products: {}
"""
app = typer.Typer()
app.command("show")(split_show)
app.command("check")(split_check)


def run(*words):
    result = CliRunner().invoke(app, [*words, "d"], env={"COLUMNS": "120"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def write(names, quarantined=()):
    samples = pd.DataFrame({"sample_id": names, "label": "can", "group_store": [name[0] for name in names]})
    io.write_table(paths.manifest("d", "samples"), samples)
    boxes = pd.DataFrame({name: pd.Series([], dtype="str") for name in ("sample_id", "class_name")})
    io.write_table(paths.manifest("d", "boxes"), boxes)
    io.write_table(paths.quality("d", "scan"), samples[["sample_id"]].assign(sha256="x"))
    rows = [(name, "blank", "quarantine", "x") for name in quarantined]
    io.write_table(paths.quality("d", "issues"), pd.DataFrame(rows, columns=list(ISSUES), dtype="str"))
    io.write_table(paths.quality("d", "clusters"), pd.DataFrame(columns=list(CLUSTERS), dtype="str"))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    write([f"{store}{number}" for store in "abcde" for number in range(2)] + ["z0"], quarantined=["z0"])
    split.run("d")


def test_what_the_split_wrote_is_shown_and_fits(workspace):
    said = run("show")
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in said.splitlines() if len(line.split()) == 6}
    assert rows["photographs", "all"] == ["4", "2", "2", "2"]
    assert rows["groups", "store"] == ["2", "1", "1", "1"]
    assert rows["labels", "can"] == ["4", "2", "2", "2"]
    assert "locked: 5 groups in splits/d.lock.csv" in said
    assert "sealed: val_test" in said
    assert run("check") == "splits/d.lock.csv: 10 photographs in 5 groups, each in one split; 1 set aside\n"


def test_photographs_that_came_and_went_since_are_named_and_nothing_is_written(workspace):
    lock = paths.split_lock("d").read_bytes()
    write([f"{store}{number}" for store in "abcdf" for number in range(2)])
    with pytest.raises(LeakageError) as caught:
        run("check")
    assert [(one.where, one.got) for one in caught.value.problems if one.where.startswith("store=")] == [
        ("store=e", "none in the data set"),
        ("store=f", "one that it lacks"),
    ]
    assert paths.split_lock("d").read_bytes() == lock


def test_a_lock_that_was_edited_is_told_by_the_lists(workspace):
    path = paths.split_lock("d")
    part = dict(line.split(",") for line in path.read_text().splitlines())["store=a"]
    other = "train" if part != "train" else "val_test"
    path.write_text(path.read_text().replace(f"store=a,{part}", f"store=a,{other}"))
    with pytest.raises(LeakageError, match=f"2 photographs in {part}, the first a0"):
        run("check")


@pytest.mark.parametrize(("right", "other"), [("val_test", "train"), ("train", "val_test")])
def test_a_photograph_in_the_lists_of_two_splits_is_told_whichever_of_them_is_right(workspace, right, other):
    line = paths.split("d", right).read_text().splitlines()[1]
    path, sample = paths.split("d", other), line.split(",")[0]
    path.write_text(path.read_text() + line + "\n")
    for word in ("check", "show"):
        with pytest.raises(LeakageError, match=f"{sample}: expected one split, got train and val_test"):
            run(word)


@pytest.mark.parametrize(
    ("path", "word", "said"),
    [
        (paths.split_lock("d"), "show", "the lock of its groups"),
        (paths.split_lock("d"), "check", "the lock of its groups"),
        (paths.manifest("d", "samples"), "check", "run `dvc repro ingest@d`"),
        (paths.split("d", "val_test"), "show", r"val_test\.csv: expected the list of a split"),
    ],
)
def test_what_is_absent_is_named_with_the_stage_that_writes_it(workspace, path, word, said):
    path.unlink()
    with pytest.raises(DataError, match=said):
        run(word)


@pytest.mark.parametrize("absent", [["val_test"], ["val_calib", "val_select"], list(paths.SPLITS)])
def test_lists_that_are_absent_are_all_named_and_nothing_else_is_wrong(workspace, absent):
    for name in absent:
        paths.split("d", name).unlink()
    with pytest.raises(LeakageError) as caught:
        run("check")
    wanted = {str(paths.split("d", name)) for name in absent}
    assert {(one.where, one.got) for one in caught.value.problems} == {(path, "no file") for path in wanted}


def test_lists_that_are_there_are_compared_where_another_is_absent(workspace):
    paths.split("d", "val_test").unlink()
    train, other = (paths.split("d", name) for name in ("train", "val_calib"))
    *kept, moved = train.read_text().splitlines(keepends=True)
    train.write_text("".join(kept))
    other.write_text(other.read_text() + moved)
    with pytest.raises(LeakageError) as caught:
        run("check")
    assert {(one.where, one.got) for one in caught.value.problems} == {
        (str(paths.split("d", "val_test")), "no file"),
        ("data/splits/d", f"1 photograph in val_calib, the first {moved.split(',')[0]}"),
    }


def test_a_photograph_that_a_list_has_and_validate_sets_aside_since_is_told(workspace):
    path = paths.split("d", "train")
    path.write_text(path.read_text() + "z0,z\n")
    with pytest.raises(LeakageError, match="1 photograph that it lacks or sets aside, the first z0"):
        run("check")


@pytest.mark.parametrize("text", ["group,split\nstore=a,test\n", "", "group,split\nstore=a,train\nstore=a,train\n"])
def test_a_damaged_lock_is_refused(workspace, text):
    paths.split_lock("d").write_text(text)
    for word in ("show", "check"):
        with pytest.raises(LeakageError, match=r"splits/d\.lock\.csv"):
            run(word)


def test_before_the_split_what_validate_quarantined_is_aside(workspace):
    paths.split("d", "aside").unlink()
    assert "1 set aside" in run("check")
