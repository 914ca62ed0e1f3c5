"""A folder or a CSV of photographs is a catalogue: each with its label, where it came from and its licence."""

import os
from pathlib import Path

import pytest

from vouch.curation.catalogue.catalogue import Candidate, Terms, of_folder, of_table
from vouch.errors import DataError

TERMS = Terms("mine", "CC0-1.0", False, {})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("archive/data/can/b.jpg", "archive/data/can/a.png", "archive/data/glass/c.jpg", "archive/README.md"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")
    return Path("archive")


def test_a_folder_s_photographs_are_labelled_by_the_folder_that_holds_each(folder):
    assert of_folder(folder, TERMS) == [
        Candidate("can", False, (), "archive/data/can/a.png", "", "mine: data/can/a.png", "CC0-1.0"),
        Candidate("can", False, (), "archive/data/can/b.jpg", "", "mine: data/can/b.jpg", "CC0-1.0"),
        Candidate("glass", False, (), "archive/data/glass/c.jpg", "", "mine: data/glass/c.jpg", "CC0-1.0"),
    ]


def test_a_path_never_begins_at_the_root_of_this_machine(folder):
    assert {one.photograph for one in of_folder(folder.resolve(), TERMS)} == {
        f"archive/data/{name}" for name in ("can/a.png", "can/b.jpg", "glass/c.jpg")
    }


def test_labels_are_renamed_and_dropped_and_a_catalogue_may_be_of_negatives(folder):
    terms = Terms("mine", "CC0-1.0", True, {"can": "metal_can", "glass": None})
    assert {(one.name, one.negative) for one in of_folder(folder, terms)} == {("metal_can", True)}


def test_a_csv_says_of_each_photograph_what_a_folder_cannot(folder):
    Path("archive/list.csv").write_text(
        "file,url,label,license,source,negative,stratum_light,upstream\n"
        "data/can/a.png,,can,,,,night,x\n"
        ",https://example.org/leaf.jpg,leaf,CC-BY-4.0,Ann,true,,y\n"
    )
    assert of_table(Path("archive/list.csv"), TERMS, ["upstream"]) == [
        Candidate(
            "can", False, (("stratum_light", "night"),), "archive/data/can/a.png", "", "mine: data/can/a.png", "CC0-1.0"
        ),
        Candidate("leaf", True, (), "", "https://example.org/leaf.jpg", "mine: Ann", "CC-BY-4.0"),
    ]


def test_a_folder_without_photographs_labels_or_a_licence_is_refused(folder):
    with pytest.raises(DataError, match="a licence under which it may be used"):
        of_folder(folder, Terms("mine", "", False, {}))
    Path("archive/loose.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match="put it into a folder named by its label"):
        of_folder(folder, TERMS)
    Path("empty").mkdir()
    with pytest.raises(DataError, match="expected photographs, got none"):
        of_folder(Path("empty"), TERMS)


HEADER = "photograph,url,class,negative\n"
REFUSED = {
    "no label column": ("photograph\na.jpg\n", "a column `class` or `label`"),
    "no photograph column": ("class\ncan\n", "a column `photograph` or `url`"),
    "an extra column": ("photograph,class,upstream\ndata/can/a.png,can,x\n", "--ignore upstream"),
    "two names of one column": ("photograph,file,class\na,b,can\n", "one column of `photograph`"),
    "no such file": (HEADER + "absent.jpg,,can,\n", "nothing at archive/absent.jpg"),
    "a file elsewhere": (HEADER + "../secret.jpg,,can,\n", "a file in archive"),
    "neither": (HEADER + ",,can,\n", "a photograph or a url"),
    "no web address": (HEADER + ",file:///etc/passwd,can,\n", "a web address"),
    "no label": (HEADER + "data/can/a.png,,,\n", "a label without outer spaces"),
    "another truth value": (HEADER + "data/can/a.png,,can,yes\n", "negative: true, false or nothing"),
    "twice": (HEADER + "data/can/a.png,,can,\ndata/can/a.png,,glass,\n", "each photograph once"),
    "a formula": (HEADER + "data/can/a.png,,=can,\n", "no spreadsheet calculates"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_catalogue_is_refused(folder, text, said):
    Path("archive/list.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        of_table(Path("archive/list.csv"), TERMS)


def test_a_column_to_ignore_that_is_not_there_is_named(folder):
    Path("archive/list.csv").write_text("photograph,class\ndata/can/a.png,can\n")
    with pytest.raises(DataError, match="--ignore upstraem"):
        of_table(Path("archive/list.csv"), TERMS, ["upstraem"])


def test_a_name_that_is_not_utf_8_is_refused_before_a_table_cannot_hold_it(folder):
    Path("archive/data/can", os.fsdecode(b"\xff.jpg")).write_bytes(b"x")
    with pytest.raises(DataError, match=r"text without control characters, got '.*udcff\.jpg'"):
        of_folder(folder, TERMS)
