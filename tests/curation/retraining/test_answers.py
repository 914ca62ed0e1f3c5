"""Answers of a model are read whole, with boxes, or refused whole; so is how sure it is of photographs."""

import pytest

from vouch.curation.retraining.answers import Said, least_sure, read_answers, read_scores
from vouch.errors import DataError

BOXES = "image,class_pred,score,confidence,accept,x1,y1,x2,y2\n"


@pytest.fixture
def table(tmp_path):
    def written(text):
        path = tmp_path / "answers.csv"
        path.write_text(text)
        return path

    return written


def test_boxes_and_classes_are_read_by_photograph(table):
    found = read_answers(table(BOXES + "./a/b.jpg,can,.8,.9,True,1,2,3.5,4\na/b.jpg,jar,.1,.4,False,0,0,9,9\n"))
    assert found == {
        "a/b.jpg": [Said("can", 0.9, (1.0, 2.0, 3.5, 4.0), True), Said("jar", 0.4, (0.0, 0.0, 9.0, 9.0), False)]
    }
    assert least_sure(found["a/b.jpg"]).name == "jar"
    assert least_sure(()) is None
    found = read_answers(table("image,class_pred,confidence,accept\na.jpg,road,.7,True\nb.jpg,road,.7,FALSE\n"))
    assert found == {"a.jpg": [Said("road", 0.7, None, True)], "b.jpg": [Said("road", 0.7, None, False)]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,class_pred,score\na.jpg,can,.5\n", "a column confidence"),
        ("image,class_pred,confidence,x1\na.jpg,can,.5,1\n", "a column y2"),
        ("image,class_pred,confidence\na.jpg,can,1.5\n", r"a number in \[0, 1\], got 1.5"),
        ("image,class_pred,confidence\na.jpg,can,nan\n", r"a number in \[0, 1\], got nan"),
        (BOXES + "a.jpg,can,.8,.9,True,1,2,3.5,wide\n", "four pixels"),
        ("image,class_pred,confidence\n=cmd,can,.5\n", "=cmd"),
        ("image,class_pred,confidence,accept\na.jpg,can,.5,1\n", "accept: expected True or False, got 1"),
    ],
)
def test_what_is_no_answer_is_named(table, text, said):
    with pytest.raises(DataError, match=said):
        read_answers(table(text))


def test_of_several_answers_the_least_sure_one_counts(table):
    path = table(
        "image,class_pred,score,confidence\n./a.jpg,can,.1,.99\na.jpg,can,.1,0.6\na.jpg,can,.1,.05\nb.jpg,can,.1,1\n"
    )
    assert read_scores(path) == {"a.jpg": 0.6, "b.jpg": 1.0}


def test_a_score_of_a_web_address_and_no_confidence_will_do(table):
    assert read_scores(table("url,score\nhttps://x.org//a,.5\n")) == {"https://x.org//a": 0.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,class\na.jpg,can\n", "a column confidence or score"),
        ("file,score\na.jpg,.5\n", "a column photograph or image or url"),
        ("image,score\na.jpg,1.5\n", r": score: expected a number in \[0, 1\], got 1.5"),
        ("image,score\na.jpg,nan\n", r": score: expected a number in \[0, 1\], got nan"),
        ("image,score\na.jpg,\n", r"score: expected a number in \[0, 1\]"),
    ],
)
def test_what_is_no_score_is_refused(table, text, said):
    with pytest.raises(DataError, match=said):
        read_scores(table(text))
