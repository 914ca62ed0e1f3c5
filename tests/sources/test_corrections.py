import pytest

from vouch.errors import ManifestError
from vouch.sources.merge import Taxonomy, merged

FOLDERS = {"cat/a.jpg": "", "cat/b.jpg": "", "dog/c.jpg": "", "cow/d.jpg": ""}
TAXONOMY = Taxonomy(("cat", "dog"), ("sample",), {})
HEADER = "image,label\n"


def merge(read, describe, text, labels=None, taxonomy=TAXONOMY):
    reading = read({**FOLDERS, "corrections.csv": text}, "imagefolder")
    return merged([(describe("imagefolder", labels=labels or {"cow": None}), reading)], taxonomy, "data")


def test_a_correction_gives_a_photograph_another_class_or_leaves_it_out(read, describe):
    found = merge(read, describe, HEADER + "cat/a.jpg,dog\ncat/b.jpg,drop\ncow/d.jpg,cat\n")
    assert dict(zip(found.samples["image"], found.samples["label"], strict=True)) == {
        "data/a/cat/a.jpg": "dog",
        "data/a/cow/d.jpg": "cat",
        "data/a/dog/c.jpg": "dog",
    }
    assert found.dropped == {"a: photographs, by corrections.csv": 1}


def test_corrections_travel_with_the_source(read):
    assert "corrections.csv" not in read(FOLDERS, "imagefolder").files
    assert "corrections.csv" in read({**FOLDERS, "corrections.csv": HEADER}, "imagefolder").files


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (HEADER + "cat/x.jpg,dog\n", "corrections.csv: cat/x.jpg", "a photograph of the source"),
        (HEADER + "cat/a.jpg,dgo\n", "corrections.csv: cat/a.jpg", "perhaps `dog` was meant"),
        (HEADER + "cat/a.jpg,\n", "corrections.csv: cat/a.jpg", "got ''"),
        (HEADER + "cat/a.jpg,dog\ncat/a.jpg,dog\n", "corrections.csv:3", "cat/a.jpg again"),
        (HEADER + "cat/a.jpg\n", "corrections.csv:2", "an image and a label"),
        ("sample,label\ncat/a.jpg,dog\n", "corrections.csv:1", "the header image,label"),
        ("", "corrections.csv:1", "an empty file"),
        (HEADER + '"cat/a.jpg,dog\n', "corrections.csv", "well-formed CSV"),
    ],
)
def test_corrections_that_cannot_be_are_refused(read, describe, text, where, said):
    with pytest.raises(ManifestError) as caught:
        merge(read, describe, text)
    (problem,) = caught.value.problems
    assert problem.where == f"a: {where}"
    assert said in str(problem)


def test_a_class_called_drop_cannot_be_told_from_the_word(read, describe):
    with pytest.raises(ManifestError, match="which is both"):
        merge(read, describe, HEADER + "cat/a.jpg,drop\n", taxonomy=Taxonomy(("cat", "dog", "drop"), ("sample",), {}))


def test_boxes_are_not_corrected_by_a_class_but_a_photograph_with_boxes_can_be_left_out(read, describe):
    files = {
        "data.yaml": "names: [cat, dog]",
        "images/a.jpg": "",
        "labels/a.txt": "0 .5 .5 .2 .2\n",
        "images/b.jpg": "",
    }
    files["labels/b.txt"] = ""
    drop = read({**files, "corrections.csv": HEADER + "images/a.jpg,drop\n"}, "yolo")
    found = merged([(describe("yolo"), drop)], TAXONOMY, "data")
    assert (len(found.samples), len(found.boxes)) == (1, 0)
    wrong = read({**files, "corrections.csv": HEADER + "images/a.jpg,dog\n"}, "yolo")
    with pytest.raises(ManifestError, match="without a class of its own, got 'dog'"):
        merged([(describe("yolo"), wrong)], TAXONOMY, "data")
