"""`vouch predict SYSTEM`: every output of one run, and what is refused."""

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from deployment import bundles
from systems import made_systems
from systems.made_systems import COLOURS, MIXED, photograph
from vouch.cli import app
from vouch.curation.retraining.review_queue import read_queue
from vouch.errors import VouchError
from vouch.systems.bundle import manifest_sha256, write_system

BUNDLE = Path("models/s/bundle")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bundles.build(Path("models/m/bundle"), "detect")
    bundles.build(Path("models/c/bundle"), "classify")
    made_systems.identifier(Path("models/sku/bundle"))
    write_system(BUNDLE, "s", "0.1.0", {"detector": "m", "identifier": "sku"})
    photograph(Path("a.png"), {(0, 0): COLOURS["cola"], (3, 3): MIXED})
    photograph(Path("b.png"), {})


def predict(*words):
    done = CliRunner().invoke(app, ["predict", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_one_run_draws_writes_and_queues(workspace):
    outputs = ("-o", "drawn.jpg", "--json", "said.json", "--csv", "said.csv")
    said = predict("s", "a.png", "--bundle", BUNDLE, *outputs, "--queue", 0)
    assert "a.png: 1 cola, 1 unknown" in said
    assert "1 named of 2 objects on 1 photograph" in said
    document = json.loads(Path("said.json").read_text())
    assert document["photographs"][0]["counts"] == {"cola": 1, "unknown": 1}
    assert document["system"]["name"] == "s"
    assert pd.read_csv("said.csv")["known"].sum() == 1
    with Image.open("drawn.jpg") as drawn:
        assert drawn.format == "JPEG"
    (queued,) = read_queue(Path("data/review_queue/s"))
    assert queued.photograph.read_bytes() == Path("a.png").read_bytes()
    assert queued.answer.bundle_sha256 == manifest_sha256(BUNDLE)
    assert queued.answer.said is None
    again = predict("s", "a.png", "--bundle", BUNDLE, "--queue", 1)
    assert "1 answer more" in again  # the cola too; the unknown one is there
    assert len(read_queue(Path("data/review_queue/s"))) == 2


def test_a_photograph_of_nothing_is_an_answer(workspace):
    said = predict("s", "a.png", "b.png", "--bundle", BUNDLE, "--json", "said.json", "--queue", 0.5)
    assert "b.png: nothing" in said
    counts = {one["image"]: one["counts"] for one in json.loads(Path("said.json").read_text())["photographs"]}
    assert counts["b.png"] == {}


def test_a_detector_draws_what_its_policy_does_not_accept_where_all_is_asked_for(workspace):
    Image.new("RGB", (32, 32), (90, 0, 0)).save("dim.png")  # scores of .35, calibrated .33, under the threshold of .45
    for name, words in (("some.png", ()), ("every.png", ("--all",))):
        predict("m", "dim.png", "--bundle", "models/m/bundle", "-o", name, *words)
    assert Path("some.png").read_bytes() != Path("every.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["m", "a.png", "--bundle", "models/m/bundle", "--json", "x.json"], "--json: expected a system"),
        (["m", "a.png", "--bundle", "models/m/bundle", "--queue", "0.5"], "--queue: expected a system"),
        (["s", "a.png", "--bundle", "models/s/bundle", "-o", "x.jpg", "--all"], "--all: expected a detector, got s, a"),
        (["m", "a.png", "--bundle", "models/m/bundle", "--all"], "--all: expected --output beside it"),
        (["sku", "a.png", "--bundle", "models/sku/bundle", "-o", "x.jpg", "--all"], "whose task is identify"),
        (["c", "a.png", "--bundle", "models/c/bundle", "-o", "x.jpg", "--all"], "whose task is classify"),
        (["s", "a.png", "b.png", "--bundle", "models/s/bundle", "-o", "x.jpg"], "one photograph to draw"),
        (["s", "a.png", "--bundle", "models/s/bundle", "--json", "x.txt"], "a name that ends in .json"),
        (["s", "a.png", "nothing.png", "--bundle", "models/s/bundle", "--json", "x.json"], "nothing.png"),
    ],
)
def test_what_cannot_be_written_is_refused(workspace, words, expected):
    before = sorted(Path().rglob("*"))
    with pytest.raises(VouchError, match=expected):
        predict(*words)
    assert sorted(Path().rglob("*")) == before
