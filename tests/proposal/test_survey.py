import json
import shutil

import pytest

from made_folders import GREY, in_classes, manifest, planted, yolo
from vouch.errors import ManifestError
from vouch.proposal.survey import survey, tree_at, tree_with

TWO = {"a.jpg": GREY, "b.jpg": GREY}
BOX = {"class": "cone", "x1": 1, "y1": 1, "x2": 9, "y2": 9}
COCO = json.dumps(
    {
        "images": [{"id": i, "file_name": f"{n}.jpg", "width": 64, "height": 48} for i, n in enumerate("ab")],
        "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [1, 1, 9, 9]} for i in range(2)],
        "categories": [{"id": 1, "name": "cone"}],
    }
)
VOC = (
    "<annotation><filename>{}.jpg</filename><size><width>64</width><height>48</height></size><object><name>cone</name>"
    "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
)
JSONL = "".join(json.dumps({"image": f"{n}.jpg", "width": 64, "height": 48, "boxes": [BOX]}) + "\n" for n in "ab")
FOLDERS = {
    "yolo": (yolo(["a", "b"]), "detect", ("cone", "cube")),
    "coco": ({**TWO, "labels.json": COCO, "notes.json": "{}"}, "detect", ("cone",)),
    "voc": ({**TWO, "a.xml": VOC.format("a"), "b.xml": VOC.format("b")}, "detect", ("cone",)),
    "jsonl": ({**TWO, "manifest.jsonl": JSONL}, "detect", ("cone",)),
    "imagefolder": (in_classes({"cat": 2, "dog": 2}), "classify", ("cat", "dog")),
    "csv": (
        {**TWO, "manifest.csv": manifest([{"image": "a.jpg", "label": "cat"}, {"image": "b.jpg", "label": "dog"}])},
        "classify",
        ("cat", "dog"),
    ),
}


def looked(root, files, *, task=None, ignore=(), unlabelled="refuse"):
    return survey(planted(root, files), task=task, ignore=ignore, unlabelled=unlabelled)


def problem(root, files, *, task=None):
    try:
        (found,) = looked(root, files, task=task).problems
    except ManifestError as error:
        (found,) = error.problems
    return found


@pytest.mark.parametrize("form", FOLDERS)
def test_each_format_is_known_by_its_label_files(tmp_path, form):
    files, task, classes = FOLDERS[form]
    found = looked(tmp_path, files)
    assert (found.descriptor.format, found.task, found.classes, found.problems) == (form, task, classes, ())
    assert len(found.records) == (4 if form == "imagefolder" else 2)


def test_a_csv_that_repeats_the_folders_is_their_side_manifest(tmp_path):
    files = {f"images/{split}/{name}/1.jpg": GREY for split in ("train", "val") for name in ("cat", "dog")}
    rows = [{"file": path, "label": path.split("/")[2], "who": "x"} for path in files]
    found = looked(tmp_path, {**files, "manifest.csv": manifest(rows)})
    assert (found.descriptor.format, found.descriptor.manifest) == ("imagefolder", "manifest.csv")
    assert found.classes == ("cat", "dog")
    assert found.columns["who"] == ["x"] * 4
    rows[0]["label"] = "dog"
    assert looked(tmp_path, {"manifest.csv": manifest(rows)}).descriptor.format == "csv"


def test_classes_keep_the_order_of_their_ids_and_unused_ones_are_left_out(tmp_path):
    files = {**yolo(["a", "b"]), "data.yaml": "names: [wall, apple, pear]\n", "labels/a.txt": "2 .5 .5 .1 .1\n"}
    assert looked(tmp_path, files).classes == ("apple", "pear")


