import importlib
import json
import shutil
from pathlib import Path

import pytest

from pipeline.graph import PARAMS_FILE
from vouch import params
from vouch.commands.starter import WIDEN, _widen
from vouch.training import weights

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "models/starter"
MODELS = sorted(path.name.removesuffix(".recipe.yaml") for path in STARTER.glob("*.recipe.yaml"))


def dataset(model):
    return params.read_value("pipeline", "models", model, "dataset", path=PARAMS_FILE)


def steps(model):
    return params.read_params(STARTER / f"{model}.recipe.yaml")["steps"]


def rendered(model):
    """The default parameters of the model's data set, and what each step of the recipe renders."""
    scene, section = importlib.import_module(f"vouch.scenes.{dataset(model)}"), f"datasets.{dataset(model)}.render"
    default = params.load(scene.Params, *section.split("."), path=PARAMS_FILE)
    content, taught = default.model_dump(), []
    for step in steps(model):  # a step keeps what the one before said
        content |= {key.removeprefix(f"{section}."): value for key, value in step.items() if key.startswith(section)}
        taught.append(params.check(scene.Params, content, "recipe"))
    return scene, default, taught


def some(scene, section):
    """A few photographs of the render, and the names of everybody on them."""
    taken = [scene.photograph(section, shot) for shot in scene.plan(section)[::400]]
    return {photograph.content for photograph in taken}, {name for one in taken for name in one.groups.values()}


def test_every_starter_has_a_recipe():
    assert {path.name for path in STARTER.iterdir() if path.is_dir()} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_starting_weights_never_saw_a_default_picture_or_group(model):
    scene, default, taught = rendered(model)
    pictures, groups = some(scene, default)
    for other in taught:
        assert other.seed != default.seed  # every plan, look and picture is drawn from a stream that begins with it
        theirs = some(scene, other)
        assert pictures.isdisjoint(theirs[0])
        assert groups.isdisjoint(theirs[1])


@pytest.mark.parametrize("model", MODELS)
def test_a_recipe_names_the_size_of_every_weights_that_it_makes_whatever_params_yaml_says_today(model):
    size, sizes = None, []
    for step in steps(model):  # a step keeps what the one before said
        size = next((value for key, value in step.items() if key.endswith(".size_px")), size)
        sizes.append(size)
    assert None not in sizes
    assert sizes[-1] == json.loads((STARTER / model / "weights.json").read_text())["size_px"]


@pytest.mark.parametrize("model", ["driver", "shelf", "curbside"])
def test_starting_weights_of_a_detector_are_as_wide_as_its_recipe_makes_them(model):
    architecture = json.loads((STARTER / model / "weights.json").read_text())["architecture"]
    doublings = sum(step.get(WIDEN, False) for step in steps(model))
    assert architecture["scales"]["n"][1] == 0.125 * 2**doublings  # yolo11p.yaml, from which all of them descend


def test_a_step_that_widens_rewrites_the_start_in_half_precision(tmp_path):
    narrow, _ = weights.read(STARTER / "driver")
    shutil.copytree(STARTER / "driver", tmp_path, dirs_exist_ok=True)
    _widen(tmp_path)
    wide, description = weights.read(tmp_path)
    assert description["architecture"]["scales"]["n"][1] == 0.25
    assert wide.keys() == narrow.keys()
    name = "model.1.conv.weight"
    assert wide[name].shape == (32, 16, 3, 3)
    assert wide[name].dtype == narrow[name].dtype
    both = wide[name].float()[::2].unflatten(1, (8, 2)).sum(dim=2)
    assert (both - narrow[name].float()).abs().max() < 1e-3


def test_starting_weights_never_saw_the_look_of_a_default_driver_or_vehicle():
    scene, default, taught = rendered("driver")
    for other in taught:
        for kind in (scene._DRIVER, scene._VEHICLE):
            assert scene._look(default.seed, kind, 0) != scene._look(other.seed, kind, 0)


@pytest.mark.parametrize("model", MODELS)
def test_starting_weights_are_small(model):
    assert (STARTER / model / "weights.safetensors").stat().st_size <= 6_000_000


@pytest.mark.parametrize("model", [model for model in MODELS if model != "sku"])
def test_starting_weights_know_the_classes(model):
    description = json.loads((STARTER / model / "weights.json").read_text())
    expected = params.read_value("datasets", dataset(model), "ingest", "classes", path=PARAMS_FILE)
    assert description["classes"] == expected


@pytest.mark.parametrize("model", ["shelf", "sku"])
def test_starting_weights_never_saw_a_default_product(model):
    _, default, renders = rendered(model)
    for each in renders:
        assert default.assortment not in range(each.assortment, each.assortment + each.assortments)


@pytest.mark.parametrize(("model", "step"), [(model, step) for model in MODELS for step in range(len(steps(model)))])
def test_a_recipe_names_only_what_params_yaml_has(model, step):
    for dotted in steps(model)[step].keys() - {WIDEN}:
        params.read_value(*dotted.split("."), path=PARAMS_FILE)
