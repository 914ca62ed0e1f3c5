"""What is no regular file, or would be read but for the case of its letters, is named and never opened."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alarm import within
from vouch.errors import ManifestError
from vouch.sources.descriptor import read_descriptor
from vouch.sources.reading import complete, read_source
from vouch.sources.tree import link_problems, photographs_below, walk

YOLO = {"data.yaml": "names: [can]\n", "images/a.jpg": "", "images/b.jpg": "", "labels/a.txt": "0 .5 .5 .1 .1\n"}
COCO = {"a.jpg": "", "labels.json": '{"images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}], '}
COCO["labels.json"] += '"annotations": [], "categories": [{"id": 1, "name": "can"}]}'
VOC = {"JPEGImages/a.jpg": "", "Annotations/a.xml": "<annotation><filename>a.jpg</filename></annotation>"}
FOLDER = {"can/a.jpg": ""}
CSV = {"a.jpg": "", "manifest.csv": "file,label\na.jpg,can\n"}
JSONL = {"a.jpg": "", "manifest.jsonl": '{"image": "a.jpg", "label": "can"}\n'}
SOURCES = {"yolo": YOLO, "coco": COCO, "voc": VOC, "imagefolder": FOLDER, "csv": CSV, "jsonl": JSONL}


def make(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
        (path / "inside.jpg").write_bytes(b"")
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))


@pytest.mark.parametrize("form", SOURCES)
def test_a_sound_source_has_no_problem(read, form):
    assert read(SOURCES[form], form).problems == ()


@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a folder"])
@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("yolo", "labels/b.txt"),
        ("yolo", "labels/b.TXT"),
        ("yolo", "images/c.jpg"),
        ("yolo", "data2.yaml"),
        ("yolo", "manifest.csv"),
        ("coco", "b.PNG"),
        ("coco", "more.json"),
        ("voc", "Annotations/b.xml"),
        ("voc", "JPEGImages/b.jpeg"),
        ("imagefolder", "can/b.jpg"),
        ("csv", "b.jpg"),
        ("jsonl", "b.gif"),
    ],
)
def test_what_is_no_file_is_named_by_every_format_and_never_opened(plant, describe, form, name, kind):
    root = plant(SOURCES[form])
    make(root / name, kind)
    with within(60):
        tree = walk(root)
        descriptor = complete(tree, describe(form, unlabelled="negative"))
        problems = read_source(tree, descriptor).problems
    assert [(problem.where, problem.got) for problem in problems] == [(name, kind)]


@pytest.mark.parametrize("form", ["csv", "jsonl", "coco"])
@pytest.mark.parametrize(("lent", "got"), [("pipe", "a pipe"), ("/dev/zero", "a device"), ("/dev", "a folder")])
def test_annotations_that_are_no_file_are_named_and_not_waited_for(plant, describe, tmp_path, form, lent, got):
    os.mkfifo(tmp_path / "pipe")
    with within(60):
        tree = walk(plant({"a.jpg": ""}), {"lent": tmp_path / lent})
        problems = read_source(tree, describe(form, annotations=["lent"])).problems
    assert [(problem.where, problem.got) for problem in problems] == [("lent", got)]


@pytest.mark.parametrize("form", ["yolo", "coco", "voc", "imagefolder"])
def test_a_side_manifest_that_is_no_file_is_named_and_not_waited_for(plant, describe, tmp_path, form):
    os.mkfifo(tmp_path / "pipe")
    with within(60):
        tree = walk(plant(SOURCES[form]), {"manifest.csv": tmp_path / "pipe"})
        problems = read_source(tree, complete(tree, describe(form, manifest="manifest.csv"))).problems
    assert ("manifest.csv", "a pipe") in [(problem.where, problem.got) for problem in problems]


def test_links_to_what_is_no_file_say_so(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.jpg").symlink_to("pipe")
    (tmp_path / "b.jpg").symlink_to("c.jpg")
    (tmp_path / "c.jpg").symlink_to("b.jpg")
    tree = walk(tmp_path)
    assert tree.files == set()
    assert [(problem.where, problem.got) for problem in link_problems(tree)] == [
        ("a.jpg", "a link to a pipe"),
        ("b.jpg", "a link to a link"),
        ("c.jpg", "a link to a link"),
    ]


LINE = "0 .5 .5 .1 .1\n"


@pytest.mark.parametrize(
    ("form", "more", "where", "expected"),
    [
        ("yolo", {"labels/b.TXT": LINE}, "labels/b.TXT", "the name labels/b.txt"),
        ("yolo", {"Labels/b.txt": LINE}, "Labels/b.txt", "the name labels/b.txt"),
        ("yolo", {"labels/B.txt": LINE}, "labels/B.txt", "the name labels/b.txt"),
        ("yolo", {"LABELS/c.txt": LINE}, "LABELS/c.txt", "a photograph of this name"),
        ("yolo", {"annotations/b.txt": LINE}, "annotations/b.txt", "a photograph of this name"),
        ("yolo", {"IMAGES/c.jpg": ""}, "IMAGES/c.jpg", "a folder called `images`"),
        ("yolo", {"Manifest.csv": ""}, "Manifest.csv", "the name manifest.csv"),
        ("coco", {"manifest.CSV": ""}, "manifest.CSV", "the name manifest.csv"),
        ("voc", {"MANIFEST.csv": ""}, "MANIFEST.csv", "the name manifest.csv"),
        ("csv", {"manifest.CSV": ""}, "manifest.CSV", "the name manifest.csv"),
        ("jsonl", {"manifest.JSONL": ""}, "manifest.JSONL", "the name manifest.jsonl"),
    ],
)
def test_a_file_that_would_be_read_but_for_its_capitals_is_named(read, form, more, where, expected):
    problems = read({**SOURCES[form], **more}, form, unlabelled="negative").problems
    assert [(problem.where, problem.expected) for problem in problems] == [(where, expected)]


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("yolo", {"DATA.YAML": YOLO["data.yaml"], "images/A.JPG": "", "labels/A.txt": LINE}),
        ("yolo", {"Classes.TXT": "can\n", "a.JPG": "", "a.txt": LINE}),
        ("yolo", {"data.Yml": YOLO["data.yaml"], "Images/a.jpg": "", "Images/a.txt": LINE}),
        ("coco", {"a.jpg": "", "LABELS.JSON": COCO["labels.json"]}),
        ("voc", {"JPEGImages/a.jpg": "", "Annotations/A.XML": VOC["Annotations/a.xml"]}),
        ("imagefolder", {"can/A.JPeG": ""}),
    ],
)
def test_suffixes_in_capitals_are_read_where_nothing_else_can_be_meant(read, form, files):
    reading = read(files, form)
    assert reading.problems == ()
    assert len(reading.records) == 1


def test_photographs_beside_labelled_ones_count_whatever_the_case_of_their_folder(read):
    reading = read({**VOC, "JPEGIMAGES/b.jpg": ""}, "voc")
    assert [record.image for record in reading.records] == ["JPEGImages/a.jpg", "JPEGIMAGES/b.jpg"]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Make folders within each other, a photograph in the innermost; remove them, as pytest's own recursion cannot."""
    folders = [tmp_path / "source"]

    def make_chain(depth: int) -> Path:
        folders[0].mkdir()
        for _ in range(depth):
            folders.append(folders[-1] / "d")
            folders[-1].mkdir()
        (folders[-1] / "a.jpg").write_bytes(b"")
        return folders[0]

    yield make_chain
    (folders[-1] / "a.jpg").unlink()
    for folder in reversed(folders):
        folder.rmdir()


