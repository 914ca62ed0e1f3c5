"""What every stage does with the words of its command line before it does anything."""

import json
from pathlib import Path

import pytest

from pipelines import of_one_detector
from vouch import stages
from wrong_names import HOSTILE


def report(model: str, dataset: str, baseline: str = "a/b") -> None:
    Path("ran").write_text(f"{model} {dataset} {baseline}")


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Start a stage with these words in a workspace with these roads; return what it refuses."""
    monkeypatch.chdir(tmp_path)

    def start(*words, roads=None):
        content = {"pipeline": roads or of_one_detector(), "datasets": {"d": {}}, "models": {"m": {}}}
        Path("params.yaml").write_text(json.dumps(content))
        monkeypatch.setattr("sys.argv", ["vouch/stages/report.py", *words])
        try:
            stages.main(report)
        except SystemExit as refusal:
            assert {path.name for path in Path().iterdir()} == {"params.yaml"}
            return str(refusal.code)
        return Path("ran").read_text()

    return start


def test_names_and_paths_are_handed_on(started):
    assert started("m", "d") == "m d a/b"
    assert started("m", "d", "models/n/bundle") == "m d models/n/bundle"


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
def test_every_wrong_word_is_refused_at_once_and_nothing_is_written(started, word):
    said = started(word, word, word)
    assert said.startswith("vouch: parameters refused: 3 problems")
    baseline, dataset, more = said.splitlines()[1:]
    assert (baseline.split(":")[0], dataset.split(":")[0]) == ("  BASELINE", "  DATASET")
    assert more == "  ... and 1 more like it: MODEL"


def test_a_name_is_no_path(started):
    assert "MODEL: expected a name" in started("models/m", "d")


@pytest.mark.parametrize("words", [(), ("m",), ("m", "d", "a/b", "more")])
def test_too_few_and_too_many_words_are_refused(started, words):
    assert "report: expected MODEL DATASET BASELINE" in started(*words)


def test_wrong_roads_are_refused_though_the_words_are_right(started):
    roads = of_one_detector() | {"rendered": ["x; touch PWN; :"]}
    assert "params.yaml: pipeline.rendered.0: expected a name" in started("m", "d", roads=roads)
