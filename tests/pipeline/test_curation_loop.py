"""The whole loop of a retraining, from a town's list to a verdict, as the notebook retraining_workflow goes through it.

The cells of the notebook are run once, in a workspace of their own, with commands as a person types them. The test
looks at the files between the commands, and gives each command of `vouch curate` a second time.
"""

import csv
import io
import json
import math
import shlex
import shutil
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import notebook
from pipeline import workspace
from pipeline.graph import ROOT
from vouch.cli import app

NOTEBOOK = ROOT / "notebooks/retraining_workflow.ipynb"
STEPS = ("taxonomy", "manifest", "coverage", "suggest", "dedupe", "retrain", "bundle", "check", "import")
VALIDATION = ("val_select", "val_calib", "val_test")
PEOPLE = ("row_id", "class", "negative", "stratum_light", "group_street", "note")  # columns that no command writes
OUTPUTS = ("--output", "--map-output")
AGAIN = ".again"
MOST = 8  # labels that the notebook asks for
TABLE = "round_1/benchmark.csv"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Step:
    """A command, what it said, and the files before it, after it, and after it was given once more."""

    words: list[str]
    said: str
    before: dict[str, bytes]
    after: dict[str, bytes]
    repeated: dict[str, bytes]


@dataclass(frozen=True)
class Loop:
    """The workspace in the end, each command in order, and the splits before the import."""

    folder: Path
    steps: list[Step]
    splits: dict[str, bytes]

    def step(self, *words):
        """Return the last step of a command."""
        return [step for step in self.steps if step.words[: len(words)] == list(words)][-1]


def held(folder=Path()):
    """Return every file that a person would miss."""
    places = ("round_1", "data/sources", "data/splits", "splits", "params.yaml", "dvc.lock")
    return {f"{place}/{name}": content for place in places for name, content in contents_of(folder / place)}


def contents_of(path):
    return sorted(workspace.contents(path).items())


def repeat(words):
    """Give a command a second time, in this process; what it writes anew, beside the first and with the same bytes."""
    places = [place for place, word in enumerate(words) if words[place - 1] in OUTPUTS]
    beside = {place: f"{words[place]}{AGAIN}{Path(words[place]).suffix}" for place in places}
    CliRunner().invoke(app, [beside.get(place, word) for place, word in enumerate(words)][1:])
    for place, name in beside.items():
        assert contents_of(Path(name)) == contents_of(Path(words[place])) != [], words
        shutil.rmtree(name) if Path(name).is_dir() else Path(name).unlink()


def watched(run, steps):
    """Return the notebook's `run`, which takes down what it does."""

    def watching(command, shown=""):
        before, said = held(), io.StringIO()
        with redirect_stdout(said):
            run(command, shown)
        after = held()
        if (words := shlex.split(command))[:2] == ["vouch", "curate"]:
            repeat(words)
        steps.append(Step(words, said.getvalue(), before, after, held()))

    return watching


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    folder = workspace.make(tmp_path_factory.mktemp("loop"), tmp_path_factory.mktemp("loop_cache"))
    (folder / "notebooks").mkdir()
    space, steps = {}, []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (workspace.environment(folder) | {"PYTHONPATH": "src", "COLUMNS": "120"}).items():
            patch.setenv(name, value)
        patch.chdir(folder / "notebooks")
        for place in range(len(notebook.code_of(NOTEBOOK))):
            notebook.execute(NOTEBOOK, place, space)
            if place == 0:
                space["run"] = watched(space["run"], steps)
        again = workspace.executed(workspace.done(folder, "dvc", "repro", "bundle@kerb"))
    first = next(step for step in steps if step.words[:3] == ["vouch", "curate", "taxonomy"]).before
    assert again == set(), "a second `dvc repro` ran something"
    return Loop(folder, steps, {name: content for name, content in first.items() if "splits/" in name})


def table(content):
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def chosen(loop):
    return table(loop.step("vouch", "curate", "retrain").after["round_1/chosen.csv"])


def judging(loop):
    """Return streets and hashes of the photographs that judged before the import."""
    samples = pd.read_parquet(loop.folder / "data/manifests/kerb/samples.parquet").set_index("sample_id")
    members = [row["sample_id"] for split in VALIDATION for row in table(loop.splits[f"data/splits/kerb/{split}.csv"])]
    streets = set(samples.loc[members, "group_street"])
    return streets, {sha256((loop.folder / one).read_bytes()).hexdigest() for one in samples.loc[members, "image"]}


def test_every_step_was_taken_in_order(loop):
    taken = [step.words[2] for step in loop.steps if step.words[:2] == ["vouch", "curate"]]
    assert tuple(taken) == STEPS


def test_no_command_given_twice_changes_anything(loop):
    for step in loop.steps:
        assert step.repeated == step.after, step.words


def test_what_people_wrote_stays_at_every_step(loop):
    for step in loop.steps:
        before, after = (table(files.get(TABLE, b"")) for files in (step.before, step.after))
        for old, new in zip(before, after, strict=False):
            assert {name: old.get(name) for name in PEOPLE} == {name: new.get(name) for name in PEOPLE}, step.words
        assert len(after) >= len(before)
    last = table(loop.steps[-1].after[TABLE])
    assert all(row["note"] == f"asked for by Kim, {row['class']} first" for row in last)
    assert {row["negative"] for row in last if row["class"] == "toy"} == {"true"}


