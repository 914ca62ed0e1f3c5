"""`vouch compare --baseline`: two revisions of every kind of model and of a system, from git and DVC's cache."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from policies.made import SHARED, accepting, phones, unchanged
from vouch import io, paths
from vouch.commands.compare import compare
from vouch.errors import DataError, LeakageError, ParamsError, VouchError, WorkspaceError
from vouch.splits import contract

APP = typer.Typer()
APP.command()(compare)
GROUPS, COUNT = 40, 400
CLASSES = ("clear", "work")
ASKED = {"strata": [], "replicates": 400, "seed": 1, "level": 0.95}
MARGINS = {
    "finder": {"recall": 0.02, "map50": 0.02},
    "street": {"accuracy": 0.02, "nll": 0.05},
    "namer": {"top1": 0.02},
}
TASKS = {"finder": "detect", "street": "classify", "namer": "identify"}
TABLES = [paths.predictions(name, "candidate", "val_test") for name in TASKS] + [paths.counts("counter")]
PARTS = ("calibrator", "policy", "labels")
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
DVC = (sys.executable, "-m", "dvc")
NAMED = {"kind": "open_set", "rule": "thresholds", "similarity": 0.2, "margin": 0.0, **SHARED}
NAMED |= {"guarantee": "none", "alpha": 0.05, "delta": 0.05}
EXITS = {"kind": "threshold", "positive": "work", "threshold": None, **SHARED, "feasible": False, "guarantee": "none"}
EXITS |= {"alpha": 0.02, "delta": 0.05}
LOOKS = {"kind": "multiclass", "classes": list(CLASSES), "map": {"method": "identity"}, "gate": None}


def parameters(**without):
    models = {name: {"task": task, "baseline": f"registry/{name}/bundle"} for name, task in TASKS.items()}
    baselines = {"detector": "registry/finder/bundle", "identifier": "registry/namer/bundle"}
    counted = ASKED | {"margins": {"count_mae": 0.03}, "intraclass_correlation": 0.05}
    return {
        "pipeline": {"models": {**models, **without}, "systems": {"counter": {"baselines": baselines}}},
        "models": {name: {"compare": ASKED | {"margins": margins}} for name, margins in MARGINS.items()},
        "systems": {"counter": {"compare_counts": counted}},
    }


def detections(found):
    streams = [("cabin", "rear")[number % 2] for number in range(COUNT)]
    return phones(found, np.arange(COUNT) % GROUPS, stream=streams, score=0.7, hits=1)


def shared_columns():
    known = detections(np.zeros(COUNT, dtype=bool))[["sample_id", "group", "stratum_stream"]]
    return known, np.arange(COUNT) % 2


def photographs(right):
    known, truth = shared_columns()
    said = np.where(right, truth, 1 - truth)
    logits = 2.0 * np.eye(2)[said]
    names = np.array(CLASSES, dtype=object)
    return known.assign(
        class_true=pd.array(names[truth], dtype="str"),
        class_pred=pd.array(names[said], dtype="str"),
        score=np.exp(2) / (np.exp(2) + 1),
        correct=right,
        **{f"logit_{name}": logits[:, place] for place, name in enumerate(CLASSES)},
    )


def crops(right):
    known, product = shared_columns()
    names = np.array(["tea", "oat"], dtype=object)
    return known.assign(
        sample_id=known["sample_id"] + "#0",
        class_true=pd.array(names[product], dtype="str"),
        class_pred=pd.array(names[np.where(right, product, 1 - product)], dtype="str"),
        score=0.8,
        correct=right,
        **{"similarity": 0.7, "margin": 0.1, "product": pd.array(names[product], dtype="str")},
        **dict.fromkeys(("x1", "y1", "x2", "y2"), 4.0),
    )


def counts(off):
    return shared_columns()[0].assign(**{"class": "cola", "n_true": 5, "n_pred": 5 + off})


def write(share, seed):
    """Write what every model says when it is right so often; the hard half of the photographs is the same for all."""
    right = np.random.default_rng(seed).random(COUNT) < share
    tables = (detections(right), photographs(right), crops(right), counts((~right).astype(int)))
    for path, table in zip(TABLES, tables, strict=True):
        io.write_table(path, table)
    kinds = {
        "finder": (unchanged(0.01), accepting({"phone": 0.5}), {"classes": ["phone"]}),
        "street": (LOOKS, EXITS, {"classes": list(CLASSES)}),
        "namer": (unchanged(0.0), NAMED, {"classes": ["box"]}),
    }
    for name, contents in kinds.items():
        for part, content in zip(PARTS, contents, strict=True):
            io.write_json(paths.model(name, f"{part}.json"), content)
    return right


def call(*words):
    subprocess.run(words, check=True, capture_output=True)


def commit(tag, params):
    io.write_text(Path("params.yaml"), json.dumps(params))
    call(*DVC, "commit", "--force", "--quiet")
    call(*GIT, "add", "-A")
    call(*GIT, "commit", "-qm", tag)
    call(*GIT, "tag", tag)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Revisions: weak, strong, and two that lack a model or have another; the checkout is at the strong one."""
    folder = tmp_path_factory.mktemp("revisions")
    outs = [str(path) for path in TABLES] + [str(paths.model(name, f"{part}.json")) for name in TASKS for part in PARTS]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        call("git", "init", "--quiet")
        call(*DVC, "init", "--quiet")
        call(*DVC, "config", "core.analytics", "false")
        io.write_text(Path("dvc.yaml"), json.dumps({"stages": {"make": {"cmd": "true", "outs": outs}}}))
        io.write_text(Path(".gitignore"), "/data\n/models\n")
        rights = {}
        for tag, share in {"weak": 0.6, "strong": 0.95}.items():
            rights[tag] = write(share, seed=len(tag))
            commit(tag, parameters())
        content = parameters(street={"task": "detect", "baseline": "b"})
        del content["pipeline"]["models"]["finder"]
        commit("other", content | {"pipeline": content["pipeline"] | {"systems": {}}})
        io.write_text(Path("params.yaml"), json.dumps(parameters()))
        first = subprocess.run(["git", "rev-parse", "weak"], check=True, capture_output=True, text=True).stdout.strip()
        call("git", "update-ref", f"refs/exps/{first[:2]}/{first[2:]}/tried-it", "strong")
    return folder, rights


