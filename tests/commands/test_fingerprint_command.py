"""`vouch data fingerprint`: to a file, against a file, against what git and DVC have of earlier."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from vouch import io, paths
from vouch.commands.fingerprint import data_fingerprint
from vouch.errors import DataError, VouchError, WorkspaceError
from vouch.fingerprint import fingerprint

DVC_YAML = """stages:
  make:
    cmd: "true"
    outs:
    - data/manifests/d/samples.parquet
    - data/manifests/d/boxes.parquet
    - data/quality/d/scan.parquet
"""


def tables(names, label="can"):
    ids = [f"a/{name}" for name in names]
    samples = pd.DataFrame({"sample_id": ids, "annotation": "labelled", "label": label, "group_sample": ids})
    columns = {"sample_id": "str", "class_name": "str", **dict.fromkeys(("x1", "y1", "x2", "y2"), "float64")}
    boxes = pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in columns.items()})
    return samples, boxes, pd.DataFrame({"sample_id": ids, "sha256": [f"hash of {name}" for name in names]})


def write(names, label="can"):
    places = (paths.manifest("d", "samples"), paths.manifest("d", "boxes"), paths.quality("d", "scan"))
    for path, table in zip(places, tables(names, label), strict=True):
        io.write_table(path, table)


def run(*words):
    import typer

    app = typer.Typer()
    app.command()(data_fingerprint)
    result = CliRunner().invoke(app, ["d", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(["1", "2", "3"])


def test_the_file_and_what_is_printed_are_the_same_bytes(workspace):
    printed = run()
    assert run("-o", "now.json") == "wrote now.json\n"
    assert Path("now.json").read_text() == printed
    assert json.loads(printed) == fingerprint("d", *tables(["1", "2", "3"]))
    assert run() == printed


def test_what_is_read_here_is_said_to_be_as_of_the_last_scan(workspace, capsys):
    data_fingerprint("d")
    said = capsys.readouterr()
    assert said.err == "note: as of the last scan; after a change of data, run `dvc repro scan@d` first\n"
    assert json.loads(said.out)["photographs"] == 3


def test_an_earlier_file_says_what_changed(workspace):
    run("-o", "old.json")
    write(["2", "3", "4"], label=["can", "jar", "can"])
    lines = run("--compare", "old.json", "-o", "difference.json").splitlines()
    assert lines == [
        "added 1: a/4",
        "removed 1: a/1",
        "changed 0",
        "relabelled 1: a/3",
        "regrouped 0",
        "wrote difference.json",
    ]
    found = json.loads(Path("difference.json").read_text())
    assert (found["added"], found["relabelled"]) == (["a/4"], ["a/3"])
    assert found["old"] == json.loads(Path("old.json").read_text())["sha256"] != found["new"]


def everything():
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and path.parts[0] != ".dvc"}


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["--compare", "made_up.json"], DataError, "made_up.json: expected a file of an earlier .*, got no such file"),
        (["--compare", "brokem.json"], DataError, "perhaps `broken.json` was meant; in . lie broken.json, other.json;"),
        (["--compare", "../made_up.json"], DataError, "no such file; correct it: nothing in .. is called alike"),
        (["--compare", "data/../a.JSON"], DataError, "no such file"),
        (["--compare", "nowhere/a.json"], DataError, "there is no folder nowhere; `vouch data"),
        (["--compare", "./data"], DataError, "got a folder"),
        (["--compare", "made_up"], WorkspaceError, "a revision of git"),
        (["--compare", ".."], DataError, "name both revisions"),
        (["--compare", "a.."], DataError, "name both revisions"),
        (["--compare", "..a"], DataError, "name both revisions"),
        (["--compare", "broken.json"], VouchError, "broken.json"),
        (["--compare", "other.json"], DataError, "a fingerprint of form 2"),
        (["-o", "now.txt"], WorkspaceError, "ends in .json"),
        (["-o", "other.json"], WorkspaceError, "--overwrite"),
        (["-o", "data/now.json"], WorkspaceError, "a place of your own"),
        (["--compare", "other.json", "-o", "other.json", "--overwrite"], WorkspaceError, "other.json"),
    ],
)
def test_what_cannot_be_read_or_written_is_refused_and_nothing_is_written(workspace, words, error, said):
    Path(".dvc").mkdir()
    Path("broken.json").write_text("{")
    Path("other.json").write_text("{}")
    before = everything()
    with pytest.raises(error, match=said):
        run(*words)
    assert everything() == before


def test_an_absent_table_is_named_with_the_stage_that_makes_it(workspace):
    paths.quality("d", "scan").unlink()
    with pytest.raises(DataError, match=r"scan\.parquet: expected a table, got no file; run `dvc repro scan@d`"):
        run()


def call(*words):
    subprocess.run(words, check=True, capture_output=True)


def test_revisions_are_read_from_git_and_the_cache_and_what_the_cache_lacks_is_named(workspace):
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
    dvc = (sys.executable, "-m", "dvc")
    call("git", "init", "--quiet")
    call(*dvc, "init", "--quiet")
    Path("dvc.yaml").write_text(DVC_YAML)
    Path(".gitignore").write_text("/data\n")
    for tag, names in {"one": ["1", "2", "3"], "two": ["2", "3", "4"]}.items():
        write(names)
        call(*dvc, "commit", "--force", "--quiet")
        call(*git, "add", "-A")
        call(*git, "commit", "-qm", tag)
        call(*git, "tag", tag)
    write(["4"])
    assert run("--compare", "one..two").splitlines()[:2] == ["added 1: a/4", "removed 1: a/1"]
    assert run("--compare", "two").splitlines()[:2] == ["added 0", "removed 2: a/2, a/3"]
    for words, said in ((["--compare", "three"], "a revision of git"), (["--compare", "one..three"], "a revision")):
        with pytest.raises(WorkspaceError, match=said):
            run(*words)
    call(*git, "rm", "-q", "dvc.yaml", "dvc.lock")
    call(*git, "commit", "-qm", "none")
    with pytest.raises(WorkspaceError, match=r"at HEAD: expected .*, got no such file at that time; "):
        run("--compare", "HEAD")
    for path in Path(".dvc/cache/files/md5").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(WorkspaceError, match=r"samples\.parquet at one: expected its content in DVC's cache or remote"):
        run("--compare", "one")


def test_a_file_of_another_data_set_is_called_so(workspace):
    """A data set may have been renamed, so it is compared; but nobody should take its samples for gone."""
    run("-o", "old.json")
    Path("other_set.json").write_text(Path("old.json").read_text().replace('"dataset": "d"', '"dataset": "e"'))
    assert "note" not in run("--compare", "old.json")
    assert run("--compare", "other_set.json").splitlines()[0] == "note: other_set.json is of the data set 'e', not d"