def test_the_catalogue_filled_places_and_a_photograph_that_came_twice_did_not_stay(loop):
    rows = table(loop.steps[-1].after[TABLE])
    found = [row for row in rows if row["photograph"]]
    assert f"{len(found)} suggestions of 44 candidates" in loop.step("vouch", "curate", "suggest").said
    for row in found:
        kind = Path(row["photograph"]).parent.name
        assert row["class"] == ("beverage_carton" if kind == "carton" else kind)
        assert row["license"] == "CC0-1.0"
    assert Counter(row["status"] for row in found) == {"suggested": len(found) - 1, "rejected": 1}
    (rejected,) = [row["photograph"] for row in found if row["status"] == "rejected"]
    assert "_104" in rejected


def test_the_choice_keeps_its_quotas(loop):
    rows = chosen(loop)
    assert 0 < len(rows) <= MOST
    for column, most in (("class", 0.5), ("stratum_light", 0.7)):
        assert max(Counter(row[column] for row in rows).values()) <= math.ceil(most * MOST), column
    assert max(Counter(row["group_street"] for row in rows).values()) <= 5


def test_the_choice_holds_nothing_that_judges_although_the_archive_does(loop):
    streets, hashes = judging(loop)
    offered = table(loop.step("vouch", "curate", "retrain").before[TABLE])
    assert {row["group_street"] for row in offered if row["status"] == "suggested"} & streets
    archive = {sha256(path.read_bytes()).hexdigest() for path in (loop.folder / "round_1/archive").rglob("*.png")}
    assert archive & hashes
    assert not {row["group_street"] for row in chosen(loop)} & streets
    assert not {row["sha256"] for row in chosen(loop)} & hashes


def test_the_bundle_holds_what_was_chosen_and_the_import_what_was_drawn(loop):
    manifest = json.loads(loop.step("vouch", "curate", "bundle").after["round_1/to_label/manifest.json"])
    rows = chosen(loop)
    assert [page["sha256"] for page in manifest["photographs"]] == [row["sha256"] for row in rows]
    samples = pd.read_parquet(loop.folder / "data/manifests/kerb/samples.parquet")
    new = samples[samples["source"] == "round_1"]
    negative = [row["negative"] == "true" for row in rows]
    assert sorted(new["annotation"]) == sorted("negative" if one else "labelled" for one in negative)
    assert sorted(new["group_street"]) == sorted(row["group_street"] for row in rows)
    boxes = pd.read_parquet(loop.folder / "data/manifests/kerb/boxes.parquet")
    drawn = Counter(boxes[boxes["sample_id"].isin(new["sample_id"])]["class_name"])
    kinds = Counter(Path(row["photograph"]).parent.name for row in rows)
    assert drawn == {kind: count for kind, count in kinds.items() if kind != "toy"}


def test_the_imported_photographs_teach_and_what_judges_is_what_it_was(loop):
    splits = {name: content for name, content in held(loop.folder).items() if "splits/" in name}
    locks = [
        {row["group"]: row["split"] for row in table(files["splits/kerb.lock.csv"])} for files in (loop.splits, splits)
    ]
    assert locks[0].items() <= locks[1].items()
    assert {locks[1][group] for group in locks[1].keys() - locks[0].keys()} == {"train"}
    for name in VALIDATION:
        assert splits[f"data/splits/kerb/{name}.csv"] == loop.splits[f"data/splits/kerb/{name}.csv"]
    before, after = (
        {row["sample_id"] for row in table(files["data/splits/kerb/train.csv"])} for files in (loop.splits, splits)
    )
    assert before < after
    assert {name.partition("/")[0] for name in after - before} == {"round_1"}
    assert len(after - before) == len(chosen(loop))


def test_the_difference_of_the_data_is_told(loop):
    for step in (loop.step("vouch", "curate", "import"), loop.step("vouch", "data", "fingerprint")):
        assert f"added {len(chosen(loop))}: round_1/images/" in step.said
        for kind in ("removed", "changed", "relabelled", "regrouped"):
            assert f"{kind} 0\n" in step.said


def test_the_comparison_says_on_what_it_stands_and_gives_a_verdict_with_its_power(loop):
    count = len(table(loop.splits["data/splits/kerb/val_test.csv"]))
    groups = len({row["group"] for row in table(loop.splits["data/splits/kerb/val_test.csv"])})
    said = " ".join(loop.step("vouch", "compare", "kerb", "--baseline", "before_round_1", "--md").said.split())
    assert f"compared: {count} samples of val_test in {groups} groups" in said
    assert f"the candidate has {count}, the baseline {count}, both {count}" in said
    assert "labels of both: 3" in said
    header = "| metric | where | baseline | candidate | difference | p (Holm) | verdict | least effect | could show |"
    assert header in said
    assert any(f"**{verdict}**" in said for verdict in ("better", "not worse", "worse", "unknown", "too few groups"))


def test_the_notebook_holds_no_outputs_and_each_command_of_the_loop():
    cells = notebook.cells(NOTEBOOK)
    for cell in cells:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
    text = "\n".join(notebook.code_of(NOTEBOOK))
    for name in STEPS:
        assert f"vouch curate {name} " in text
    assert json.loads(NOTEBOOK.read_text(encoding="utf-8"))["nbformat"] == 4
    assert len({cell["id"] for cell in cells}) == len(cells)
