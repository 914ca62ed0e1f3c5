import itertools

import pandas as pd
import pytest

from vouch import io, paths
from vouch.errors import DataError, LeakageError, ParamsError
from vouch.stages import split
from vouch.tables import CLUSTERS

PARAMS = """datasets:
  tiny:
    split:
      fractions:
        train: 0.7
        val_select: 0.1
        val_calib: 0.1
        val_test: 0.1
      seed: 1
      bridge: refuse
      stated: {}
      unknown_products: {}
"""
CSVS = [paths.split("tiny", name) for name in (*paths.SPLITS, "aside")]


def write_tables(drivers, clusters=(), quarantined=()):
    ids = [f"a/{number:03d}" for number in range(len(drivers))]
    label = pd.Series([None] * len(ids), dtype="str")
    samples = pd.DataFrame({"sample_id": ids, "label": label, "group_driver": drivers})
    io.write_table(paths.manifest("tiny", "samples"), samples)
    scan = pd.DataFrame({"sample_id": ids, "sha256": [f"hash of {name}" for name in ids], "sharpness": 1.0})
    io.write_table(paths.quality("tiny", "scan"), scan)
    io.write_table(paths.manifest("tiny", "boxes"), pd.DataFrame({"sample_id": ids, "class_name": "can"}))
    rows = [(name, "truncated", "quarantine", "x") for name in quarantined]
    issues = pd.DataFrame(rows, columns=["sample_id", "check", "severity", "detail"], dtype="str")
    io.write_table(paths.quality("tiny", "issues"), issues)
    near = [(name, clusters[0]) for name in clusters]
    io.write_table(paths.quality("tiny", "clusters"), pd.DataFrame(near, columns=list(CLUSTERS), dtype="str"))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("params.yaml").write_text(PARAMS)
    write_tables([f"d{number % 20:02d}" for number in range(100)], quarantined=["a/007"])
    return tmp_path


def members():
    return {name: set(io.read_table(paths.split("tiny", name))["sample_id"]) for name in paths.SPLITS}


