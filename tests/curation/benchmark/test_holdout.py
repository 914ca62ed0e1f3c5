"""A held-out benchmark shares no picture, no likeness and no group with what a model was made of."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vouch.curation.benchmark.holdout import (
    NO_CLASS,
    NO_PHOTOGRAPH,
    NOT_LABELLED,
    Candidate,
    left_out_by_training,
    left_out_first,
)
from vouch.quality import images


def candidate(name, groups=None, **more):
    usual = {"item": "jar", "negative": False, "status": "labelled", "photograph": f"{name}.png"}
    return Candidate(name, **{**usual, **more}, groups=groups or {})


def test_rows_go_unlabelled_without_a_class_and_without_a_photograph_and_negatives_need_no_class():
    rows = [
        candidate("kept"),
        candidate("wanted", status="wanted"),
        candidate("unsupported", item="lid"),
        candidate("negative", item="toy", negative=True),
        candidate("absent", photograph=""),
    ]
    hand = {f"{name}.png" for name in ("kept", "wanted", "unsupported", "negative")}
    assert left_out_first(rows, {"jar"}, hand) == {
        "wanted": NOT_LABELLED,
        "unsupported": f"{NO_CLASS}: lid",
        "absent": NO_PHOTOGRAPH,
    }


def picture(seed):
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC)


@pytest.fixture
def scanned(tmp_path):
    """Scan pictures by name: a number is a seed, a tuple a seed and the JPEG quality of a copy."""

    def scan(pictures):
        paths = []
        for name, seed in pictures.items():
            path = tmp_path / f"{name}.{'jpg' if isinstance(seed, tuple) else 'png'}"
            if seed is None:
                path.write_bytes(b"no picture")
            elif isinstance(seed, tuple):
                picture(seed[0]).resize((120, 90)).save(path, quality=seed[1])
            else:
                picture(seed).save(path)
            paths.append(path)
        return images.tabulate(list(pictures), list(images.scan(paths, max_megapixels=1.0, workers=1)))

    return scan


def left_out(rows, pictures, trained, scan, trained_pictures):
    return left_out_by_training(
        rows, scan(pictures), pd.DataFrame(trained), scan(trained_pictures), radius_bits=6, min_correlation=0.9
    )


def test_exact_copies_near_copies_groups_and_what_hangs_on_them_go(scanned):
    pictures = {"same": 1, "near": (2, 60), "grouped": 3, "hangs": 4, "alike": (4, 60), "free": 5, "broken": None}
    groups = {"near": {"group_street": "x"}, "grouped": {"group_street": "s1"}, "hangs": {"group_street": "x"}}
    rows = [candidate(name, groups.get(name)) for name in pictures]
    trained = {"sample_id": ["t1", "t2", "t9"], "group_street": ["s0", "s1", "s9"]}
    gone = left_out(rows, pictures, trained, scanned, {"t1": 1, "t2": 2, "t9": 9})
    assert gone.keys() == pictures.keys() - {"free"}
    assert gone["same"] == "in training: the pixels of t1"
    assert gone["near"] == "in training: nearly t2"
    assert gone["grouped"] == "in training: group street=s1"
    assert gone["hangs"] == gone["alike"] == "in training: in a group with a row, or like one, that is"
    assert gone["broken"].startswith("photograph: ")


def test_a_row_that_is_called_like_a_sample_is_not_that_sample(scanned):
    trained = {"sample_id": ["one"], "group_street": ["s0"]}
    assert left_out([candidate("one")], {"one": 5}, trained, scanned, {"other": 6}) == {}


def test_nothing_left_or_nothing_trained_is_no_error(scanned):
    none = {"sample_id": pd.Series([], dtype="str"), "group_street": pd.Series([], dtype="str")}
    assert left_out([], {}, {"sample_id": ["t"], "group_street": ["s"]}, scanned, {"t": 1}) == {}
    assert left_out([candidate("a")], {"a": 1}, none, scanned, {}) == {}


def test_empty_groups_tie_nothing(scanned):
    trained = {"sample_id": ["t"], "group_street": [""]}
    assert left_out([candidate("a"), candidate("b")], {"a": 1, "b": 2}, trained, scanned, {"t": 3}) == {}