WRONG = {
    "empty": ({"README.md": ""}, "photographs", "none"),
    "labels alone": ({"labels/a.txt": ""}, "photographs", "none, only labels: 1 label file, say labels/a.txt"),
    "photographs alone": (TWO, "label files of a known format", "none for 2 photographs"),
    "only splits": (in_classes({"train": 2, "val": 1}), "label files of a known format", "none for 3 photographs"),
    "a csv of other columns": (
        {**TWO, "labels.csv": "id,breed\n1,x\n"},
        "label files",
        "none for 2 photographs; labels.csv has the columns id, breed, not `image` and `label`",
    ),
    "a csv of photographs without labels": (
        {**TWO, "labels.csv": "file,breed\n1,x\n"},
        "label files",
        "none for 2 photographs; labels.csv has the columns file, breed, not `label`",
    ),
    "mixture": ({**yolo(["a"]), "a.xml": VOC.format("a")}, "labels of one format", "yolo: 1 label file, say labels/a"),
    "case": (in_classes({"Cat": 1, "cat": 1}), "names that differ by more than case", "Cat, cat"),
    "one class": (in_classes({"cat": 3}), "two or more", "cat"),
    "unlabelled": ({**yolo(["a"]), "images/b.jpg": GREY}, "a label for each photograph", "none for 1 photograph"),
    "no row": ({"a.jpg": GREY, "manifest.jsonl": "{"}, "well-formed JSON", "Expecting"),
    "nothing labelled": ({**yolo(["a"]), "labels/a.txt": ""}, "something that is labelled", "nothing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_a_data_set_is_refused_by_name(tmp_path, name):
    files, expected, got = WRONG[name]
    found = problem(tmp_path, files)
    assert found.expected.startswith(expected)
    assert found.got.startswith(got)


def test_the_task_follows_from_the_labels_and_may_not_contradict_them(tmp_path):
    assert problem(tmp_path / "a", yolo(["a"]), task="classify").expected == "detect, as the labels are"
    assert problem(tmp_path / "b", FOLDERS["imagefolder"][0], task="detect").got.endswith("--task detect")
    both = json.dumps({"image": "a.jpg", "width": 64, "height": 48, "boxes": [BOX], "label": "cat"})
    files = {"a.jpg": GREY, "manifest.jsonl": both}
    assert problem(tmp_path / "c", files).where == "--task"
    found = looked(tmp_path / "c", files, task="classify")
    assert (found.task, found.classes) == ("classify", ("cat",))
    found = looked(tmp_path / "c", files, task="detect")
    assert (found.task, found.classes) == ("detect", (BOX["class"],))


def test_a_repeated_fault_is_told_once_with_its_number(tmp_path):
    files = {**yolo("abcdef"), **{f"labels/{name}.txt": "7 .5 .5 .1 .1\n" for name in "abcdef"}}
    found = [one for one in looked(tmp_path, files).problems if "class id" in one.expected]
    assert [one.where for one in found] == ["labels/a.txt:1 and 5 more"]


def test_labels_with_faults_are_not_called_absent_too(tmp_path):
    files = {**yolo("ab"), **{f"labels/{name}.txt": "0 .5 .5 .1 .1 .2 .2\n" for name in "ab"}}
    assert {one.expected for one in looked(tmp_path, files).problems} == {"5 columns `class cx cy width height`"}


def test_photographs_of_formats_that_are_not_read_are_named(tmp_path):
    with pytest.raises(ManifestError) as refused:
        looked(tmp_path, {"cat/a.heic": "", "dog/b.HEIC": ""})
    (problem,) = refused.value.problems
    assert problem.got == "2 files of formats that are not read (cat/a.heic, dog/b.HEIC)"
    assert problem.remedy == "convert them to JPEG or PNG"


UNREAD = {
    "coco": {**TWO, "labels.json": COCO},
    "csv": FOLDERS["csv"][0],
    "imagefolder": FOLDERS["imagefolder"][0],
    "jsonl": FOLDERS["jsonl"][0],
    "voc": FOLDERS["voc"][0],
    "yolo": {f"{name}{suffix}": text for name in "ab" for suffix, text in ((".jpg", GREY), (".txt", "0 .5 .5 .1 .1"))}
    | {"classes.txt": "cone\n"},
}


@pytest.mark.parametrize("form", UNREAD)
def test_one_that_is_not_read_is_named_in_every_format(tmp_path, form):
    found = problem(tmp_path, {**UNREAD[form], "c.heic": ""})
    assert "c.heic" in found.where + found.got


@pytest.mark.parametrize(("images", "unread"), [(None, "c.heic"), ("p", "p/c.heic")])
def test_one_that_is_not_read_is_named_beside_an_annotation_file_too(tmp_path, images, unread):
    pictures = TWO if images is None else {f"p/{name}": text for name, text in TWO.items()}
    planted(tmp_path, {**pictures, "labels.json": COCO, unread: "", "elsewhere/d.heic": ""})
    path = tmp_path / "labels.json"
    tree, inside = (tree_at(path), None) if images is None else tree_with(path, images)
    (one,) = survey(tree, task=None, ignore=(), images=inside).problems
    assert unread in one.got
    assert ("elsewhere" in one.got) == (images is None)


def test_an_annotation_file_stands_for_its_folder_without_other_labels(tmp_path):
    planted(tmp_path, {**TWO, "labels.json": COCO, "a.txt": "0 .5 .5 .1 .1\n", "data.yaml": "names: [x]\n"})
    found = survey(tree_at(tmp_path / "labels.json"), task=None, ignore=())
    assert (found.descriptor.format, found.descriptor.annotations) == ("coco", ("labels.json",))


ELSEWHERE = {
    "train2017/a.jpg": GREY,
    "train2017/b.jpg": GREY,
    "val2017/c.jpg": GREY,
    "annotations/train.json": COCO,
    "annotations/val.json": COCO.replace("a.jpg", "c.jpg"),
}


def test_each_of_several_annotation_files_may_have_a_folder_of_its_own(tmp_path):
    files = {**ELSEWHERE, "val2017/d.jpg": GREY}
    files["annotations/val.json"] = files["annotations/val.json"].replace("b.jpg", "d.jpg")
    found = looked(tmp_path, files)
    assert found.problems == ()
    images = [record.image for record in found.records]
    assert images == ["train2017/a.jpg", "train2017/b.jpg", "val2017/c.jpg", "val2017/d.jpg"]


def test_of_two_folders_with_the_same_names_neither_is_taken(tmp_path):
    files = {f"{part}2017/{name}.jpg": GREY for part in ("train", "val") for name in "ab"}
    files |= {f"annotations/{part}.json": COCO for part in ("train", "val")}
    assert "no a.jpg" in [one.got for one in looked(tmp_path, files).problems]


@pytest.mark.parametrize("images", ["train2017", "absolute"])
def test_the_photographs_of_an_annotation_file_may_lie_beside_its_folder(tmp_path, images):
    planted(tmp_path, ELSEWHERE)
    images = str(tmp_path / "train2017") if images == "absolute" else images
    tree, inside = tree_with(tmp_path / "annotations/train.json", images)
    found = survey(tree, task=None, ignore=(), images=inside)
    assert found.problems == ()
    assert (found.descriptor.annotations, found.descriptor.images) == (("annotations/train.json",), "train2017")
    assert [record.image for record in found.records] == ["train2017/a.jpg", "train2017/b.jpg"]


@pytest.mark.parametrize("form", ["coco", "voc"])
@pytest.mark.parametrize("told", [True, False])
def test_the_photographs_of_a_folder_may_lie_in_another(tmp_path, form, told):
    labels = {"coco": {"annotations/train.json": COCO}, "voc": {f"xml/{n}.xml": VOC.format(n) for n in "ab"}}[form]
    tree = planted(tmp_path, {"pictures/2017/a.jpg": GREY, "pictures/2017/b.jpg": GREY, **labels})
    tree, inside = tree_with(tmp_path, "pictures/2017") if told else (tree, None)
    found = survey(tree, task=None, ignore=(), images=inside)
    assert found.problems == ()
    assert found.descriptor.images == "pictures/2017"
    assert ("pictures/2017" in found.evidence) == (not told)


def test_a_folder_is_not_guessed_where_two_would_do_or_some_names_are_found(tmp_path):
    twice = planted(tmp_path / "a", {**ELSEWHERE, "again/a.jpg": GREY, "again/b.jpg": GREY})
    twice = type(twice)(twice.root, twice.files - {"annotations/val.json"})
    assert "no a.jpg" in [one.got for one in survey(twice, task=None, ignore=()).problems]
    some = planted(tmp_path / "b", {"a.jpg": GREY, "train2017/b.jpg": GREY, "labels.json": COCO})
    assert "no b.jpg" in [one.got for one in survey(some, task=None, ignore=()).problems]


@pytest.mark.parametrize("images", ["train2018", "..", "/", "annotations/train.json"])
def test_a_folder_of_photographs_that_is_none_is_refused(tmp_path, images):
    planted(tmp_path / "coco", ELSEWHERE)
    for path in ("coco", "coco/annotations/train.json"):
        with pytest.raises(ManifestError, match=r"--images: expected a folder in"):
            tree_with(tmp_path / path, images)


def test_formats_that_name_no_photographs_take_no_folder_of_them(tmp_path):
    planted(tmp_path, yolo(["a"]))
    tree, inside = tree_with(tmp_path, "images")
    found = survey(tree, task=None, ignore=(), images=inside)
    assert [(one.where, one.got) for one in found.problems] == [("--images", "yolo")]


ASIDE = "name the folder {}, if other files in it hold the labels"
SEPARATED = "image;label\r\na.jpg;cat\r\nb.jpg;dog\r\n"


@pytest.mark.parametrize(
    ("name", "content", "got"),
    [
        ("manifest.csv", "image,session\na.jpg,s1\n", "image, session"),
        ("labels.csv", "", "an empty file"),
        ("labels.csv", SEPARATED, "semicolons"),
        ("labels.csv", "\ufeff" + SEPARATED, "semicolons"),
        ("labels.csv", SEPARATED.replace(";", "\t"), "tabs"),
        ("labels.json", '{"images": [', "Expecting value: line 1 column 13 (char 12)"),
        ("labels.json", "{}", "another form"),
    ],
)
def test_a_file_that_labels_nothing_is_named_and_so_is_its_folder(tmp_path, name, content, got):
    planted(tmp_path, {**TWO, name: content.encode()})
    with pytest.raises(ManifestError) as refused:
        tree_at(tmp_path / name)
    (found,) = refused.value.problems
    assert (found.where.startswith(str(tmp_path / name)), found.got) == (True, got)
    commas = "save it as CSV with commas"
    assert found.remedy == (commas if got in ("semicolons", "tabs") else ASIDE.format(tmp_path))


def test_a_photograph_in_the_place_of_a_folder_names_the_folder_it_lies_in(tmp_path):
    planted(tmp_path, TWO)
    with pytest.raises(ManifestError, match=rf"name the folder .*, perhaps {tmp_path}$"):
        tree_at(tmp_path / "a.jpg")


def test_a_folder_with_a_table_of_semicolons_says_so(tmp_path):
    with pytest.raises(ManifestError, match=r"labels\.csv:1: expected .* commas .*, got semicolons; save it as CSV"):
        looked(tmp_path, {**TWO, "labels.csv": SEPARATED.encode()})


@pytest.mark.parametrize(("name", "got"), [("a.jpg", "a file"), ("absent", "nothing")])
def test_what_is_no_folder_is_refused(tmp_path, name, got):
    planted(tmp_path, TWO)
    with pytest.raises(ManifestError) as refused:
        tree_at(tmp_path / name)
    assert refused.value.problems[0].got == got
    shutil.rmtree(tmp_path)


def test_a_label_file_that_is_no_text_is_named(tmp_path):
    with pytest.raises(ManifestError) as refused:
        looked(tmp_path, {"a.jpg": GREY, "manifest.csv": b"image,label\na.jpg,\xe9\n"})
    assert {problem.where for problem in refused.value.problems} == {"manifest.csv:2", str(tmp_path)}


def test_a_photograph_without_a_label_file_is_a_negative_where_a_person_says_so(tmp_path):
    files = {**yolo(["a", "b", "c"]), "images/background.jpg": GREY}
    assert [problem.where for problem in looked(tmp_path, files).problems] == ["the labels"]
    found = looked(tmp_path, files, unlabelled="negative")
    assert found.problems == ()
    assert {record.image: record.annotation for record in found.records}["images/background.jpg"] == "negative"


def test_photographs_that_the_labels_cannot_reach_are_named(tmp_path):
    (problem,) = looked(tmp_path, {**yolo(["a", "b"]), "more/c.jpg": GREY}).problems
    assert problem.got == "1 photograph where yolo looks for none (more/c.jpg)"