def test_every_sample_is_in_one_split_or_listed_aside(workspace, capsys):
    split.run("tiny")
    parts = members()
    assert sorted(itertools.chain(*parts.values())) == [f"a/{n:03d}" for n in range(100) if n != 7]
    assert io.read_table(paths.split("tiny", "aside")).to_numpy().tolist() == [["a/007", "truncated"]]
    assert io.read_table(CSVS[0]).columns.tolist() == ["sample_id", "group", "sha256"]
    assert {name: len(part) // 5 for name, part in parts.items()}["train"] in (13, 14)
    said = capsys.readouterr().err
    assert "1 quarantined by validate" in said
    assert "before any training: vouch check MODEL" in said


def test_a_second_run_reads_its_own_lock_and_writes_the_same_bytes(workspace):
    split.run("tiny")
    outputs = [*CSVS, paths.split_lock("tiny")]
    contents = [path.read_bytes() for path in outputs]
    split.run("tiny")
    assert [path.read_bytes() for path in outputs] == contents


def test_another_photograph_under_the_same_name_changes_the_list_of_its_own_split(workspace):
    split.run("tiny")
    before, chosen = [path.read_bytes() for path in CSVS], io.read_table(CSVS[3])["sample_id"][0]
    scan = io.read_table(paths.quality("tiny", "scan"))
    scan["sha256"] = scan["sha256"].where(scan["sample_id"] != chosen, "another hash")
    io.write_table(paths.quality("tiny", "scan"), scan.assign(sharpness=2.0))  # which is no content
    split.run("tiny")
    changed = [was != path.read_bytes() for was, path in zip(before, CSVS, strict=True)]
    assert changed == [False, False, False, True, False]


def test_new_groups_do_not_move_old_ones_even_with_other_parameters(workspace):
    split.run("tiny")
    before = members()
    write_tables([f"d{number % 20:02d}" for number in range(100)] + [f"e{number % 9}" for number in range(50)])
    workspace.joinpath("params.yaml").write_text(
        PARAMS.replace("seed: 1", "seed: 9").replace("0.7", "0.1", 1).replace("test: 0.1", "test: 0.7")
    )
    split.run("tiny")
    assert all(part <= members()[name] for name, part in before.items())


def test_a_bridge_is_refused_and_nothing_is_written(workspace):
    split.run("tiny")
    parts = members()
    contents = [path.read_bytes() for path in [*CSVS, paths.split_lock("tiny")]]
    joined = (min(parts["train"]), min(parts["val_test"]))
    write_tables([f"d{number % 20:02d}" for number in range(100)], clusters=joined, quarantined=["a/007"])
    with pytest.raises(LeakageError, match=joined[0]):
        split.run("tiny")
    assert [path.read_bytes() for path in [*CSVS, paths.split_lock("tiny")]] == contents
    workspace.joinpath("params.yaml").write_text(PARAMS.replace("refuse", "quarantine"))
    split.run("tiny")
    assert members() == {**parts, "train": parts["train"] - {joined[0]}}
    assert io.read_table(paths.split("tiny", "aside"))["sample_id"].tolist() == sorted([joined[0], "a/007"])


def test_groups_go_where_their_photographs_state_and_nowhere_else(workspace):
    samples = io.read_table(paths.manifest("tiny", "samples"))
    driver = samples["group_driver"].str[1:].astype(int)
    stated = samples.assign(split_stated=["exam" if number >= 12 else None for number in driver])
    io.write_table(paths.manifest("tiny", "samples"), stated)
    meaning = PARAMS.replace("stated: {}", "stated:\n        exam:\n        - val_calib\n        - val_test")
    workspace.joinpath("params.yaml").write_text(meaning)
    split.run("tiny")
    exam = set(stated.loc[stated["split_stated"].notna(), "sample_id"])
    assert members()["val_calib"] | members()["val_test"] == exam
    assert len(members()["val_calib"]) == len(members()["val_test"]) == 20  # of eight drivers four each
    workspace.joinpath("params.yaml").write_text(meaning.replace("exam", "test"))
    contents = [path.read_bytes() for path in [*CSVS, paths.split_lock("tiny")]]
    with pytest.raises(LeakageError, match="'exam' on 40 photographs, the first a/012"):
        split.run("tiny")
    assert [path.read_bytes() for path in [*CSVS, paths.split_lock("tiny")]] == contents


def test_a_damaged_lock_is_refused(workspace):
    io.write_text(paths.split_lock("tiny"), "group,split\ndriver=d01,train\ndriver=d01,val_test\n")
    with pytest.raises(LeakageError, match="driver=d01"):
        split.run("tiny")
    assert not any(path.exists() for path in CSVS)


def test_too_few_groups_are_refused_and_nothing_is_locked(workspace):
    write_tables(["a", "b", "c"] * 4)
    with pytest.raises(DataError, match="split val_"):
        split.run("tiny")
    assert not paths.split_lock("tiny").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.7", "0.6"),
        ("0.7", "1.0"),
        ("refuse", "ignore"),
        ("seed: 1", "seed: one"),
        ("val_test", "test"),
        ("seed", "sed"),
        ("stated: {}", "stated: []"),
        ("stated: {}", "stated: {train: train}"),
        ("stated: {}", "stated: {train: []}"),
        ("stated: {}", "stated: {train: [test]}"),
        ("stated: {}", "stated: {train: [train, train]}"),
        ("stated: {}", 'stated: {"": [train]}'),
        ("      stated: {}\n", ""),
        ("unknown_products: {}", "unknown_products: {train: [cola]}"),
        ("unknown_products: {}", "unknown_products: {val_calib: [cola], val_test: [tea, cola]}"),
    ],
)
def test_bad_parameters_are_refused(workspace, old, new):
    workspace.joinpath("params.yaml").write_text(PARAMS.replace(old, new))
    with pytest.raises(ParamsError):
        split.run("tiny")


def test_photographs_of_unknown_products_are_set_aside_outside_their_split(workspace):
    write_tables([f"d{number}" for number in range(40)])
    samples = io.read_table(paths.manifest("tiny", "samples"))
    io.write_table(paths.manifest("tiny", "samples"), samples.assign(label=["cola", "tea"] * 20))
    asked = PARAMS.replace("unknown_products: {}", "unknown_products: {val_test: [tea]}")
    workspace.joinpath("params.yaml").write_text(asked)
    split.run("tiny")
    shown = {name: set(pd.read_csv(paths.split("tiny", name))["sample_id"]) for name in paths.SPLITS}
    tea = set(samples["sample_id"][1::2])
    assert not (shown["train"] | shown["val_select"] | shown["val_calib"]) & tea
    aside = pd.read_csv(paths.split("tiny", "aside"))
    assert set(aside["sample_id"]) == tea - shown["val_test"]
    assert set(aside["reason"]) == {"unknown product: tea, for val_test alone"}