@pytest.mark.parametrize("depth", [0, 64])
def test_folders_within_each_other_are_read(chain, depth: int):
    assert walk(chain(depth)).files == {"d/" * depth + "a.jpg"}


@pytest.mark.parametrize("depth", [65, 1000])
def test_folders_too_deep_within_each_other_are_named(chain, depth: int):
    root = chain(depth)
    with pytest.raises(ManifestError, match="at most 64 folders within each other"):
        walk(root)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"name": "s", "name": "s"}', "appears twice"),
        (b"\xff", "byte 0xff at 0"),
        ('{"level": ' + "9" * 5000 + "}", "out of range"),
        ("[]", "expected an object"),
    ],
)
def test_a_descriptor_that_is_no_object_is_refused(tmp_path: Path, content, got):
    (tmp_path / "source.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ManifestError, match=r"source\.json") as caught:
        read_descriptor(tmp_path)
    assert got in str(caught.value)


def test_a_descriptor_that_is_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "source.json")
    with within(60), pytest.raises(ManifestError, match="got a pipe"):
        read_descriptor(tmp_path)


def test_photographs_are_found_below_a_thousand_folders_and_no_link_is_followed(chain, tmp_path):
    root = chain(1000)
    for name in ("b.JPG", "a.png", "c.txt", ".d.jpg", "g.gif", "h.ppm"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "album.jpg").mkdir()
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "e.jpg").symlink_to("gone")
    (tmp_path / "f.jpg").symlink_to(".")
    found = [str(path.relative_to(tmp_path)) for path in photographs_below(tmp_path)]
    assert found == [".d.jpg", "a.png", "b.JPG", "e.jpg", "g.gif", f"{root.name}/{'d/' * 1000}a.jpg"]
