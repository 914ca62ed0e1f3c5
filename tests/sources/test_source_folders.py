import os
from pathlib import Path

import pytest

from vouch.errors import ManifestError
from vouch.sources.descriptor import check_descriptor, read_descriptor
from vouch.sources.reading import read_source
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


def test_a_link_of_dvc_into_its_cache_is_read_and_one_that_only_looks_like_it_is_refused(tmp_path: Path):
    root, cache = tmp_path / "source", tmp_path / "cache/files/md5/5d"
    for folder in (root, cache):
        folder.mkdir(parents=True)
    (cache / "41402abc4b2a76b9719d911017c592").write_bytes(b"hello")  # md5 of these five letters, as RFC 1321 has it
    (cache / "41402abc4b2a76b9719d911017c593").write_bytes(b"hello")
    for name, target in {"a.jpg": "2", "b.jpg": "3"}.items():
        (root / name).symlink_to(cache / f"41402abc4b2a76b9719d911017c59{target}")
    assert [(problem.where, problem.got) for problem in link_problems(walk(root))] == [("b.jpg", "one that leaves it")]


@pytest.mark.parametrize("form", ["yolo", "coco", "voc", "imagefolder", "csv", "jsonl"])
def test_links_are_refused_by_whoever_reads_a_source(tmp_path: Path, describe, form):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/more").symlink_to("..")
    problems = read_source(walk(tmp_path / "source"), describe(form)).problems
    assert ("more", "one that leaves it") in [(problem.where, problem.got) for problem in problems]


NAMES = {
    **dict.fromkeys(("a.txt ", " a.txt", "labels /a.txt", " labels/a.txt", "a\x7f.txt", "a.txt\t"), "outer spaces"),
    **dict.fromkeys(
        ("a.txt.", "a.TXT..", "labels/a.xml.", "a.jpg.", "a.txt. .", "a.txt\u200b", "a.t\u200bxt"), "ends in"
    ),
    **dict.fromkeys(("a.tx\uff54", "a.csv\u0301", "a.xm\u013a", "a.txt\ufeff"), "ends in"),
    **dict.fromkeys(
        ("a.txt", "a..b.txt", "labels./a.txt", "\u0645\u06cc\u200c\u0634\u0648\u062f.txt", "a.", "a b.TXT", "a.bak."),
        "",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_only_looks_like_another_is_refused(tmp_path: Path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    problems = name_problems(walk(tmp_path))
    assert [NAMES[name] in problem.expected for problem in problems] == [True] * bool(NAMES[name])


def test_a_folder_at_fault_is_named_once_whatever_it_holds(tmp_path: Path):
    (tmp_path / "clear glass ").mkdir()
    for name in ("a.jpg", "b.jpg", "c .jpg"):
        (tmp_path / "clear glass " / name).write_bytes(b"")
    (problem,) = name_problems(walk(tmp_path))
    assert (problem.where, problem.got) == ("clear glass ", "'clear glass '")


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
