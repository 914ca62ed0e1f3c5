"""Temporary workspaces: the repository's own graph on a data set of a few dozen photographs, seconds a stage."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.graph import ROOT, with_examples
from vouch.errors import ParamsError
from vouch.params import read_value

TRACKED = (
    ".dvc",
    ".dvcignore",
    ".gitignore",
    "data/gallery",
    "dvc.yaml",
    "models/architectures",
    "params.yaml",
    "presets",
    "src",
)
BARE_PYTHON = sys._base_executable  # type: ignore[attr-defined] # the interpreter below the virtual environment
CLASSES = ("phone", "seatbelt", "cigarette", "drowsy_face", "vehicle", "pedestrian", "cone")
CLASSIFIERS = ("roadwork", "roadwork_dino")  # all weights trained; heads on a frozen backbone, of examples/
VARIANT = "roadwork_int8"  # the first one in eight bits
ROADWORK_TARGETS = (  # past predictions or the comparison, other models run the very stages of the first
    "report@roadwork",
    "bundle@roadwork",
    "parity@roadwork_dino",
    "predict_candidate@roadwork_dino",
    "parity_quantized@roadwork_int8",
    "compare@roadwork_int8",
)
SKU_TARGETS = ("report@sku", "bundle@sku", "report@sku_int8", "bundle@sku_int8")
SYSTEM_TARGETS = ("report_system@shelf_count", "bundle_system@shelf_count", "parity_quantized@shelf_int8")
ROADWORK = {"dataset": "roadwork", "task": "classify"}
ROADWORK_ALONE: dict[str, Any] = {
    "pipeline.datasets": ["roadwork"],
    "pipeline.rendered": ["roadwork"],
    "pipeline.models": {
        **{
            name: ROADWORK
            | {"names": "labels.json", "trained": name, "judged_as": "roadwork"}
            | {"baseline": f"registry/{name}/bundle", "evidence": "test"}
            for name in CLASSIFIERS
        },
        VARIANT: ROADWORK
        | {"names": "labels.json", "trained": "roadwork", "judged_as": "roadwork"}
        | {"baseline": "models/roadwork/bundle", "evidence": "test"},
    },
    "pipeline.detectors": {},
    "pipeline.trained": {name: ROADWORK for name in CLASSIFIERS},
    "pipeline.embedders": {},
    "pipeline.galleries": {},
    "pipeline.systems": {},
    "pipeline.fine_tuned.roadwork.start": "models/architectures/none.yaml",
    "pipeline.frozen.roadwork_dino.start": "models/architectures/none.yaml",
    "pipeline.unpromoted": {name: {"dataset": "roadwork"} for name in CLASSIFIERS},
    "datasets.roadwork.render.n_drives": 48,
    "datasets.roadwork.render.frames_least": 2,
    "datasets.roadwork.render.frames_most": 2,
    "datasets.roadwork.render.width_px": 96,
    "datasets.roadwork.render.height_px": 96,
    "datasets.roadwork.validate.coverage.min_components": 4,
    "datasets.roadwork.validate.coverage.min_samples": 1,
    "datasets.roadwork.validate.coverage.min_count": 1,
    "datasets.roadwork.validate.coverage.of_classes": [],
    "models.roadwork.train_classifier.backbone.options": {"channels": [8, 8, 16, 16], "stem_width": 8},
    "models.roadwork.train_classifier.size_px": 32,
    "models.roadwork.train_classifier.views.side_px": 32,
    "models.roadwork.train_classifier.epochs": 1,
    "models.roadwork.train_classifier.loss.gate_folds": 2,
    "models.roadwork_dino.extract_features.backbone.name": "test_vit",  # 60 thousand parameters
    "models.roadwork_dino.extract_features.size_px": 48,
    "models.roadwork_dino.extract_features.views.side_px": 32,
    "models.roadwork_dino.train_cached.epochs": 2,
    "models.roadwork_dino.train_cached.loss.gate_folds": 2,
    **{f"models.{name}.parity.photographs": 4 for name in CLASSIFIERS},
    "models.roadwork_int8.quantize.photographs": 8,
    "models.roadwork_int8.quantize.batch": 5,
    "models.roadwork_int8.parity_quantized.photographs": 4,
    "models.roadwork.calibrate.folds": 2,  # the others are judged as it is
    "models.roadwork.evaluate.replicates": 200,
    "models.roadwork.compare.replicates": 200,
}
DRIVER = {"dataset": "driver", "task": "detect"}
OVERRIDES: dict[str, Any] = {
    "pipeline.datasets": ["driver"],
    "pipeline.rendered": ["driver"],
    "pipeline.models": {
        "driver": DRIVER
        | {"names": "labels.json", "trained": "driver", "judged_as": "driver"}
        | {"baseline": "registry/driver/bundle", "evidence": "test"}
    },
    "pipeline.trained": {"driver": DRIVER},
    "pipeline.fine_tuned": {},
    "pipeline.quantized": {},
    "pipeline.embedders": {},
    "pipeline.galleries": {},
    "pipeline.systems": {},
    "pipeline.detectors": {"driver": {"dataset": "driver"}},
    "pipeline.detectors.driver.framework": "ultralytics",
    "pipeline.detectors.driver.start": "models/architectures/yolo11p.yaml",
    "pipeline.unpromoted": {"driver": {"dataset": "driver"}},
    "datasets.driver.render.n_vehicles": 20,
    "datasets.driver.render.n_drivers": 22,
    "datasets.driver.render.trips_per_driver": 1,
    "datasets.driver.render.frames_per_trip": {"cabin": 1, "front": 1, "rear": 1},
    "datasets.driver.render.width_px": 160,
    "datasets.driver.render.height_px": 120,
    "datasets.driver.render.crossed_duplicates": 0,
    "datasets.driver.split.fractions": {"train": 0.45, "val_select": 0.1, "val_calib": 0.15, "val_test": 0.3},
    "datasets.driver.validate.coverage.min_components": 4,
    "datasets.driver.validate.coverage.min_samples": 1,
    "datasets.driver.validate.coverage.min_count": 1,
    "datasets.driver.validate.coverage.of_classes": [],
    "models.driver.train_detector.size_px": 160,
    "models.driver.train_detector.epochs": 1,
    "models.driver.train_detector.learning_rate": 0.001,
    "models.driver.parity.photographs": 4,
    "models.driver.parity.floor": 0.0001,  # after one epoch from nothing no score is higher than about 0.002
    "models.driver.predict.floor": 0.0001,
    "models.driver.calibrate.floor": 0.0,
    "models.driver.calibrate.min_rows": 20,
    "models.driver.calibrate.min_groups": 2,
    "models.driver.calibrate.folds": 2,
    "models.driver.decide.objective.target": 0.0001,  # any right detection at all
    "models.driver.evaluate.replicates": 200,
    "models.driver.compare.replicates": 200,
}


SHELF = {"dataset": "shelf", "task": "identify"}
SKU_INT8 = {"dataset": "shelf", "source": "sku", "names": "gallery.safetensors"}
SHELF_ALONE: dict[str, Any] = {  # the embedder and its variant in eight bits; a detector's line is the driver's
    "pipeline.datasets": ["shelf"],
    "pipeline.rendered": ["shelf"],
    "pipeline.models": {
        "sku": SHELF
        | {"names": "gallery.safetensors", "trained": "sku", "judged_as": "sku"}
        | {"baseline": "registry/sku/bundle", "evidence": "test"},
        "sku_int8": SHELF
        | {"names": "gallery.safetensors", "trained": "sku", "judged_as": "sku"}
        | {"baseline": "models/sku/bundle", "evidence": "test"},
    },
    "pipeline.detectors": {},
    "pipeline.fine_tuned": {},
    "pipeline.quantized": {"sku_int8": SKU_INT8},
    "pipeline.trained": {"sku": SHELF},
    "pipeline.unpromoted": {"sku": {"dataset": "shelf"}},
    "pipeline.embedders.sku.start": "models/architectures/none.yaml",
    "pipeline.systems": {},
    "datasets.shelf.render.n_stores": 16,
    "datasets.shelf.render.calib_stores": 0.25,
    "datasets.shelf.render.test_stores": 0.25,
    "datasets.shelf.render.sessions_most": 1,
    "datasets.shelf.render.wide_rate": 0.0,
    "datasets.shelf.render.duplicate_rate": 0.0,
    "datasets.shelf.split.fractions": {"train": 0.3, "val_select": 0.1, "val_calib": 0.3, "val_test": 0.3},
    "datasets.shelf.validate.coverage.min_components": 4,
    "datasets.shelf.validate.coverage.min_samples": 1,
    "datasets.shelf.validate.coverage.min_count": 1,
    "datasets.shelf.validate.coverage.min_images_per_product": 1,
    "datasets.shelf.validate.coverage.of_classes": [],
    "models.sku.train_embedder.backbone.options": {"channels": [8, 8, 16, 16], "stem_width": 8},
    "models.sku.train_embedder.embedding": 32,
    "models.sku.train_embedder.size_px": 32,
    "models.sku.train_embedder.epochs": 2,
    "models.sku.parity.photographs": 4,
    "models.sku.calibrate.folds": 2,
    "models.sku.evaluate.replicates": 200,
    "models.sku.compare.replicates": 200,
    "models.sku_int8.quantize.photographs": 12,
    "models.sku_int8.quantize.batch": 8,
    "models.sku_int8.parity_quantized.photographs": 8,
}


SHELF_COUNT: dict[str, Any] = SHELF_ALONE | {  # with a detector too, both in eight bits as well, and two as a system
    "pipeline.models": {
        **SHELF_ALONE["pipeline.models"],
        "shelf": SHELF
        | {"task": "detect", "names": "labels.json", "trained": "shelf", "judged_as": "shelf"}
        | {"baseline": "registry/shelf/bundle", "evidence": "test"},
        "shelf_int8": SHELF
        | {"task": "detect", "names": "labels.json", "trained": "shelf", "judged_as": "shelf"}
        | {"baseline": "models/shelf/bundle", "evidence": "test"},
    },
    "pipeline.quantized": {
        "sku_int8": SKU_INT8,
        "shelf_int8": SKU_INT8 | {"source": "shelf", "names": "labels.json"},
    },
    "pipeline.detectors": {
        "shelf": {"dataset": "shelf", "framework": "ultralytics", "start": "models/architectures/yolo11p.yaml"}
    },
    "pipeline.trained": {"sku": SHELF, "shelf": SHELF | {"task": "detect"}},
    "pipeline.unpromoted": {name: {"dataset": "shelf"} for name in ("sku", "shelf")},
    "pipeline.systems": {
        "shelf_count": {
            **{"dataset": "shelf", "detector": "shelf", "identifier": "sku"},
            "baselines": {"detector": "registry/shelf/bundle", "identifier": "registry/sku/bundle"},
        }
    },
    "models.shelf.train_detector.size_px": 160,
    "models.shelf.train_detector.epochs": 1,
    "models.shelf.train_detector.learning_rate": 0.001,
    "models.shelf.predict.floor": 0.0001,  # after one epoch from nothing no score is higher than about 0.002
    "models.shelf.predict.limit": 30,
    "models.shelf.calibrate.floor": 0.0,
    "models.shelf.calibrate.min_rows": 20,
    "models.shelf.calibrate.min_groups": 2,
    "models.shelf.calibrate.folds": 2,
    "models.shelf.decide.objective.target": 0.0001,  # any right detection at all
    "models.shelf_int8.quantize.photographs": 4,
    "models.shelf_int8.parity_quantized.photographs": 2,
    "models.shelf_int8.parity_quantized.floor": 0.0001,
    "models.sku.train_embedder.epochs": 1,
    "systems.shelf_count.evaluate_counts.replicates": 200,
    "systems.shelf_count.compare_counts.replicates": 200,
}


def short(model: str, training: str) -> dict[str, Any]:
    """Return what makes a model's line one of seconds, without another answer than a long one would give in kind."""
    return {
        f"models.{model}.{training}.epochs": 1,
        f"models.{model}.parity.photographs": 2,
        f"models.{model}.calibrate.folds": 2,
        f"models.{model}.evaluate.replicates": 200,
        f"models.{model}.compare.replicates": 200,
    }


