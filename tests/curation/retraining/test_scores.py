"""How sure the model is of photographs, from the tables that `vouch predict` writes."""

import pytest

from vouch.curation.retraining.scores import read_scores
from vouch.errors import DataError


def written(tmp_path, text):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    return path


def test_of_several_answers_the_least_sure_one_counts(tmp_path):
    path = written(
        tmp_path,
        "image,class_pred,score,confidence\n./a.jpg,can,.1,.99\na.jpg,can,.1,0.6\na.jpg,can,.1,.05\nb.jpg,can,.1,1\n",
    )
    assert read_scores(path) == {"a.jpg": 0.6, "b.jpg": 1.0}


def test_a_score_of_a_web_address_and_no_confidence_will_do(tmp_path):
    assert read_scores(written(tmp_path, "url,score\nhttps://x.org//a,.5\n")) == {"https://x.org//a": 0.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,class\na.jpg,can\n", "a column score or confidence"),
        ("file,score\na.jpg,.5\n", "a column photograph or image or url"),
        ("image,score\na.jpg,1.5\n", r"score in \[0, 1\], got 1.5"),
        ("image,score\na.jpg,nan\n", r"score in \[0, 1\], got nan"),
        ("image,score\na.jpg,\n", r"score in \[0, 1\]"),
    ],
)
def test_what_is_no_score_is_refused(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        read_scores(written(tmp_path, text))
