"""Draw a data set's photographs where no real ones were imported.

Reads       params.yaml: datasets.D.render
Writes      data/sources/D/S/ for each source S that the scene draws: source.json, manifest.jsonl, images/
Fails when  no scene is written for the data set, or its parameters are not what the scene takes
"""

import importlib
import importlib.util
import os
from typing import Any

from vouch import params, paths
from vouch.errors import ParamsError, Problem, refuse_any
from vouch.stages import main


def run(name: str) -> None:
    """Render data set `name`."""
    scene = _scene(name)
    section = params.load(scene.Params, "datasets", name, "render")
    scene.render(section, paths.source(name), workers=os.cpu_count() or 1)


def _scene(name: str) -> Any:
    """Return the module that draws a data set: it has `Params` and `render(section, folder, workers)`."""
    module = f"vouch.scenes.{name}"
    found = name.isidentifier() and importlib.util.find_spec(module) is not None
    scene = importlib.import_module(module) if found else None
    remedy = "write the scene, or import photographs and take the data set off pipeline.rendered"
    problem = Problem(f"params.yaml: datasets.{name}.render", f"a scene {module}", "none", remedy)
    refuse_any(ParamsError, [] if hasattr(scene, "render") else [problem])
    return scene


if __name__ == "__main__":
    main(run)