def environment(folder: Path) -> dict[str, str]:
    """This Python first on PATH as `make` puts it, and nothing read or written outside the workspace."""
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(folder / ".dvc/tmp/site"),
        "DVC_NO_ANALYTICS": "1",
        **{f"GIT_{role}_{what}": "test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a workspace; standard error comes with standard output."""
    return subprocess.run(
        words,
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def done(folder: Path, *words: str) -> str:
    """Run a command that must succeed; return its output."""
    finished = run(folder, *words)
    assert finished.returncode == 0, f"{' '.join(words)} exited {finished.returncode}:\n{finished.stdout[-6000:]}"
    return finished.stdout


def vouch(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the workspace's own command line."""
    return run(folder, "env", "PYTHONPATH=src", "python", "-c", "from vouch.cli import main; main()", *words)


def repro(folder: Path, *words: str) -> set[str]:
    """Run `dvc repro` and return the stages that it ran."""
    return executed(done(folder, "dvc", "repro", *words))


def executed(output: str) -> set[str]:
    """Return the stages that a `dvc repro` ran, or would run, or took from its record of earlier runs."""
    return set(re.findall(r"(?:Running stage|Stage) '([^']+)'(?::$| is cached - skipping run)", output, re.MULTILINE))


def commit(folder: Path) -> None:
    """Commit everything that git does not ignore."""
    done(folder, "git", "add", "--all")
    done(folder, "git", "commit", "--quiet", "--message", "a state")


def make(folder: Path, cache: Path, overrides: dict[str, Any] = OVERRIDES, examples: tuple[str, ...] = ()) -> Path:
    """Make a workspace of the repository's own files, with a tiny params.yaml, under git and DVC."""
    listing = done(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *TRACKED)
    for name in listing.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    add_examples(folder, *examples)
    change(folder, overrides)
    done(folder, "git", "init", "--quiet")
    done(folder, "dvc", "config", "--local", "cache.dir", str(cache))
    commit(folder)
    return folder


def copy(workspace: Path, folder: Path) -> Path:
    """Copy a workspace with its outputs; DVC's cache stays shared."""
    return shutil.copytree(workspace, folder, symlinks=True, ignore=shutil.ignore_patterns("tmp"))


def clone(workspace: Path, folder: Path) -> Path:
    """Clone what is committed: no data, no cache."""
    done(workspace, "git", "clone", "--quiet", str(workspace), str(folder))
    return folder


def add_examples(folder: Path, *names: str) -> None:
    """Put the sections of examples/NAME.params.yaml into a workspace's params.yaml, comments kept."""
    YAML().dump(with_examples(names, folder / "params.yaml"), folder / "params.yaml")


def change(folder: Path, values: dict[str, Any]) -> None:
    """Set dotted keys of params.yaml that it or its presets have, comments and order kept."""
    yaml = YAML()
    path = folder / "params.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"))
    known = {dotted for dotted in values if has(dotted, path)}
    assert known == values.keys(), f"no parameters: {values.keys() - known}"
    for dotted, value in values.items():
        *parents, leaf = dotted.split(".")
        section = content
        for parent in parents:
            section = section.setdefault(parent, {})
        section[leaf] = value
    yaml.dump(content, path)


def has(dotted: str, path: Path) -> bool:
    """Whether a key stands in params.yaml, or in the presets below it."""
    try:
        read_value(*dotted.split("."), path=path)
    except ParamsError:
        return False
    return True


def read_params(folder: Path) -> dict[str, Any]:
    """Return params.yaml as plain mappings and lists."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load((folder / "params.yaml").read_text(encoding="utf-8"))
    return content


def locked(folder: Path) -> dict[str, Any]:
    """Return the stages of dvc.lock: cmd, deps, params and outs of each, as DVC resolved them."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load((folder / "dvc.lock").read_text(encoding="utf-8"))
    return content["stages"]


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file, or of every file in a folder by its relative path; nothing for what is absent."""
    if path.is_dir():
        return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    return {"": path.read_bytes()} if path.is_file() else {}
