import json

import pytest
import typer
from typer.testing import CliRunner

from vouch.commands.release import promote
from vouch.errors import ParamsError

APP = typer.Typer()
APP.command()(promote)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A variant that passed its gate and is compared with its source's bundle."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics/m_int8").mkdir(parents=True)
    (tmp_path / "metrics/m_int8/gate.json").write_text(json.dumps({"passed": True, "rules": {}}))
    entry = {"dataset": "d", "trained": "m", "baseline": "models/m/bundle"}
    (tmp_path / "params.yaml").write_text(json.dumps({"pipeline": {"models": {"m_int8": entry}}}))
    return tmp_path


def test_a_promotion_that_nothing_would_read_is_refused_with_the_way_to_have_it(workspace):
    before = (workspace / "params.yaml").read_text()
    refused = CliRunner().invoke(APP, ["m_int8"]).exception
    assert isinstance(refused, ParamsError)
    said = str(refused)
    for words in ("got models/m/bundle", "vouch gate m_int8 --enforce", "baseline: registry/m_int8/bundle"):
        assert words in said
    assert (workspace / "params.yaml").read_text() == before
    assert not (workspace / "registry").exists()
