"""What a bundle says of a request of many: a photograph that fails is named, and the others are answered."""

import re
from pathlib import Path

import pytest
from PIL import Image

from deployment.bundles import build, photographs
from systems.made_systems import COLOURS, identifier
from vouch.errors import DataError
from vouch.release.inference import answer
from vouch.vision.images.source import Crop, Encoded, File

README = Path(__file__).parents[2] / "README.md"


def test_the_example_of_the_readme_answers(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    build(Path("models/roadwork/bundle"), "classify")
    photographs(tmp_path)[0].rename("photograph.jpg")
    exec(compile(example, "README.md", "exec"), {})
    assert "photograph.jpg" in capsys.readouterr().out


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


def test_an_image_without_a_direction_takes_no_other_crop_with_it(tmp_path):
    bundle = identifier(tmp_path / "sku")
    for name, colour in (("black", (0, 0, 0)), ("red", COLOURS["cola"])):
        Image.new("RGB", (32, 32), colour).save(tmp_path / f"{name}.png")
    good, broken = File(tmp_path / "red.png"), File(tmp_path / "black.png")
    found = answer(bundle, [broken, good])
    assert found.rows.equals(answer(bundle, [good]).rows)
    assert [problem.where for problem in found.refused] == [broken.name]
    with pytest.raises(DataError, match="an embedding with a direction"):
        answer(bundle, [broken])