@pytest.fixture
def rights(built, tmp_path, monkeypatch):
    shutil.copytree(built[0], tmp_path / "here", symlinks=True)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("COLUMNS", "200")
    return built[1]


def everything():
    return {
        path: path.read_bytes()
        for path in Path().rglob("*")
        if path.is_file() and path.parts[:2] not in ((".dvc", "tmp"), (".git", "index"))
    }


def run(*words, code=0):
    before = everything()
    result = CliRunner().invoke(APP, [*words])
    assert everything() == before
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def table(output):
    """The cells of a Markdown table, by metric and stratum."""
    lines = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in output.splitlines() if line[:2] == "| "
    ]
    names, *rows = [line for line in lines if line[0] != "---"]
    return {(row[0], row[1]): dict(zip(names, row, strict=True)) for row in rows if row[0] != "metric"}


@pytest.mark.parametrize(("name", "metric"), [("finder", "recall"), ("street", "accuracy"), ("namer", "top1")])
def test_a_checkout_is_compared_with_a_revision_for_every_task(rights, name, metric):
    found = table(run(name, "--baseline", "weak", "--md"))
    whole = found[metric, "all"]
    assert whole["baseline"] == f"{rights['weak'].mean():.3f}"
    assert whole["candidate"] == f"{rights['strong'].mean():.3f}"
    assert (whole["verdict"], whole["groups"], whole["least effect"]) == ("better", "40", "0.02")
    assert 0 < float(whole["could show"]) < rights["strong"].mean() - rights["weak"].mean()
    of_rear = found[metric, "stream=rear"]
    assert of_rear["candidate"] == f"{rights['strong'][1::2].mean():.3f}"
    classes = {"recall": {"phone"}, "accuracy": set(CLASSES), "top1": {"tea", "oat"}}[metric]
    assert {where for one, where in found if one == metric} == {
        *("all", "stream=cabin", "stream=rear"),
        *(f"class={one}" for one in classes),
    }


