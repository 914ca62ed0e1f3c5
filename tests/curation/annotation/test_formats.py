"""A bundle goes through the converters of Label Studio and CVAT and comes back as it was filled in.

Their packages want an older pandas and OpenCV, so `make formats` makes `.venv-formats` from
envs/formats/requirements.lock, and envs/formats/export.py runs there.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import labelling
from labelling import curate
from pipelines import of_one_classifier
from vouch import io
from vouch.curation.annotation.records import Labels, read_manifest
from vouch.curation.annotation.reviewed import read_reviews
from vouch.stages import ingest

ROOT = Path(__file__).parents[3]
ENVIRONMENT = ROOT / ".venv-formats/bin/python"
SCRIPT = ROOT / "envs/formats/export.py"
CLASSES = ("jar, tall", "can")  # in another order than Label Studio's own, and one that a CSV has to quote
HALF_PX = 0.5
DRAWN = [("jar, tall", 10.3, 20.7, 50.9, 60.2), ("can", 0.0, 0.0, 160.0, 120.0), ("can", 99.5, 3.25, 104.0, 117.75)]
BOXED = "image,class_pred,score,confidence,accept,x1,y1,x2,y2\n"
WHOLE = "image,class_pred,score,confidence,accept\n"
ABSENT = "no .venv-formats: `make formats` makes it"


def test_the_environment_is_pinned_and_apart_from_ours():
    asked, pinned = (
        dict(line.split("==") for line in (ROOT / f"envs/formats/requirements.{kind}").read_text().split())
        for kind in ("in", "lock")
    )
    assert asked.items() <= pinned.items()
    assert "import vouch" not in SCRIPT.read_text()
    assert "from vouch" not in SCRIPT.read_text()


def bundled(answers):
    """Bundle three photographs, the second a negative; return their paths in the bundle."""
    names = labelling.photographs("new", (20, 21, 22))
    cells = [f"{name},{io.sha256(Path(name))},r{place},can" for place, name in enumerate(names)]
    stated = [f"false,day,s{place},,\n" if place != 1 else "true,day,s1,,\n" for place in range(3)]
    rows = [",".join(pair) for pair in zip(cells, stated, strict=True)]
    Path("chosen.csv").write_text(labelling.CHOSEN + "".join(rows))
    Path("answers.csv").write_text(answers)
    curate("bundle", "chosen.csv", "--model", "m", "-o", "out", "--scores", "answers.csv")
    return [page.image for page in read_manifest(Path("out")).photographs]


def exported():
    """Export the bundle with either tool, as several reviewers; return what each is read as."""
    ran = subprocess.run([ENVIRONMENT, "-I", SCRIPT, "out", "exports"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    shutil.move("exports", "out/reviews")
    found, problems = read_reviews(Path("out"), read_manifest(Path("out")))
    assert problems == []
    return found


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not ENVIRONMENT.exists(), reason=ABSENT)
def test_boxes_return_from_either_tool_within_half_a_pixel_and_become_a_source():
    labelling.build(classes=CLASSES)
    labelling.tracked()
    lines = [f'new/p20.png,"{name}",.5,.7,True,{x1},{y1},{x2},{y2}\n' for name, x1, y1, x2, y2 in DRAWN]
    first, negative, empty = bundled(BOXED + "".join(lines))
    found = exported()
    assert found.keys() == {"label_studio", "label_studio_coco", "label_studio_yolo", "cvat"}
    for who, review in found.items():
        assert review.keys() == {first, negative, empty}, who
        assert review[negative] == review[empty] == Labels(), who
        for box, drawn in zip(sorted(review[first].boxes), sorted(DRAWN), strict=True):
            assert box[0] == drawn[0], who
            assert box[1:] == pytest.approx(drawn[1:], abs=HALF_PX), who
    assert "3 of 3 photographs labelled" in curate("check", "out", "--strict")
    assert "added 3" in curate("import", "out", "d", "--name", "round_1")
    boxes = ingest.read("d").boxes
    back = boxes[boxes["sample_id"] == f"round_1/{first}"].sort_values(["class_name", "x1"])
    corners = back[["x1", "y1", "x2", "y2"]].to_numpy() * (160, 120, 160, 120)
    assert list(back["class_name"]) == [drawn[0] for drawn in sorted(DRAWN)]
    np.testing.assert_allclose(corners, [drawn[1:] for drawn in sorted(DRAWN)], rtol=0, atol=HALF_PX)


@pytest.mark.slow
@pytest.mark.skipif(not ENVIRONMENT.exists(), reason=ABSENT)
def test_classes_return_from_either_tool_and_what_nobody_answered_stays_open():
    labelling.build(of_one_classifier(), classes=CLASSES, labelled=labelling.labelled_whole)
    first, negative, last = bundled(WHOLE + 'new/p20.png,"jar, tall",.5,.7,True\nnew/p22.png,can,.5,.7,False\n')
    found = exported()
    assert found.keys() == {"label_studio", "label_studio_csv", "cvat"}
    for who, review in found.items():
        assert review == {first: Labels(label="jar, tall"), negative: Labels()}, who
    assert f"{last}: expected a label, got nobody's" in curate("check", "out")
