"""Real photographs through the same stages: import, split by session, train, judge, report."""

import csv
import json
import shutil
from collections import defaultdict

import pytest

from pipeline import workspace
from pipeline.graph import ROOT

PHOTOGRAPHS = ROOT.parent / "shared/realdata/waste_scenes"
SESSIONS, OF_EACH = 8, 6  # 8 sessions with at most 6 photographs each
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason=f"needs the photographs in {PHOTOGRAPHS}"),
]


def chosen(target):
    """Copy a few photographs of a few sessions, their labels and their rows of manifest.csv."""
    with (PHOTOGRAPHS / "manifest.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    sessions = defaultdict(list)
    for row in rows:
        sessions[row["group"]].append(row)
    largest = sorted(sessions, key=lambda name: (-len(sessions[name]), name))[:SESSIONS]
    kept = [row for name in largest for row in sessions[name][:: len(sessions[name]) // OF_EACH][:OF_EACH]]
    for file in ["data.yaml", *(row[key] for row in kept for key in ("file", "label_file"))]:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PHOTOGRAPHS / file, target / file)
    with (target / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(kept)
    return kept


@pytest.fixture(scope="module")
def curbside(tmp_path_factory):
    """A workspace with `curbside` beside `driver`, its photographs imported and its line of the graph run."""
    folder = workspace.make(tmp_path_factory.mktemp("real"), tmp_path_factory.mktemp("real_cache"))
    source = tmp_path_factory.mktemp("photographs")
    chosen(source)
    workspace.add_examples(folder, "curbside")
    training = "models.curbside.train_detector"
    coverage = "datasets.curbside.validate.coverage"
    workspace.change(
        folder,
        {
            f"{training}.epochs": 1,
            f"{training}.size_px": 96,
            f"{coverage}.min_samples": 1,
            f"{coverage}.min_count": 1,
            "models.curbside.parity.photographs": 2,
            "models.curbside.evaluate.replicates": 200,
            "models.curbside.compare.replicates": 200,
        },
    )
    words = ["import", "curbside", str(source), "--format", "yolo", "--manifest", str(source / "manifest.csv")]
    said = workspace.vouch(folder, *words, "--group", "session=column:group")
    assert said.returncode == 0, said.stdout
    workspace.done(folder, "dvc", "repro", "report@curbside", "bundle@curbside")
    return folder


def test_all_stages_ran_and_judged(curbside):
    verdict = json.loads((curbside / "metrics/curbside/gate.json").read_text())
    assert verdict["passed"] is False  # one epoch on a few dozen photographs
    assert (curbside / "models/curbside/bundle/manifest.json").is_file()
    assert "curbside" in (curbside / "reports/curbside/index.html").read_text()


def test_no_session_straddles_splits(curbside):
    splits = defaultdict(set)
    for name in ("train", "val_select", "val_calib", "val_test"):
        with (curbside / f"data/splits/curbside/{name}.csv").open() as stream:
            for row in csv.DictReader(stream):
                splits[row["group"]].add(name)
    assert len(splits) == SESSIONS
    assert all(len(names) == 1 for names in splits.values())
    assert {name for names in splits.values() for name in names} == {"train", "val_select", "val_calib", "val_test"}


def test_the_import_left_nothing_absolute_and_is_tracked(curbside):
    assert (curbside / "data/sources/curbside.dvc").is_file()
    descriptor = (curbside / "data/sources/curbside/imported/source.json").read_text()
    assert str(curbside.parent) not in descriptor