def test_counts_of_a_system_are_compared_too(rights):
    whole = table(run("counter", "--baseline", "weak", "--md"))["count_mae", "all"]
    assert whole["candidate"] == f"{(~rights['strong']).mean():.3f}"
    assert whole["verdict"] == "better"


def test_two_revisions_the_other_way_round_are_a_loss_that_enforce_tells_apart(rights, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("finder", "--baseline", "strong", "--candidate", "weak")
    assert "recall of all is worse" in shown
    assert "shows 0." in shown
    assert "…" not in shown
    assert "stands against" in run("finder", "--baseline", "strong", "--candidate", "weak", "--enforce", code=1)
    assert "stands against" not in run("finder", "--baseline", "weak", "--enforce")
    assert "**worse**" in run("finder", "--baseline", "strong", "--candidate", "weak", "--enforce", "--md", code=1)


def test_a_model_is_no_worse_than_itself_and_an_experiment_is_a_revision(rights):
    output = run("finder", "--baseline", "tried-it", "--md", "--enforce")
    assert "**not worse**" in output
    assert {row["verdict"] for row in table(output).values()} == {"not worse"}
    assert {row["could show"] for row in table(output).values()} == {"–"}  # nothing differs


def test_a_whole_of_which_nothing_is_shown_does_not_pass(rights):
    near = rights["strong"].copy()
    near[:2] ^= True
    near[-3:] ^= True
    io.write_table(TABLES[0], detections(near))
    content = parameters()
    content["models"]["finder"]["compare"]["margins"] = {"recall": 0.0}
    io.write_text(Path("params.yaml"), json.dumps(content))
    assert "recall of the whole: unknown" in run("finder", "--baseline", "strong", "--enforce", code=1)


def test_p_values_are_those_of_holm_over_all_rows_and_so_many_that_one_could_be_shown(rights):
    """Holm's rule as its paper has it: the i-th smallest of m p-values times m - i + 1, never below the one before."""
    from vouch.commands.compare_revisions import Revision, compared_models

    found = compared_models("finder", Revision("--candidate", None), Revision("--baseline", "weak"))
    cells = [one for name in MARGINS["finder"] for one in found.differences[name].values()]
    ordered, before = sorted(cells, key=lambda one: one["p"]), 0.0
    for place, one in enumerate(ordered):
        before = max(before, min(1.0, one["p"] * (len(ordered) - place)))
        assert one["p_holm"] == pytest.approx(before)
    assert len(ordered) == 8  # two metrics of the whole, two streams and one class
    assert all(one["least_p_holm"] <= 0.025 for one in cells)  # half of .05, whatever the number of differences


def test_only_what_both_label_alike_is_compared_and_said(rights):
    strong = detections(rights["strong"])
    bag = strong.head(5).assign(class_true=pd.array(["bag"] * 5, dtype="str"), class_pred=None, correct=False)
    more = strong.iloc[10:12].assign(class_pred=None, correct=False, score=0.0)  # a second phone in two photographs
    new = strong.tail(3).assign(sample_id=["n1", "n2", "n3"])
    rows = pd.concat([strong.iloc[7:], bag, strong.iloc[:5], more, new], ignore_index=True)
    io.write_table(TABLES[0], rows.astype({"class_pred": "str"}))
    io.write_json(paths.model("finder", "labels.json"), {"classes": ["bag", "phone"]})
    output = run("finder", "--baseline", "strong", "--md")
    assert "compared: 396 samples of val_test in 40 groups" in output
    assert "the candidate has 401, the baseline 400, both 398" in output
    assert "left out: 2 samples that the two sides label otherwise" in output
    assert "labels of the candidate alone: bag" in output
    assert "class=bag" not in output
    assert {row["verdict"] for row in table(output).values()} == {"not worse"}


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["finder", "--baseline", "nowhere"], WorkspaceError, "--baseline nowhere: expected a revision of git"),
        (["finder", "--baseline", ""], WorkspaceError, "expected a revision of git, got an empty name"),
        (["finder", "--baseline", "weak", "--candidate", "nowhere"], WorkspaceError, "--candidate nowhere"),
        (["finder", "--baseline", "other"], WorkspaceError, r"other: expected an entry pipeline\.models\.finder"),
        (["counter", "--baseline", "other"], WorkspaceError, r"expected an entry pipeline\.systems\.counter"),
        (
            ["street", "--baseline", "other"],
            WorkspaceError,
            "expected street as a model to classify, got one to detect",
        ),
        (["finder", "--md"], WorkspaceError, "--md: expected --baseline"),
        (["finder", "--enforce", "--candidate", "weak"], WorkspaceError, "--candidate: expected --baseline"),
    ],
)
def test_what_is_not_there_is_refused_by_name(rights, words, error, said):
    with pytest.raises(error, match=said):
        run(*words)


