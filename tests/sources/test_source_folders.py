import os
from pathlib import Path

import pytest

from vouch.errors import ManifestError
from vouch.sources.descriptor import check_descriptor, read_descriptor
from vouch.sources.tree import inside, link_problems, name_problems, walk


def test_the_holding_folder_is_the_class(read):
    reading = read({"images/train/can/a.jpg": "", "b/c.PNG": "", "LICENSE": "", ".git/x.jpg": ""}, "imagefolder")
    assert reading.problems == ()
    assert [(record.image, record.label) for record in reading.records] == [
        ("b/c.PNG", "b"),
        ("images/train/can/a.jpg", "can"),
    ]


@pytest.mark.parametrize(
    ("files", "where", "got"),
    [
        ({"a.jpg": "", "b/a.jpg": ""}, "a.jpg", "none"),
        ({"b/a.jpg": "", "b/notes.doc": ""}, "b/notes.doc", ".doc"),
        ({"README": ""}, "the source", "none"),
    ],
)
def test_a_folder_that_does_not_add_up_is_refused(read, files, where, got):
    problems = read(files, "imagefolder").problems
    assert [(problem.where, problem.got) for problem in problems] == [(where, got)]


def test_a_side_manifest_may_not_contradict_the_folder(read):
    files = {"can/a.jpg": "", "jar/b.jpg": "", "manifest.csv": "file,label\ncan/a.jpg,can\njar/b.jpg,\n"}
    assert read(files, "imagefolder").problems == ()
    problems = read(files | {"manifest.csv": files["manifest.csv"].replace(",can", ",jar")}, "imagefolder").problems
    assert [(problem.where, problem.got) for problem in problems] == [("can/a.jpg: label", "'jar'")]


@pytest.mark.parametrize("path", ["/a", "../a", "a/../b", "a/..", "C:/a", "a\\b", "", " a", "a\n", "\udcff"])
def test_paths_that_leave_the_source_or_are_no_names_are_none(path):
    assert inside(path) is None


@pytest.mark.parametrize(("path", "normal"), [("a/b.jpg", "a/b.jpg"), ("./a//b", "a/b"), ("a..b/ü.jpg", "a..b/ü.jpg")])
def test_paths_are_brought_to_one_form(path, normal):
    assert inside(path) == normal


def test_links_that_leave_the_source_or_lead_to_folders_are_refused(tmp_path: Path):
    root = tmp_path / "source"
    (root / "folder").mkdir(parents=True)
    (root / "a.jpg").write_bytes(b"")
    (tmp_path / "secret.jpg").write_bytes(b"")
    (root / "good.jpg").symlink_to("a.jpg")
    (root / "leaves.jpg").symlink_to("../secret.jpg")
    (root / "loop").symlink_to(".")
    (root / "nothing.jpg").symlink_to("gone.jpg")
    tree = walk(root)
    assert tree.files == {"a.jpg", "good.jpg", "leaves.jpg"}
    assert [(problem.where, problem.got) for problem in link_problems(tree)] == [
        ("leaves.jpg", "one that leaves it"),
        ("loop", "a link to a folder"),
        ("nothing.jpg", "a link to nothing"),
    ]


def test_names_that_are_not_utf8_or_hold_control_characters_are_refused(tmp_path: Path):
    (tmp_path / "größe 1.jpg").write_bytes(b"")
    (tmp_path / "10\u202fAM.jpg").write_bytes(b"")  # a narrow space, as macOS writes it
    for name in (b"\xe9.jpg", b"a\n.jpg", b"a\\b.jpg"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    assert sorted(problem.got for problem in name_problems(walk(tmp_path))) == [
        "'\\udce9.jpg'",
        "'a\\\\b.jpg'",
        "'a\\n.jpg'",
    ]


GOOD = {"name": "a", "format": "csv", "unlabelled": "refuse"}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"colour": 1}, "s.json.colour"),
        ({"format": "xml"}, "s.json.format"),
        ({"name": "../a"}, "s.json.name"),
        ({"unlabelled": "maybe"}, "s.json.unlabelled"),
        ({"labels": {"a": 3}}, "s.json.labels.a"),
        ({"groups": {"Driver": {"column": "a"}}}, "s.json.groups.Driver.[key]"),
        ({"groups": {"driver": {}}}, "s.json.groups.driver"),
        ({"groups": {"driver": {"column": "a", "level": 1}}}, "s.json.groups.driver"),
        ({"groups": {"driver": {"pattern": "a"}}}, "s.json.groups.driver"),
        ({"groups": {"driver": {"pattern": "(a"}}}, "s.json.groups.driver"),
        ({"groups": {"driver": {"level": 0}}}, "s.json.groups.driver"),
        ({"groups": {"driver": {"value": ""}}}, "s.json.groups.driver"),
        ({"manifest": "manifest.csv"}, "s.json"),
    ],
)
def test_a_descriptor_is_closed_and_typed(change, where):
    with pytest.raises(ManifestError) as caught:
        check_descriptor({**GOOD, **change}, "s.json")
    assert [problem.where for problem in caught.value.problems] == [where]


def test_a_descriptor_lies_in_the_folder_that_it_names(tmp_path: Path):
    (tmp_path / "b").mkdir()
    with pytest.raises(ManifestError, match="No such file"):
        read_descriptor(tmp_path / "b")
    (tmp_path / "b/source.json").write_text('{"name": "a", "format": "csv", "unlabelled": "refuse"}')
    with pytest.raises(ManifestError, match="the folder's name b"):
        read_descriptor(tmp_path / "b")
