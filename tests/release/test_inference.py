"""What a bundle says of a request of many: a photograph that fails is named, and the others are answered."""

import pytest

from deployment.bundles import build, photographs
from vouch.errors import DataError
from vouch.release.inference import answer
from vouch.vision.images.source import Crop, Encoded, File


@pytest.mark.parametrize("task", ["detect", "classify"])
def test_a_photograph_that_fails_is_named_and_the_others_are_answered_as_without_it(tmp_path, task):
    bundle = build(tmp_path / "bundle", task)
    paths = photographs(tmp_path)
    good = [Encoded("upload 1", paths[0].read_bytes()), File(paths[1]), Crop(File(paths[0]), (0, 0, 20, 20))]
    broken = [Encoded("upload 2", b"no image"), Crop(File(paths[1]), (0, 0, 0, 9))]
    found = answer(bundle, [good[0], broken[0], good[1], broken[1], good[2]])
    assert found.rows.equals(answer(bundle, good).rows)
    assert set(found.rows["image"]) <= {image.name for image in good}
    assert [problem.where for problem in found.refused] == ["upload 2", broken[1].name]
    with pytest.raises(DataError, match=r"2 problems"):
        answer(bundle, broken)