def no_predictions():
    TABLES[0].unlink()


def no_table():
    TABLES[0].write_bytes(b"nothing")


def no_overlap():
    io.write_table(TABLES[0], detections(np.ones(COUNT, dtype=bool)).assign(sample_id=[f"t{n}" for n in range(COUNT)]))


def other_classes():
    io.write_json(paths.model("finder", "labels.json"), {"classes": ["van"]})


def other_groups():
    io.write_table(TABLES[0], detections(np.ones(COUNT, dtype=bool)).assign(group="g999"))


def a_list_for_a_policy():
    paths.model("finder", "policy.json").write_text("[]")


def classes_that_are_none():
    paths.model("finder", "labels.json").write_text('{"classes": 3}')


def a_broken_calibrator():
    paths.model("finder", "calibrator.json").write_text("{")


def a_negative_margin():
    content = parameters()
    content["models"]["finder"]["compare"]["margins"] = {"recall": -1.0}
    io.write_text(Path("params.yaml"), json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (no_predictions, WorkspaceError, r"val_test\.parquet: expected a file, got none"),
        (no_table, VouchError, r"val_test\.parquet: expected a table"),
        (no_overlap, DataError, "samples that both sides predicted"),
        (other_classes, DataError, "one that both sides know, got van and phone"),
        (other_groups, DataError, "one group"),
        (a_list_for_a_policy, WorkspaceError, r"policy\.json: expected a JSON object, got list"),
        (classes_that_are_none, DataError, r'labels\.json: expected {"classes": \[\.\.\.\]}, names, each once, got 3'),
        (a_broken_calibrator, VouchError, r"calibrator\.json"),
        (a_negative_margin, ParamsError, "greater than or equal to 0"),
    ],
)
def test_a_checkout_that_cannot_be_compared_is_refused(rights, spoil, error, said):
    spoil()
    with pytest.raises(error, match=said):
        run("finder", "--baseline", "weak")


def test_predictions_that_the_cache_lacks_are_named_with_what_brings_them(rights):
    for path in Path(".dvc/cache/files/md5").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(WorkspaceError, match=r"val_test\.parquet at weak: expected its content") as refused:
        run("finder", "--baseline", "weak")
    assert len(refused.value.problems) == 4  # with calibrator, policy and labels
    assert "dvc fetch --all-commits" in str(refused.value)


def test_val_test_is_read_to_judge_and_for_nothing_else(rights, monkeypatch):
    monkeypatch.setitem(contract.PURPOSES, "judge", ())
    for name in ("finder", "counter"):
        with pytest.raises(LeakageError, match="split val_test"):
            run(name, "--baseline", "weak")
