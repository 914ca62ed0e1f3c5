"""A person says where a new group goes; what is locked stays where it is."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines import of_one_detector
from vouch.cli import app
from vouch.errors import LeakageError, ParamsError

SPLIT = {
    "fractions": {"train": 0.4, "val_select": 0.2, "val_calib": 0.2, "val_test": 0.2},
    "seed": 1,
    "bridge": "refuse",
    "stated": {},
    "unknown_products": {},
}
LOCK = "group,split\nsession=s1,train\nsession=s2,val_test\n"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ingest = {"classes": ["can"], "group_keys": ["session"], "strata": {}}
    sections = {"ingest": ingest, "split": SPLIT}
    content = {"pipeline": of_one_detector(), "datasets": {"d": sections}, "models": {"m": {}}}
    Path("params.yaml").write_text(json.dumps(content))
    for source, sessions in {"first": ["s1", "s2"], "later": ["s2", "s3", "s4"]}.items():
        folder = Path("data/sources/d", source)
        folder.mkdir(parents=True)
        rows = (f"{name}.jpg,can,{name}\n" for name in sessions)
        (folder / "manifest.csv").write_text("image,label,group_session\n" + "".join(rows))
        (folder / "source.json").write_text(json.dumps({"name": source, "format": "csv", "unlabelled": "refuse"}))
        for name in sessions:
            (folder / f"{name}.jpg").write_bytes(b"")
    Path("splits").mkdir()
    Path("splits/d.lock.csv").write_text(LOCK)


def run(*words):
    return CliRunner().invoke(app, ["split", "assign", "d", *words])


def test_a_new_group_is_locked_where_it_is_told(workspace):
    found = run("session=s4", "--to", "train")
    assert found.exit_code == 0, found.output
    assert Path("splits/d.lock.csv").read_text() == LOCK + "session=s4,train\n"
    assert "next: dvc repro split@d" in found.output
    assert isinstance(run("session=s4", "--to", "val_test").exception, LeakageError)


def test_all_new_groups_of_a_source_are(workspace):
    assert run("--source", "later", "--to", "val_calib").exit_code == 0
    assert Path("splits/d.lock.csv").read_text() == LOCK + "session=s3,val_calib\nsession=s4,val_calib\n"
    assert "all are locked" in str(run("--source", "later", "--to", "train").exception)


def test_a_data_set_that_was_never_split_gets_its_lock(workspace):
    Path("splits/d.lock.csv").unlink()
    assert run("session=s1", "--to", "train").exit_code == 0
    assert Path("splits/d.lock.csv").read_text() == "group,split\nsession=s1,train\n"


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["session=s2", "--to", "train"], LeakageError, "got in val_test, which is sealed"),
        (["session=s1", "session=s9", "--to", "train"], LeakageError, "2 problems"),
        (["session=s9", "--to", "train"], LeakageError, "none of this name; perhaps `session=s"),
        (["session=s4"], ParamsError, "and --to SPLIT, got no --to;"),
        (
            ["session=s4", "--to", "val_tset"],
            ParamsError,
            "--to: expected one of train, val_select, val_calib, val_test, got val_tset; perhaps `val_test` was meant",
        ),
        (["--to", "train"], ParamsError, "GROUP ... or --source NAME, and --to SPLIT, got neither of the former;"),
        (
            ["session=s4", "--source", "later", "--to", "train"],
            ParamsError,
            "GROUP ... or --source NAME, and --to SPLIT, got both of the former;",
        ),
        (["--source", "latr", "--to", "train"], ParamsError, "expected one of first, later, got latr"),
    ],
)
def test_what_cannot_be_is_refused_and_the_lock_stays(workspace, words, error, said):
    found = run(*words).exception
    assert isinstance(found, error), found
    assert said in str(found)
    assert Path("splits/d.lock.csv").read_text() == LOCK


def test_a_split_that_the_photographs_do_not_state_is_refused(workspace):
    content = json.loads(Path("params.yaml").read_text())
    content["datasets"]["d"]["split"]["stated"] = {"train": ["train", "val_select"], "test": ["val_test"]}
    Path("params.yaml").write_text(json.dumps(content))
    rows = "".join(f"{name}.jpg,can,{name},{word}\n" for name, word in {"s2": "test", "s3": "test", "s4": ""}.items())
    Path("data/sources/d/later/manifest.csv").write_text("image,label,group_session,split_stated\n" + rows)
    said = str(run("session=s3", "--to", "train").exception)
    assert "session=s3: expected val_test (stated 'test'), got --to train" in said
    assert Path("splits/d.lock.csv").read_text() == LOCK
    assert run("session=s3", "--to", "val_test").exit_code == 0
    assert run("session=s4", "--to", "train").exit_code == 0  # which states nothing


def test_a_split_that_is_none_is_refused(workspace):
    found = run("session=s4", "--to", "test")
    assert found.exit_code == 1
    assert "--to: expected one of train, val_select, val_calib, val_test, got test" in str(found.exception)
