"""What a stage imports is what dvc.yaml says, and heavy imports stay at the edge."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from pipeline.graph import GRAPH, PARAMS_FILE, ROOT, STAGES
from pipeline.imports import GROUND, SRC, closure, imported, is_empty
from vouch import roads
from vouch.params import read_params
from vouch.training.frameworks import FRAMEWORKS

VOUCH = SRC / "vouch"
GRAPH_TASKS = {name: entry["task"] for name, entry in read_params(PARAMS_FILE)["pipeline"]["models"].items()}
WITH_FRAMEWORK = {"train_detector", "export", "parity", "cross_validate"}
WITHOUT_TORCH = ("quantize", "parity_quantized", "predict", "predict_baseline", "compose")
PAST_THE_WAIST = (
    "calibrate",
    "decide",
    "evaluate",
    "evaluate_by_group",
    "compare",
    "gate",
    "bundle",
    "report",
    "index",
    "evaluate_counts",
    "gate_system",
    "bundle_system",
)
ONNX = {"vision/onnx_file.py", "vision/onnx_limits.py", "vision/onnx_shapes.py"}
EXPORTED = {"training/onnx_export.py", "training/onnx_softmax.py"}
HEAVY = {"torch", "torchvision", "timm", "ultralytics", "openvino"}


def started(stage):
    """Files that a stage starts from: its module, and what it picks by a name at run time."""
    name, *rest = shlex.split(GRAPH[stage]["cmd"].split("vouch.stages.")[1])
    starts = {VOUCH / f"stages/{name}.py"}
    if name == "render":
        starts.add(VOUCH / f"scenes/{rest[0]}.py")
    if name in WITH_FRAMEWORK:
        chosen = FRAMEWORKS[GRAPH_TASKS[stage.split("@")[1]]].values()
        return [starts | {SRC / f"{module.replace('.', '/')}.py"} for module in chosen]
    return [starts]


def needs(stage):
    """Files that dvc.yaml must list, for each framework that the stage may pick."""
    ground = {ROOT / name for name in GROUND}
    return [
        {path for path in closure(*starts) if path not in ground and not is_empty(path)} for starts in started(stage)
    ]


def listed(stage):
    return {ROOT / dep for dep in stage["deps"] if dep.startswith("src/")}


def covers(dep, path):
    return path == dep or dep in path.parents


@pytest.mark.parametrize("name", GRAPH)
def test_a_stage_lists_every_module_that_it_imports(name):
    for needed in needs(name):
        assert not {path for path in needed if not any(covers(dep, path) for dep in listed(GRAPH[name]))}


@pytest.mark.parametrize("name", GRAPH)
def test_a_stage_lists_no_package_or_module_of_which_it_imports_nothing(name):
    needed, dependencies = set().union(*needs(name)), listed(GRAPH[name])
    assert {dep for dep in dependencies if not any(covers(dep, path) for path in needed)} == set()
    assert {dep for dep in dependencies if any(other in dep.parents for other in dependencies)} == set()


@pytest.mark.parametrize("name", GRAPH)
def test_a_stage_lists_the_files_that_its_modules_read(name):
    packaged = [path for path in VOUCH.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}]
    texts = [path.read_text(encoding="utf-8") for path in set().union(*needs(name))]
    read = [path for path in packaged if any(path.name in text for text in texts)]
    assert [path for path in read if not any(covers(dep, path) for dep in listed(GRAPH[name]))] == []


def test_every_packaged_file_is_named_by_a_module_beside_it():
    for path in VOUCH.rglob("*"):
        if path.is_file() and path.suffix not in {".py", ".pyc"}:
            beside = [*path.parent.glob("*.py"), *path.parent.glob("*.j2")]
            assert any(path.name in module.read_text(encoding="utf-8") for module in beside), path


@pytest.mark.parametrize(
    ("package", "home"),
    [
        ("torch", {"training", "stages/train_detector.py", "stages/export.py", "stages/parity.py"}),
        ("timm", {"training"}),
        ("torchvision", {"training/detection/torchvision_ssd.py"}),
        ("ultralytics", {f"training/detection/ultralytics_{part}.py" for part in ("yolo", "nms", "view", "widening")}),
        ("onnxruntime", {"vision/runtime.py", "vision/quantization.py"}),
        ("onnx", {*ONNX, "vision/quantization.py", *EXPORTED, "deployment"}),
        ("openvino", {"deployment/openvino.py"}),
    ],
)
def test_heavy_packages_are_imported_at_home(package, home):
    for path in VOUCH.rglob("*.py"):
        if package in {name.split(".")[0] for name in imported(path)}:
            assert any(covers(VOUCH / place, path) for place in home), path


def test_where_onnx_runtime_suffices_past_the_waist_and_on_the_command_line_no_heavy_package_is_loaded():
    modules = [*(f"vouch.stages.{name}" for name in WITHOUT_TORCH + PAST_THE_WAIST), "vouch.cli"]
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    command = [sys.executable, "-c", code, *modules]
    loaded = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": "src"}, capture_output=True, text=True, check=True)
    assert set(modules) <= set(loaded.stdout.split())
    assert not HEAVY & set(loaded.stdout.split())


def test_vision_knows_nothing_of_what_follows_it_and_a_policy_s_validation_predicts_nothing_again():
    later = ("vouch.calibration", "vouch.policies", "vouch.evaluation", "vouch.release")
    for path in (VOUCH / "vision").rglob("*.py"):
        assert not {name for name in imported(path) if name.startswith(later)}, path
    for name in (name for name in GRAPH if name.startswith("predict_candidate@")):
        assert not {
            dep for dep in GRAPH[name]["deps"] if dep.replace("/", ".").startswith(tuple(f"src.{n}" for n in later))
        }


def test_params_yaml_may_name_every_framework_of_detectors():
    words = get_args(roads.Detector.model_fields["framework"].annotation)
    assert set(words) == set(FRAMEWORKS["detect"])


def test_stage_files_are_short():
    lengths = {name: len(Path(VOUCH / f"stages/{name}.py").read_text().splitlines()) for name in STAGES}
    assert max(lengths.values()) <= 90, lengths


@pytest.mark.parametrize(
    ("stage", "absent"),
    [
        ("gate", {"pandas", "matplotlib", "cv2", "onnxruntime"}),  # it reads one table, as columns
        ("gate_system", {"pandas", "matplotlib", "cv2", "onnxruntime"}),
        ("evaluate_counts", {"scipy.stats", "matplotlib", "cv2", "onnxruntime"}),
        ("index", {"pandas", "pyarrow", "scipy", "matplotlib", "PIL", "cv2", "onnxruntime"}),
        ("decide", {"scipy.stats", "matplotlib", "cv2", "onnxruntime"}),
        ("evaluate", {"scipy.stats", "matplotlib", "cv2", "onnxruntime"}),
        ("compare", {"scipy.stats", "matplotlib", "onnxruntime"}),
        ("bundle", {"scipy", "matplotlib"}),
    ],
)
def test_a_stage_loads_nothing_that_it_does_not_use(stage, absent):
    code = f"import sys, vouch.stages.{stage}\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": "src"}, capture_output=True, text=True, check=True)
    assert not absent & set(loaded.stdout.split())
