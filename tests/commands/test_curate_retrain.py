"""`vouch curate retrain`: what a person should label next, and never what judges or is known already."""

import csv
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

import labelling
from vouch import io, paths
from vouch.cli import app
from vouch.curation.retraining.review_queue import Answer, enqueue
from vouch.errors import DataError, ParamsError, VouchError, WorkspaceError

WORDS = ("--model", "m", "--scores", "answers.csv", "-o", "chosen.csv")


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labelling.build()
    names = labelling.photographs("new", range(20, 32))
    sure = {name: 0.5 + 0.04 * place for place, name in enumerate(names)}
    lines = [f"{name},{('can', 'jar')[place % 2]},.5,{sure[name]},True,5,5,40,40" for place, name in enumerate(names)]
    Path("answers.csv").write_text(labelling.ANSWERS + "\n".join(lines[:11]) + "\n")


def retrain(*words):
    result = CliRunner().invoke(app, ["curate", "retrain", *map(str, words), *WORDS], env={"COLUMNS": "160"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return " ".join(result.output.split())


def chosen():
    with Path("chosen.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def rows(*lines):
    Path("rows.csv").write_text(labelling.HEADER + "".join(f"{line}\n" for line in lines))
    return "rows.csv"


def test_the_weak_class_and_the_open_answer_come_first():
    said = retrain("new", "--most", 4)
    assert "can 6 0 0.54 6 2" in said  # Clopper-Pearson's lower end of 6 of 6 is .541
    assert "jar 6 5 0.00 5 2" in said  # one is below the threshold; half of all may be of a class
    assert "nothing said - - - 1 0" in said
    found = chosen()
    assert found[0]["photograph"] == "new/p21.png"
    assert found[0]["sha256"] == io.sha256(Path("new/p21.png"))
    assert (found[0]["said"], found[0]["confidence"], found[0]["class"]) == ("jar", "0.540000", "")
    first = Path("chosen.csv").read_bytes()
    assert "4 of 12 photographs" in said
    retrain("new", "--most", 4, "--overwrite")
    assert Path("chosen.csv").read_bytes() == first


def test_a_class_that_the_model_never_names_may_be_where_it_says_nothing():
    names = sorted(path.as_posix() for path in Path("new").iterdir())
    lines = [f"{name},can,.5,0.97,True,5,5,40,40\n" for name in names[:9]]  # of jar, which is found least, none
    Path("answers.csv").write_text(labelling.ANSWERS + "".join(lines))
    said = retrain("new", "--most", 4)
    assert "jar 6 5 0.00 0 0" in said
    assert "nothing said - - - 3 2" in said
    assert [row["said"] for row in chosen()][:1] == [""]


def test_rows_bring_their_class_strata_and_groups_and_only_open_ones_count():
    retrain(
        rows(
            "r1,Jar,false,night,new/p20.png,,ours,MIT,suggested,a,",
            "r2,can,true,day,new/p21.png,,ours,MIT,resolved,b,",
            "r3,jar,false,day,new/p22.png,,ours,MIT,labelled,,",
            "r4,jar,false,day,new/p23.png,,ours,MIT,rejected,,",
            "r5,lid,false,,new/p31.png,,ours,MIT,suggested,,",
            "r6,can,false,,new/absent.png,,ours,MIT,suggested,,",
        ),
        "--most",
        9,
    )
    found = {row["row_id"]: row for row in chosen()}
    assert found.keys() == {"r1", "r2", "r5"}
    assert (found["r1"]["class"], found["r1"]["stratum_light"], found["r1"]["group_session"]) == ("jar", "night", "a")
    assert (found["r2"]["negative"], found["r2"]["class"], found["r2"]["license"]) == ("true", "can", "MIT")
    assert found["r5"]["unsure_bits"] == "1.000"  # the model says nothing, and the row names something
    assert "nothing found" in found["r5"]["why"]


def test_what_the_data_set_shows_and_groups_that_judge_are_left_out():
    labelling.picture(0).save("new/seen.png")
    labelling.picture(7).resize((120, 90)).save("new/like.jpg", quality=70)
    labelling.picture(20).save("new/again.png")
    Path("new/broken.png").write_bytes(b"no picture")
    said = retrain(
        rows(
            "r1,jar,false,day,new/seen.png,,ours,MIT,suggested,,",
            "r2,jar,false,day,new/like.jpg,,ours,MIT,suggested,,",
            "r3,jar,false,day,new/again.png,,ours,MIT,suggested,,",
            "r4,jar,false,day,new/p20.png,,ours,MIT,suggested,,",
            "r5,jar,false,day,new/broken.png,,ours,MIT,suggested,,",
            "r6,jar,false,day,new/p21.png,,ours,MIT,suggested,s7,",
            "r7,jar,false,day,new/p22.png,,ours,MIT,suggested,s0,",
        ),
        "--most",
        9,
    )
    assert {row["row_id"] for row in chosen()} == {"r3", "r7"}
    for words in (
        "in the data set already, or nearly: 2",
        "the pixels of an earlier one: 1",
        "cannot be used: 1",
        "of a group in a validation split: 1",
    ):
        assert words in said


def test_where_nothing_is_new_no_table_is_written():
    labelling.picture(0).save("new/seen.png")
    with pytest.raises(DataError, match="could be labelled, got in the data set already, or nearly: 1"):
        retrain(rows("r1,jar,false,day,new/seen.png,,ours,MIT,suggested,,"), "--most", 9)
    assert not Path("chosen.csv").exists()


def of_sessions():
    """Candidates in folders of their light and session: s4 judges, s20 and s21 are new."""
    for light, session, seeds in (("day", "s4", (40, 41)), ("day", "s20", range(42, 50)), ("night", "s21", (50, 51))):
        labelling.photographs(f"fresh/{light}/{session}", seeds)


def test_a_folder_states_its_groups_and_strata_by_rules():
    of_sessions()
    words = ("--group", "session=folder:-1", "--strata", "light=folder:1")
    said = retrain("fresh", "--most", 9, *words)
    assert "of a group in a validation split: 2" in said
    found = [(row["group_session"], row["stratum_light"]) for row in chosen()]
    assert sorted(found) == [("s20", "day")] * 5 + [("s21", "night")] * 2  # a group gives five labels


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--group", "sesion=folder:-1"), "perhaps `session`"),
        (("--strata", "rain=value:wet"), "a key of the data set: light"),
        (("--group", "session=folder:5"), "fresh/day/s20/p42.png: expected a value of `session`"),
        (("--group", "session=column:who"), "got a column, who"),
        (("--group", "session=folder"), "KEY=folder:LEVEL"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused_and_nothing_is_written(words, said):
    of_sessions()
    with pytest.raises(VouchError, match=said):
        retrain("fresh", "--most", 9, *words)
    assert not Path("chosen.csv").exists()


def test_a_table_states_its_own():
    table = rows("r1,jar,false,day,new/p20.png,,ours,MIT,suggested,,")
    with pytest.raises(WorkspaceError, match="columns group_KEY"):
        retrain(table, "--most", 1, "--group", "session=value:s1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("new", "--taxonomy", "taxonomy.json"), "--taxonomy: expected a table of candidates, got the folder new"),
        (("new", "--label-map", "taxonomy.json"), "--label-map: expected a table of candidates, got the folder new"),
        (("rows.csv", "--label-map", "taxonomy.json"), "--label-map: expected --taxonomy beside it, got none"),
    ],
)
def test_what_is_said_of_classes_that_no_row_has_is_refused(words, said):
    rows("r1,can,false,day,new/p20.png,,ours,MIT,suggested,a,")
    Path("taxonomy.json").write_text("{}")
    with pytest.raises(WorkspaceError, match=said):
        retrain(*words, "--most", 2)
    assert not Path("chosen.csv").exists()


def test_the_review_queue_takes_part():
    labelling.picture(50).save("queued.png")
    unsure, sure = (Answer("0" * 64, None, "jar", score, "low similarity") for score in (0.5, 0.99))
    enqueue(paths.review_queue("m"), Path("queued.png").read_bytes(), [sure, unsure])
    retrain("new", "--most", 1)
    assert chosen()[0]["why"] == "review queue: low similarity"
    assert chosen()[0]["confidence"] == "0.500000"


def test_val_test_is_not_read(monkeypatch):
    for name in ("test", "comparison"):
        path = Path(f"metrics/m/{name}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)  # whoever opens it waits for ever
    path = Path("data/predictions/m/candidate/val_test.parquet")
    os.mkfifo(path)
    retrain("new", "--most", 2)
    assert len(chosen()) == 2


@pytest.mark.parametrize(
    ("error", "prepare", "said"),
    [
        (
            WorkspaceError,
            lambda: Path("data/predictions/m/candidate/val_select.parquet").unlink(),
            "dvc repro decide@m",
        ),
        (WorkspaceError, lambda: Path("data/splits/d/val_calib.csv").unlink(), "dvc repro split@d"),
        (DataError, lambda: Path("answers.csv").write_text("image,class_pred\n"), "a column confidence"),
        (DataError, lambda: Path("answers.csv").unlink(), "answers.csv"),
        (ParamsError, lambda: _setting("per_group: 5", "per_group: 0"), "curate.retrain.per_group"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused_and_nothing_is_written(error, prepare, said):
    prepare()
    with pytest.raises(error, match=said):
        retrain("new", "--most", 12)
    assert not Path("chosen.csv").exists()


def _setting(before, after):
    text = Path("presets/dataset.yaml").read_text()
    assert before in text
    Path("presets/dataset.yaml").write_text(text.replace(before, after))


def test_a_row_may_say_any_word_of_its_item():
    streams = {"streams": [{"id": "glass", "name": "glass"}], "format": 1, "municipality": "Town", "version": "1"}
    items = [{"name": "jar", "stream": "glass", "synonyms": ["preserving jar"]}]
    Path("pack.json").write_text(json.dumps({**streams, "source": "a test", "licence": "MIT", "items": items}))
    CliRunner().invoke(app, ["curate", "taxonomy", "--pack", "pack.json", "-o", "taxonomy.json"])
    table = rows(
        "r1,Preserving-Jar,false,day,new/p20.png,,ours,MIT,suggested,,",
        "r2,jar,false,day,new/p21.png,,ours,MIT,suggested,,",
    )
    retrain(table, "--taxonomy", "taxonomy.json", "--most", 2)
    assert [row["class"] for row in chosen()] == ["jar", "jar"]
    wrong = rows("r1,jer,false,day,new/p20.png,,ours,MIT,suggested,,")
    with pytest.raises(DataError, match="an item of the taxonomy"):
        retrain(wrong, "--taxonomy", "taxonomy.json", "--most", 2, "--overwrite")
