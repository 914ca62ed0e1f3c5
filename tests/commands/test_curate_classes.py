"""The loop of a classifier: what to label next, a bundle of classes, its reviews, and the data set with them."""

import csv
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import labelling
from deployment import bundles
from labelling import curate
from pipelines import of_a_system, of_one_classifier
from vouch import io
from vouch.cli import app
from vouch.errors import DataError, WorkspaceError
from vouch.stages import ingest

SAID = ("--model", "m", "--scores", "answers.csv")
ROWS = (  # what the table asks for: three places of works, and a photograph that is none of it
    "r0,works,false,day,new/p20.png,,ours,MIT,suggested,s20,",
    "r1,works,false,night,new/p21.png,,ours,MIT,suggested,s21,",
    "r2,works,true,day,new/p22.png,,ours,MIT,suggested,s22,",
)


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    """The workspace of `labelling`, with the classifier m of clear and works in place of its detector."""
    monkeypatch.chdir(tmp_path)
    labelling.build(of_one_classifier(), classes=bundles.CLASSES, labelled=labelling.labelled_whole)
    bundles.build(Path("models/m/bundle"), "classify")
    io.write_json(Path("models/m/calibrator.json"), bundles.MATRIX)
    io.write_json(Path("models/m/policy.json"), bundles.SCRC)
    io.write_table(Path("data/predictions/m/candidate/val_select.parquet"), val_select())
    labelling.photographs("new", (20, 21, 22))
    Path("rows.csv").write_text(labelling.HEADER + "".join(f"{row}\n" for row in ROWS))


def val_select():
    """Six of six photographs of clear are right, and one of six of works."""
    said = [("clear", "clear")] * 6 + [("works", "works")] + [("works", "clear")] * 5
    table = pd.DataFrame(said, columns=["class_true", "class_pred"])
    right = table["class_true"] == table["class_pred"]
    logits = {f"logit_{name}": 5.0 * (table["class_pred"] == name) for name in bundles.CLASSES}
    stated = {"sample_id": [f"s{place}" for place in table.index], "group": [f"g{place}" for place in table.index]}
    return table.assign(**stated, **logits, gate_logit=0.0, score=0.9, correct=right, stratum_light="day")


def predicted():
    """Let the bundle answer the new photographs; return what it says of each."""
    CliRunner().invoke(app, ["predict", "m", "new", "--csv", "answers.csv"], catch_exceptions=False)
    return {row["image"]: row for row in listed("answers.csv")}


def listed(path):
    with Path(path).open(newline="") as stream:
        return list(csv.DictReader(stream))


def chosen_and_bundled():
    answers = predicted()
    said = curate("retrain", "rows.csv", *SAID, "--most", "9", "-o", "chosen.csv")
    curate("bundle", "chosen.csv", *SAID, "-o", "out")
    Path("out/reviews").mkdir()
    return answers, " ".join(said.split())


def reviewed(labels, name="ann"):
    """Export labels by the row that asked for the photograph, as a CSV."""
    pages = json.loads(Path("out/manifest.json").read_text())["photographs"]
    lines = "".join(f"{page['image']},{labels[page['row_id']]}\n" for page in pages)
    Path(f"out/reviews/{name}.csv").write_text("image,label\n" + lines)
    return {page["row_id"]: page["image"] for page in pages}


def test_what_a_classifier_says_is_chosen_from_and_filled_in_where_it_is_accepted():
    answers, said = chosen_and_bundled()
    assert "clear 6 0 0.54" in said  # Clopper-Pearson's lower end of 6 of 6 is .541
    assert "works 6 5 0.00" in said
    rows = {row["row_id"]: row for row in listed("chosen.csv")}
    assert rows.keys() == {"r0", "r1", "r2"}
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert (manifest["task"], manifest["classes"]) == ("classify", ["clear", "works"])
    tasks = {task["data"]["row_id"]: task for task in json.loads(Path("out/tasks.json").read_text())}
    lines = {row["image"]: row for row in listed("out/labels.csv")}
    for page in manifest["photographs"]:
        answer = answers[page["photograph"]]
        line, accepted = lines[page["image"]], answer["accept"] == "True" and not page["negative"]
        assert (line["said"], float(line["confidence"])) == (
            answer["class_pred"],
            pytest.approx(float(answer["confidence"]), abs=1e-6),
        )
        assert line["label"] == (answer["class_pred"] if accepted else "")
        filled = [one["result"][0]["value"] for one in tasks[page["row_id"]]["predictions"]]
        assert filled == ([{"choices": [answer["class_pred"]]}] if accepted else [])
    assert not {"labels", "annotations.json", "data.yaml"} & {path.name for path in Path("out").iterdir()}


def test_a_photograph_that_was_answered_twice_is_refused_and_nothing_is_written():
    predicted()
    curate("retrain", "rows.csv", *SAID, "--most", "9", "-o", "chosen.csv")
    lines = Path("answers.csv").read_text().splitlines()
    Path("answers.csv").write_text("\n".join([*lines, lines[1]]) + "\n")
    with pytest.raises(DataError, match="expected one answer, got 2 answers"):
        curate("bundle", "chosen.csv", *SAID, "-o", "out")
    assert not Path("out").exists()


