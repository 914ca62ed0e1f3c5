import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from vouch.curation.taxonomy.label_map import lacking, map_labels
from vouch.curation.taxonomy.pack import read_pack
from vouch.curation.taxonomy.taxonomy import build
from vouch.errors import ParamsError
from vouch.params import check
from vouch.scenes import curbside, labelling, refuse, setout

SMALL = {
    "seed": 7, "first_group": 0, "n_streets": 3, "sessions_least": 1, "sessions_most": 2, "photographs_per_session": 1,
    "width_px": 640, "height_px": 480, "clutter": 0.8, "empty_rate": 0.0, "duplicate_rate": 0.2, "label_noise": 0.0,
    "blur_rate": 0.0, "occlusion_rate": 0.0,
}  # fmt: skip
PACK = Path("examples/curbside/pack.json")


def params(**changes):
    return check(curbside.Params, SMALL | changes, "test")


def lines(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def picture(section, shot):
    content = curbside.photograph(section, shot).content
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), float)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes") / "render"
    curbside.render(params(), folder.parent, workers=1)
    return folder


@pytest.fixture(scope="module")
def truths():
    """Return 36 photographs of 36 streets, each with its shot."""
    section = params(n_streets=36, sessions_most=1, duplicate_rate=0.0)
    return [(shot, curbside.photograph(section, shot)) for shot in curbside.plan(section)]


def test_the_same_parameters_give_the_same_bytes_on_any_number_of_workers(source, tmp_path):
    curbside.render(params(), tmp_path, workers=2)
    assert contents(tmp_path / "render") == contents(source)


@pytest.mark.parametrize("changes", [{"seed": 8}, {"first_group": 3}])
def test_another_seed_or_first_group_shares_no_group_no_look_and_no_picture(source, tmp_path, changes):
    other = params(n_streets=2, **changes)
    curbside.render(other, tmp_path, workers=1)
    for key in ("street", "session"):
        mine, theirs = ({line["groups"][key] for line in lines(folder)} for folder in (source, tmp_path / "render"))
        assert not mine & theirs
    pictures = [set(contents(folder / "images").values()) for folder in (source, tmp_path / "render")]
    assert not pictures[0] & pictures[1]
    looks = [{curbside.look(section, shot).stone for shot in curbside.plan(section)} for section in (params(), other)]
    assert not looks[0] & looks[1]


def test_the_manifest_fits_its_schema_and_lists_every_picture(source):
    schema = YAML(typ="safe").load(Path("src/vouch/sources/formats/manifest.schema.yaml"))
    for line in lines(source):
        jsonschema.validate(line, schema)
        with Image.open(source / line["image"]) as opened:
            assert opened.size == (line["width"], line["height"]) == (640, 480)
    listed = [line["image"] for line in lines(source)]
    assert listed == sorted(listed) == sorted(path for path in contents(source) if path.endswith(".jpg"))


def test_the_classes_are_the_items_of_the_pack_with_their_streams():
    items = json.loads(PACK.read_text())["items"]
    headings = {item["parent"] for item in items if "parent" in item}
    expected = {item["name"].replace(" ", "_"): item["stream"] for item in items if item["name"] not in headings}
    assert {name: refuse.CLASSES[name] for name in expected} == {
        name: stream or "residual" for name, stream in expected.items()
    }
    assert set(refuse.CLASSES) == set(expected)


def test_no_item_of_the_pack_is_left_without_a_class_and_no_negative_is_one():
    taxonomy = build(read_pack(PACK.read_text(), "pack.json"), None, "pack.json")
    found = map_labels(taxonomy, tuple(refuse.CLASSES), {}, "params.yaml")
    assert lacking(taxonomy, found) == []
    assert not set(refuse.NEGATIVES) & set(refuse.CLASSES)


def test_boxes_lie_in_the_picture_and_are_of_every_class_and_large_enough_to_learn(truths):
    found, long = Counter(), []
    for _, photograph in truths:
        for box in photograph.boxes:
            assert 0 <= box["x1"] < box["x2"] <= photograph.width_px
            assert 0 <= box["y1"] < box["y2"] <= photograph.height_px
            sides = sorted([box["x2"] - box["x1"], box["y2"] - box["y1"]])
            assert sides[0] >= 11
            assert sides[1] >= 18
            found[box["class"]] += 1
            long.append(sides[1])
    assert set(found) == set(refuse.CLASSES)
    assert np.quantile(long, [0.1, 0.9]) == pytest.approx([45, 190], rel=0.35)


def test_most_things_are_of_the_stream_that_is_collected(truths):
    own = [refuse.CLASSES[box["class"]] == shot.stream for shot, photograph in truths for box in photograph.boxes]
    assert 0.5 < np.mean(own) < 0.85  # .6 and a sixth of the other .4, give or take four errors of 180 things


def test_without_waste_there_is_no_box_whatever_else_lies_there():
    section = params(clutter=1.0)
    for shot in curbside.plan(section)[:2]:
        shown = replace(shot, empty=True, repeat=0)
        assert curbside.photograph(section, shown).boxes == []
        assert np.abs(picture(section, shown) - picture(params(clutter=0.0), shown)).mean() > 1


