import json
from pathlib import Path

import pytest

from vouch import params
from vouch.scenes import driver

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "models/starter"
SECTION = "datasets.driver.render"


def default():
    return params.load(driver.Params, *SECTION.split("."), path=ROOT / "params.yaml")


def steps():
    return params.read_params(STARTER / "driver.recipe.yaml")["steps"]


def taught():
    """What each step of the recipe renders: a step keeps what the one before said."""
    content = default().model_dump()
    for step in steps():
        content |= {key.removeprefix(f"{SECTION}."): value for key, value in step.items() if key.startswith(SECTION)}
        yield params.check(driver.Params, content, "recipe")


def some(section):
    """A few photographs of the render, and the names of everybody on them."""
    taken = [driver.photograph(section, shot) for shot in driver.plan(section)[::400]]
    return {photograph.content for photograph in taken}, {name for one in taken for name in one.groups.values()}


def test_starting_weights_never_saw_a_default_picture_group_or_look():
    ours = default()
    pictures, groups = some(ours)
    for other in taught():
        # every look, plan and picture is drawn from a stream whose first word is the seed, and names carry it
        assert other.seed != ours.seed
        theirs = some(other)
        assert pictures.isdisjoint(theirs[0])
        assert groups.isdisjoint(theirs[1])
        for kind in (driver._DRIVER, driver._VEHICLE):
            assert driver._look(ours.seed, kind, 0) != driver._look(other.seed, kind, 0)


def test_starting_weights_are_small_and_know_the_classes():
    description = json.loads((STARTER / "driver/weights.json").read_text())
    assert (STARTER / "driver/weights.safetensors").stat().st_size <= 5_000_000
    classes = params.read_value("datasets", "driver", "ingest", "classes", path=ROOT / "params.yaml")
    assert description["classes"] == classes


@pytest.mark.parametrize("step", range(2))
def test_a_recipe_names_only_what_params_yaml_has(step):
    content = params.read_params(ROOT / "params.yaml")
    for dotted in steps()[step]:
        section = content
        for key in dotted.split("."):
            section = section[key]
