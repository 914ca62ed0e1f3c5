"""The other side of a comparison: a bundle of the model's own task, or a refusal that writes nothing."""

import pytest

from deployment.bundles import build
from vouch import io, paths
from vouch.errors import BundleError
from vouch.stages.predict_baseline import run


@pytest.mark.parametrize(("task", "other"), [("detect", "classify"), ("classify", "detect")])
def test_a_bundle_of_another_task_is_refused_before_anything_is_read(task, other, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    io.write_json(paths.Path("params.yaml"), {"pipeline": {"models": {"m": {"task": task}}}})  # JSON is YAML
    build(tmp_path / "baseline", other)
    with pytest.raises(BundleError, match=f"baseline: expected a bundle to {task}, got one to {other}"):
        run("m", "d", "baseline")
    assert not (tmp_path / "data").exists()