@pytest.mark.parametrize("kind", refuse.EVERY)
def test_everything_that_can_lie_there_is_seen(kind):
    """Paint each kind alone on grey: a labelled one owns its pixels, the others own none."""
    section = params()
    shot = curbside.plan(section)[0]
    look = curbside.look(section, shot)
    rng = np.random.default_rng(3)
    paper = curbside.draw.canvas(640, 480, 480.0)
    view = curbside.kerb.camera(look, rng, 640, 480)
    paper.pixels[:] = 128
    label = kind if kind in refuse.CLASSES else ""
    thing = setout._thing(rng, (kind, label), 0.0, 2.6, 0)
    shown = setout.Setout(None, (0, 0, 0), "paper", (), None, (thing,), None)
    painted = setout.painted(paper, look, view, shown, frozenset())
    assert (np.abs(painted.pixels.astype(int) - 128).max(axis=2) > 25).sum() > 1500
    assert [one.label for one in painted.things] == ([label] if label else [])
    assert bool(painted.owner.any()) == bool(label)


def test_what_is_held_lies_in_its_container():
    rng, section = np.random.default_rng(5), params()
    look = curbside.look(section, curbside.plan(section)[0])
    view = curbside.kerb.camera(look, rng, 640, 480)
    for kind in ("bag", "bin", "box"):
        shown = setout.setout(rng, look, view, ("glass", kind), 0.0, empty=False)
        wide, deep, _ = curbside.receptacles.SIZES_M[kind]
        for one in shown.held:
            assert abs(one.x_m - shown.container.x_m) < wide / 2
            assert abs(one.z_m - shown.container.z_m) < deep / 2
            assert one.lift_m > 0.05


def test_rates_say_how_many_photographs_are_empty_or_repeated():
    shots = curbside.plan(params(n_streets=800, sessions_most=1, empty_rate=0.1))
    first = [shot for shot in shots if not shot.repeat]
    assert len(first) == 800
    assert abs(sum(shot.empty for shot in first) - 80) < 4 * np.sqrt(800 * 0.09)
    assert abs(len(shots) - 960) < 4 * np.sqrt(800 * 0.16)


def test_conditions_are_balanced_and_a_street_keeps_its_light():
    shots = [shot for shot in curbside.plan(params(n_streets=90, sessions_least=2)) if not shot.repeat]
    for name, values in (("lighting", 3), ("weather", 3), ("stream", 6), ("container", 4)):
        counts = Counter(getattr(shot, name) for shot in shots)
        assert len(counts) == values
        assert min(counts.values()) >= len(shots) / values - 1
    assert len({(shot.street, shot.lighting) for shot in shots}) == 90
    assert len({(shot.street, shot.session, shot.stream, shot.weather) for shot in shots}) == 180


def test_a_street_keeps_its_look_over_its_visits_and_looks_unlike_others():
    section = params(n_streets=4, sessions_least=2)
    looks = {}
    for shot in curbside.plan(section):
        looks.setdefault(shot.street, set()).add(curbside.look(section, shot))
    assert [len(found) for found in looks.values()] == [1] * 4
    assert len(set.union(*looks.values())) == 4


def test_lamps_leave_less_light_than_the_day_and_haze_less_contrast():
    section = params()
    shots = [replace(shot, repeat=0) for shot in curbside.plan(section)][:3]
    seen = {
        (light, sky): [picture(section, replace(shot, lighting=light, weather=sky)) for shot in shots]
        for light, sky in (("daylight", "haze"), ("lamp", "haze"), ("lamp", "dry"))
    }
    assert np.mean(seen["daylight", "haze"]) > 1.15 * np.mean(seen["lamp", "haze"])
    assert np.std(seen["lamp", "haze"]) < np.std(seen["lamp", "dry"])


def test_a_repeated_photograph_is_near_its_original_but_not_equal():
    section = params(duplicate_rate=0.9)
    shot = next(shot for shot in curbside.plan(section) if shot.repeat)
    twin, first = curbside.photograph(section, shot), curbside.photograph(section, replace(shot, repeat=0))
    assert twin.content != first.content
    assert twin.groups == first.groups
    assert [box["class"] for box in twin.boxes] == [box["class"] for box in first.boxes]
    assert np.abs(picture(section, shot) - picture(section, replace(shot, repeat=0))).mean() < 14


def test_label_noise_drops_moves_and_confuses_as_often_as_it_says():
    box = {"class": "food_can", "x1": 100.0, "y1": 100.0, "x2": 140.0, "y2": 180.0}
    kept = labelling.careless([box] * 3000, 0.3, (640, 480), np.random.default_rng(0), curbside._mistaken)
    moved = sum(one["x1"] != 100.0 for one in kept)
    confused = [one["class"] for one in kept if one["class"] != "food_can"]
    for count in (3000 - len(kept), moved / len(kept) * 3000, len(confused) / len(kept) * 3000):
        assert abs(count - 300) < 4 * np.sqrt(3000 * 0.09)
    assert set(confused) == {"drink_can"}
    assert curbside.TWINS.keys() == refuse.CLASSES.keys()


def test_what_stands_in_the_way_hides():
    areas = []
    for rate in (0.0, 1.0):
        section = params(occlusion_rate=rate)
        found = [curbside.photograph(section, replace(shot, repeat=0)) for shot in curbside.plan(section)[:3]]
        areas.append(sum((box["x2"] - box["x1"]) * (box["y2"] - box["y1"]) for one in found for box in one.boxes))
    assert areas[1] < areas[0]


def test_another_size_keeps_the_scene_in_proportion():
    shot = curbside.plan(params())[0]
    first, second = (
        curbside.photograph(section, shot).boxes for section in (params(), params(width_px=320, height_px=240))
    )
    assert first
    assert abs(len(first) - len(second)) <= 1
    assert second[0]["x2"] * 2 == pytest.approx(first[0]["x2"], abs=4)


@pytest.mark.parametrize("changes", [{"sessions_least": 3}, {"clutter": 1.2}, {"n_streets": 0}, {"more": 1}])
def test_impossible_parameters_are_refused(changes):
    with pytest.raises(ParamsError):
        params(**changes)
