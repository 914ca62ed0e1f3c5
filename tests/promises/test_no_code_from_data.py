"""No code from data: what comes from a source, a bundle or a request is parsed, never executed."""

import ast
import pickle
from pathlib import Path

import pytest

from vouch.errors import BundleError
from vouch.release.bundle import MANIFEST
from vouch.release.opening import open_bundle
from vouch.training import weights

SOURCE = Path(__file__).parents[2] / "src/vouch"
EXECUTING = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
OWN_CHECKPOINT = "training/detection/ultralytics_yolo.py"  # the one that it has just written, or a .pt that DVC tracks


class Trap:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_module_can_execute_what_it_reads(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert not imported & EXECUTING
    for function, words in calls(tree):
        assert function not in {"eval", "exec", "compile", "read_pickle", "pd.read_pickle"}
        if function == "torch.load":
            assert words.get("weights_only") == "True"
        if function == "np.load":
            assert words.get("allow_pickle", "False") == "False"
        if function == "load_checkpoint":
            assert path.relative_to(SOURCE).as_posix() == OWN_CHECKPOINT


def test_a_pickle_in_a_bundle_is_refused_and_not_run(tmp_path):
    trap = tmp_path / "sprung"
    for name in (MANIFEST, "policy.json", "model.onnx"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(BundleError):
        open_bundle(tmp_path)
    assert not trap.exists()


def test_a_pickle_in_the_place_of_weights_is_refused_and_not_run(tmp_path):
    trap = tmp_path / "sprung"
    (tmp_path / weights.WEIGHTS).write_bytes(pickle.dumps(Trap(trap)))
    (tmp_path / weights.DESCRIPTION).write_text("{}")
    with pytest.raises(BundleError):
        weights.read(tmp_path)
    assert not trap.exists()


def test_the_trap_would_spring(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists()
