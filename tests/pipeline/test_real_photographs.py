"""Real photographs from a folder to a verdict: `vouch new`, then every stage."""

import csv
import json
import shutil
from collections import defaultdict

import pytest

from pipeline import real_folders, workspace

PHOTOGRAPHS = real_folders.REAL / "waste_scenes"
SESSIONS, OF_EACH = 8, 6  # 8 sessions with at most 6 photographs each
pytestmark = real_folders.needed(PHOTOGRAPHS)


def chosen(target):
    """Copy a few photographs of a few sessions, their labels and their rows of manifest.csv."""
    with (PHOTOGRAPHS / "manifest.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    sessions = defaultdict(list)
    for row in rows:
        sessions[row["group"]].append(row)
    largest = sorted(sessions, key=lambda name: (-len(sessions[name]), name))[:SESSIONS]
    kept = [row for name in largest for row in sessions[name][:: len(sessions[name]) // OF_EACH][:OF_EACH]]
    copy_rows(PHOTOGRAPHS, target, kept)


@pytest.fixture(scope="module")
def waste(tmp_path_factory):
    """A workspace with a detector of waste, whose sessions a manifest names."""
    return real_folders.built(tmp_path_factory, "waste", chosen, training="train_detector", size_px=96)


def test_all_stages_ran_and_judged(waste):
    verdict = json.loads((waste / "metrics/waste/gate.json").read_text())
    assert verdict["passed"] is False  # one epoch on a few dozen photographs
    assert (waste / "models/waste/bundle/manifest.json").is_file()
    assert "waste" in (waste / "reports/waste/index.html").read_text()


def test_no_session_straddles_splits(waste):
    splits = defaultdict(set)
    for name in ("train", "val_select", "val_calib", "val_test"):
        with (waste / f"data/splits/waste/{name}.csv").open() as stream:
            for row in csv.DictReader(stream):
                splits[row["group"]].add(name)
    assert len(splits) == SESSIONS
    assert all(len(names) == 1 for names in splits.values())
    assert {name for names in splits.values() for name in names} == {"train", "val_select", "val_calib", "val_test"}


def test_the_import_left_nothing_absolute_and_is_tracked(waste):
    assert (waste / "data/sources/waste.dvc").is_file()
    descriptor = (waste / "data/sources/waste/imported/source.json").read_text()
    assert str(waste.parent) not in descriptor


@pytest.mark.parametrize(
    ("name", "words", "groups"), [("cones_cubes", [], 6), ("grocery_packages", ["--group", "none"], None)]
)
def test_other_sets_reach_their_splits_in_two_commands(name, words, groups, tmp_path):
    source = tmp_path / "photographs"
    kept = some_of(real_folders.REAL / name, source)
    folder = real_folders.proposed(tmp_path / "workspace", tmp_path / "cache", name, source, *words)
    workspace.done(folder, "dvc", "repro", f"split@{name}")
    with (folder / f"splits/{name}.lock.csv").open() as stream:
        locked = list(csv.DictReader(stream))
    assert {row["split"] for row in locked} == {"train", "val_select", "val_calib", "val_test"}
    assert len(locked) == (kept if groups is None else groups)


def some_of(source, target):
    """Copy every twelfth row of a set's manifest with its photograph and labels; return how many."""
    with (source / "manifest.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    copy_rows(source, target, rows[::12])
    return len(rows[::12])


def copy_rows(source, target, kept):
    """Copy the photographs and labels of some rows of a set's manifest, and those rows."""
    files = [row[key] for row in kept for key in ("file", "label_file") if key in row]
    for file in [*files, *(path.name for path in source.glob("data.yaml"))]:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / file, target / file)
    with (target / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, kept[0])
        writer.writeheader()
        writer.writerows(kept)
