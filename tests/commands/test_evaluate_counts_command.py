"""`vouch evaluate-counts`, from two files to tables and JSON."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vouch.cli import app
from vouch.errors import DataError, VouchError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree(ROOT / "presets", "presets")
    return tmp_path


def write(name, photographs):
    Path(name).write_text(json.dumps(photographs))


def stores(count, off):
    """Two photographs of each store; the first has one cola too many in every `off`-th store."""
    truth, said = [], []
    for store in range(count):
        for number in range(2):
            name = f"{store}_{number}.jpg"
            light = {"light": "dim" if store % 2 else "bright"}
            truth.append(
                {"sample_id": name, "counts": {"cola": 3, "water": 1}, "groups": {"store": str(store)}, "strata": light}
            )
            wrong = store % off == 0 and number == 0
            said.append({"sample_id": name, "counts": {"cola": 3 + wrong, "water": 1}})
    return said, truth


def invoke(*more):
    return CliRunner().invoke(
        app, ["evaluate-counts", "--predictions", "p.json", "--ground-truth", "g.json", *map(str, more)]
    )


def test_files_are_judged_in_tables_and_json(here):
    said, truth = stores(24, 4)
    write("p.json", said)
    write("g.json", truth)
    shown = invoke("--group-key", "store", "--json", "out.json")
    assert shown.exit_code == 0, shown.output
    found = json.loads(Path("out.json").read_text())
    assert found["metrics"]["count_mae"]["all"]["value"] == 0.0625  # cola 6 of 48, water 0 of 48
    assert found["metrics"]["count_mae"]["class=cola"]["value"] == 0.125
    assert found["metrics"]["count_mae"]["light=dim"]["value"] == 0.0  # every fourth store is bright
    assert found["metrics"]["exact_count_rate"]["all"]["n_groups"] == 24
    facts = {key: found[key] for key in ("photographs", "groups", "pairs", "objects_true", "objects_counted")}
    assert facts == {"photographs": 48, "groups": 24, "pairs": 96, "objects_true": 192, "objects_counted": 198}
    assert "0.062" in shown.output
    assert "groups: by store" in shown.output
    assert shown.output.index("cola") < shown.output.index("water")  # the worst first
    again = invoke("--group-key", "store", "--json", "again.json")
    assert again.output == shown.output
    assert Path("again.json").read_bytes() == Path("out.json").read_bytes()


def test_without_groups_every_photograph_is_its_own_and_the_command_says_so(here):
    said, truth = stores(3, 2)
    write("p.json", said)
    write("g.json", truth)
    output = invoke().output
    assert "every photograph is its own" in output
    assert "6 groups (too few for a word)" in output


def test_every_problem_of_both_files_is_told_and_nothing_is_written(here):
    write("p.json", [{"sample_id": "a", "counts": {"cola": -1}}])
    write("g.json", [{"sample_id": "a", "counts": {"cola": 0.5}}])
    shown = invoke("--json", "out.json")
    assert isinstance(shown.exception, DataError)
    assert len(shown.exception.problems) == 2
    assert not Path("out.json").exists()


def test_files_of_nothing_are_a_result_or_a_refusal_never_a_count_of_none(here):
    write("p.json", [{"sample_id": "a", "counts": {}}])
    write("g.json", [{"sample_id": "a", "boxes": []}])
    assert "there is nothing to judge" in invoke().output
    write("g.json", [])
    assert "ground truth: expected photographs" in str(invoke().exception)


def test_what_was_never_there_and_what_is_not_listed_is_told(here):
    write("p.json", {"products": ["cola", "coola"], "photographs": [{"sample_id": "a", "counts": {"coola": 1}}]})
    write("g.json", [{"sample_id": "a", "counts": {"cola": 1, "rum": 2}}])
    output = invoke().output
    assert "counted as unknown, for the predictions do not list them: rum" in output
    assert "on no photograph of the ground truth: coola" in output


def test_a_missing_file_and_an_output_onto_an_input_are_refused(here):
    write("p.json", [])
    assert "g.json" in str(invoke().exception)
    write("g.json", [])
    refused = invoke("--json", "g.json", "--overwrite").exception
    assert isinstance(refused, VouchError)
    assert "the input g.json" in str(refused)


def test_a_file_is_not_judged_by_itself(here):
    write("p.json", [])
    Path("g.json").symlink_to("p.json")
    assert "expected two files, got p.json twice" in str(invoke().exception)


def test_a_confidence_beyond_one_is_refused_by_the_option(here):
    assert invoke("--min-confidence", "1.5").exit_code == 2


def found(product, confidence):
    """An object as `vouch predict SYSTEM --json` has it."""
    said = {"product": product, "unknown": product is None, "confidence": confidence, "similarity": 0.9, "margin": 0.4}
    return said | {"class": "can", "detection_confidence": 0.8, "box_xyxy": [1.5, 0.0, 9.0, 8.0], "candidates": []}


def answer_of_a_system():
    objects = [found("cola", 0.9), found("cola", 0.4), found(None, 0.7)]
    photographs = [
        {"image": "a.jpg", "width": 9, "height": 9, "counts": {"cola": 2, "unknown": 1}, "limit_reached": False},
        {"image": "b.jpg", "width": 9, "height": 9, "counts": {}, "limit_reached": False},
    ]
    for photograph, seen in zip(photographs, (objects, []), strict=True):
        photograph["objects"] = seen
    system = {"name": "shelf_count", "version": "0.1.0"}
    return {"system": system, "products": ["cola", "water"], "photographs": photographs}


@pytest.mark.parametrize(("more", "counted"), [([], 3), (["--min-confidence", 0.5], 2)])
def test_what_a_system_said_is_judged_as_it_was_written(here, more, counted):
    write("p.json", answer_of_a_system())
    write("g.json", [{"sample_id": "a.jpg", "counts": {"cola": 2, "tea": 1}}, {"sample_id": "b.jpg", "counts": {}}])
    shown = invoke("--json", "out.json", *more)
    assert shown.exit_code == 0, shown.output
    facts = json.loads(Path("out.json").read_text())
    assert (facts["objects_true"], facts["objects_counted"], facts["counted_as_unknown"]) == (3, counted, ["tea"])
    assert facts["metrics"]["count_mae"]["class=unknown"]["value"] == 0.0
    assert facts["metrics"]["count_mae"]["class=cola"]["value"] == 3 - counted


def test_what_a_system_said_is_no_ground_truth_and_is_refused_where_it_is_broken(here):
    write("p.json", answer_of_a_system())
    write("g.json", answer_of_a_system())
    assert "no confidence in the ground truth" in str(invoke().exception)
    write("g.json", [{"sample_id": "a.jpg", "counts": {}}, {"sample_id": "b.jpg", "counts": {}}])
    broken = answer_of_a_system()
    del broken["photographs"][1]["objects"]
    write("p.json", broken)
    assert "p.json: b.jpg: expected either counts or boxes, got neither" in str(invoke().exception)
    broken["photographs"][0]["objects"][0]["confidence"] = 1.5
    write("p.json", broken)
    assert "photographs[0].boxes[0].confidence: expected at most 1" in str(invoke().exception)
    for content in ({"system": 1}, {"system": 1, "photographs": 3}, {"system": 1, "photographs": [3]}):
        write("p.json", content)
        assert isinstance(invoke().exception, DataError)
