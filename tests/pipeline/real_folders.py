"""Folders of real photographs, which lie beside the checkout and are not for everybody: a few become a workspace."""

import pytest

from pipeline import workspace
from pipeline.graph import ROOT

REAL = ROOT.parent / "shared/realdata"


def needed(photographs):
    """Return the marks of a module of minutes that is passed over where these photographs are not."""
    absent = pytest.mark.skipif(not photographs.is_dir(), reason=f"needs the photographs in {photographs}")
    return [pytest.mark.slow, absent]


def proposed(folder, cache, name, source, *words):
    """Return a workspace with the data set and model that `vouch new` makes of a folder, beside `driver`."""
    workspace.make(folder, cache)
    said = workspace.vouch(folder, "new", name, str(source), *words)
    assert said.returncode == 0, said.stdout
    return folder


def built(factory, name, few, *words, training, **shortened):
    """Return a workspace with the photographs that `few` copies into a folder, and their model's line of the graph run.

    Its training, of the stage `training`, is cut to one epoch, and to what is shortened of its section.
    """
    source = factory.mktemp("photographs")
    few(source)
    folder = proposed(factory.mktemp("real"), factory.mktemp("real_cache"), name, source, *words)
    own = {f"models.{name}.{training}.{key}": value for key, value in shortened.items()}
    workspace.change(folder, workspace.short(name, training) | own)
    workspace.done(folder, "dvc", "repro", f"report@{name}", f"bundle@{name}")
    return folder