@pytest.mark.parametrize("name", ["works\x07", "works\x7f"])
def test_a_class_that_no_csv_could_bring_back_is_refused_before_its_answers_are(name):
    predicted()
    curate("retrain", "rows.csv", *SAID, "--most", "9", "-o", "chosen.csv")
    params = json.loads(Path("params.yaml").read_text())
    params["datasets"]["d"]["ingest"]["classes"] = ["clear", name]
    Path("params.yaml").write_text(json.dumps(params))
    Path("answers.csv").write_text(Path("answers.csv").read_text().replace("works", name))
    with pytest.raises(DataError) as caught:
        curate("bundle", "chosen.csv", *SAID, "-o", "out")
    (problem,) = caught.value.problems
    assert problem.where == "datasets.d.ingest.classes: 1"
    assert problem.got in (name, ascii(name))
    assert "`labels` of source.json" in problem.remedy
    assert not Path("out").exists()


def test_reviewers_who_choose_two_classes_fail_if_strict_and_wrong_ones_always():
    chosen_and_bundled()
    images = reviewed({"r0": "works", "r1": "clear", "r2": "clear"})
    for row, name in (("r0", "clear"), ("r1", "clear")):
        Path("out/reviews/bo", name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path("out", images[row]), Path("out/reviews/bo", name, Path(images[row]).name))
    assert f"{images['r0']} (ann, bo): expected two reviewers who agree, got works and clear" in curate("check", "out")
    with pytest.raises(DataError, match="got works and clear"):
        curate("check", "out", "--strict")
    reviewed({"r0": "", "r1": "road", "r2": "works"})
    with pytest.raises(DataError) as caught:
        curate("check", "out")
    assert "expected a class of the data set, got road" in str(caught.value)
    assert "expected a negative: not works, got works" in str(caught.value)


def test_labelled_classes_come_back_as_one_more_source_and_a_negative_of_none_stays_one():
    labelling.tracked()
    chosen_and_bundled()
    reviewed({"r0": "works", "r1": "", "r2": ""})
    with pytest.raises(DataError, match="a label, got nobody's"):
        curate("import", "out", "d", "--name", "round_1")
    images = reviewed({"r0": "works", "r1": "clear", "r2": ""})
    assert "3 of 3 photographs labelled" in curate("check", "out", "--strict")
    said = curate("import", "out", "d", "--name", "round_1")
    assert "added 3: round_1/images/" in said
    for kind in ("removed", "changed", "relabelled", "regrouped"):
        assert f"{kind} 0" in said
    found = ingest.read("d")
    new = found.samples[found.samples["source"] == "round_1"].fillna("").set_index("sample_id")
    known = {row: new.loc[f"round_1/{image}"] for row, image in images.items()}
    assert {row: (one["annotation"], one["label"], one["group_session"]) for row, one in known.items()} == {
        "r0": ("labelled", "works", "s20"), "r1": ("labelled", "clear", "s21"), "r2": ("negative", "", "s22"),
    }  # fmt: skip
    assert (len(found.samples), len(found.boxes)) == (11, 0)


def embedding(labelled):
    """Let the workspace have an embedder, sku, whose photographs hold what `labelled` says."""
    shutil.rmtree("data")
    labelling.build(of_a_system()["pipeline"], classes=bundles.CLASSES, labelled=labelled)
    (name,) = labelling.photographs("new", (20,))
    row = f"{name},{io.sha256(Path(name))},r0,works,false,day,s20,,\n"
    Path("chosen.csv").write_text(labelling.CHOSEN + row)
    Path("answers.csv").write_text("image,class_pred,confidence,accept\nnew/p20.png,works,.7,True\n")


def test_photographs_of_one_product_each_are_labelled_like_those_of_a_class():
    embedding(labelling.labelled_whole)
    curate("bundle", "chosen.csv", "--model", "sku", "--scores", "answers.csv", "-o", "out")
    assert "Give each photograph the product that it shows" in Path("out/instructions.md").read_text()
    Path("out/reviews").mkdir()
    shutil.copyfile("out/labels.csv", "out/reviews/ann.csv")
    assert "1 of 1 photograph labelled" in curate("check", "out", "--strict")


@pytest.mark.parametrize("words", [("retrain", "new", "--most", "3"), ("bundle", "chosen.csv")])
def test_products_of_boxes_are_refused_by_name_and_nothing_is_written(words):
    embedding(labelling.boxed)
    with pytest.raises(DataError) as caught:
        curate(*words, "--model", "sku", "--scores", "answers.csv", "-o", "made.csv")
    said = str(caught.value)
    assert "sku: expected an embedder of photographs that show one product each, got 8 boxes with products in d" in said
    assert not Path("made.csv").exists()
    Path("data/manifests/d/boxes.parquet").unlink()
    with pytest.raises(WorkspaceError, match="dvc repro ingest@d"):
        curate(*words, "--model", "sku", "--scores", "answers.csv", "-o", "made.csv")
