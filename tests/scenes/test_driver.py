import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from vouch.errors import ParamsError
from vouch.params import check
from vouch.scenes import driver
from vouch.sources.descriptor import Descriptor
from vouch.stages import render

SMALL = {
    "seed": 7, "first_group": 0, "n_vehicles": 3, "n_drivers": 4, "trips_per_driver": 1,
    "frames_per_trip": {"cabin": 2, "front": 1, "rear": 1}, "width_px": 320, "height_px": 240, "duplicate_rate": 0.4,
    "crossed_duplicates": 2, "empty_rate": 0.1, "label_noise": 0.0, "blur_rate": 0.1, "reach": 1.0,
}  # fmt: skip


def params(**changes):
    return check(driver.Params, SMALL | changes, "test")


def lines(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def picture(section, shot):
    content = driver.photograph(section, shot).content
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), float)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes") / "render"
    driver.render(params(), folder.parent, workers=1)
    return folder


def test_the_same_parameters_give_the_same_bytes_on_any_number_of_workers(source, tmp_path):
    driver.render(params(), tmp_path, workers=2)
    assert contents(tmp_path / "render") == contents(source)


@pytest.mark.parametrize("changes", [{"seed": 8}, {"first_group": 4}])
def test_another_seed_or_first_group_shares_no_group_and_no_picture(source, tmp_path, changes):
    driver.render(params(n_drivers=2, n_vehicles=2, **changes), tmp_path, workers=1)
    for key in ("driver", "vehicle"):
        assert not {line["groups"][key] for line in lines(source)} & {
            line["groups"][key] for line in lines(tmp_path / "render")
        }
    pictures = [
        {content for path, content in contents(folder).items() if path.endswith(".jpg")}
        for folder in (source, tmp_path / "render")
    ]
    assert not pictures[0] & pictures[1]


def test_another_seed_gives_every_driver_and_vehicle_another_look():
    looks = [driver._look(seed, kind, index) for seed in (1, 2, 3) for kind in (0, 1) for index in range(20)]
    assert len(set(looks)) == len(looks)


def test_the_manifest_fits_its_schema_and_lists_every_picture(source):
    schema = YAML(typ="safe").load(Path("src/vouch/sources/formats/manifest.schema.yaml"))
    for line in lines(source):
        jsonschema.validate(line, schema)
        with Image.open(source / line["image"]) as opened:
            assert opened.size == (line["width"], line["height"])
    names = [line["image"] for line in lines(source)]
    assert names == sorted(names) == sorted(path for path in contents(source) if path.endswith(".jpg"))


def test_the_source_says_how_it_is_read(source):
    check(Descriptor, json.loads((source / "source.json").read_text()), "source.json")


def test_boxes_lie_in_the_picture_and_are_large_enough_to_learn(source):
    for line in lines(source):
        for box in line["boxes"]:
            assert 0 <= box["x1"] < box["x2"] <= 320
            assert 0 <= box["y1"] < box["y2"] <= 240
            assert max(box["x2"] - box["x1"], box["y2"] - box["y1"]) >= 8


def test_every_trip_is_seen_by_all_streams_and_every_condition_occurs():
    shots = driver.plan(params(n_drivers=18, n_vehicles=16, crossed_duplicates=0))
    by_driver = {number: {shot.stream for shot in shots if shot.driver == number} for number in range(18)}
    assert set(map(frozenset, by_driver.values())) == {frozenset(driver.STREAMS)}
    crossed = {(shot.stream, shot.scenario, shot.road_type) for shot in shots}
    assert len(crossed) == 27


def test_some_drivers_share_a_vehicle_and_none_has_two():
    shots = driver.plan(params(n_drivers=23, n_vehicles=20, crossed_duplicates=0))
    pairs = {(shot.driver, shot.vehicle) for shot in shots}
    assert len(pairs) == 23
    counts = np.bincount([vehicle for _, vehicle in pairs])
    assert sorted(counts) == [1] * 17 + [2] * 3


def test_every_class_is_drawn_in_its_stream():
    section = params(n_drivers=10, n_vehicles=10, empty_rate=0.0)
    found = {
        (shot.stream, box["class"]) for shot in driver.plan(section) for box in driver.photograph(section, shot).boxes
    }
    cabin = {("cabin", name) for name in ("phone", "seatbelt", "cigarette", "drowsy_face")}
    assert found == cabin | {
        (stream, name) for stream in ("front", "rear") for name in ("vehicle", "pedestrian", "cone")
    }


def test_an_empty_frame_has_no_box_and_the_rate_says_how_many_are_empty():
    section = params(n_drivers=40, n_vehicles=40)
    shots = [shot for shot in driver.plan(section) if not shot.repeat]
    share = np.mean([shot.empty for shot in shots])
    assert abs(share - 0.1) < 3 * np.sqrt(0.09 / len(shots))
    empty = [shot for shot in shots if shot.empty]
    assert {shot.stream for shot in empty} == set(driver.STREAMS)
    assert not any(driver.photograph(section, shot).boxes for shot in empty[:4])


@pytest.mark.parametrize("stream", driver.STREAMS)
def test_night_is_darker_than_dusk_and_dusk_than_day(stream):
    section = params(blur_rate=0.0)
    shots = [shot for shot in driver.plan(section) if shot.stream == stream][:3]
    means = [np.mean([picture(section, replace(shot, scenario=name)) for shot in shots]) for name in driver.SCENARIOS]
    assert means[0] > 1.2 * means[1] > 1.44 * means[2]


@pytest.mark.parametrize(
    ("stream", "rows", "columns"), [("front", (222, 232), (100, 220)), ("cabin", (60, 100), (20, 300))]
)
def test_a_vehicle_looks_more_like_itself_than_like_the_others(stream, rows, columns):
    section = params(n_drivers=6, n_vehicles=6, blur_rate=0.0)
    blank = next(shot for shot in driver.plan(section) if shot.stream == stream)
    colours = np.empty((6, 3, 3))
    for vehicle in range(6):
        for moment in range(3):  # other moments and other drivers in the same vehicle
            shot = replace(
                blank,
                number=100 + 10 * vehicle + moment,
                vehicle=vehicle,
                driver=(vehicle + moment) % 6,
                scenario="day",
                empty=True,
            )
            mean = picture(section, shot)[slice(*rows), slice(*columns)].mean(axis=(0, 1))
            colours[vehicle, moment] = mean / mean.sum()  # exposure differs per frame, hue does not
    within = colours.std(axis=1).mean()
    between = colours.mean(axis=1).std(axis=0).mean()
    assert between > 1.5 * within


def test_a_repeated_frame_is_near_its_original_but_not_equal():
    section = params()
    shots = driver.plan(section)
    repeats = [shot for shot in shots if shot.repeat][:3]
    assert len(repeats) == 3
    for shot in repeats:
        twin, original = driver.photograph(section, shot), driver.photograph(section, replace(shot, repeat=0))
        assert twin.content != original.content
        difference = picture(section, shot) - picture(section, replace(shot, repeat=0))
        assert np.abs(difference).mean() < 12
        assert [box["class"] for box in twin.boxes] == [box["class"] for box in original.boxes]
        for near, box in zip(twin.boxes, original.boxes, strict=True):
            assert all(abs(near[key] - box[key]) <= 1 for key in ("x1", "y1", "x2", "y2"))


def test_crossed_duplicates_join_two_groups_each_and_no_more():
    section = params(n_drivers=30, n_vehicles=30, crossed_duplicates=4)
    crossed = [shot for shot in driver.plan(section) if shot.groups != (shot.driver, shot.vehicle)]
    assert len(crossed) == 4
    assert all(shot.groups[1] != shot.vehicle for shot in crossed)
    touched = [name for shot in crossed for name in (shot.driver, shot.groups[0])]
    assert len(set(touched)) == 8


@pytest.mark.parametrize("size", [(480, 360), (320, 180)])
def test_other_sizes_keep_the_scene_in_proportion(size):
    section = params(width_px=size[0], height_px=size[1], blur_rate=0.0)
    shot = next(shot for shot in driver.plan(section) if shot.stream == "cabin" and not shot.empty)
    taken = driver.photograph(section, shot)
    assert picture(section, shot).shape == (size[1], size[0], 3)
    assert all(box["x2"] <= size[0] and box["y2"] <= size[1] for box in taken.boxes)


def test_the_stage_writes_the_whole_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = SMALL | {"n_drivers": 1, "n_vehicles": 1, "crossed_duplicates": 0}
    with Path("params.yaml").open("w") as stream:
        YAML().dump({"datasets": {"driver": {"render": tiny}}}, stream)
    render.run("driver")
    assert (
        len(lines(Path("data/sources/driver/render")))
        == len(list(Path("data/sources/driver/render/images").iterdir()))
        >= 4
    )


@pytest.mark.parametrize("name", ["nothing", "album", "../driver"])
def test_the_stage_refuses_a_data_set_without_a_scene(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParamsError, match="a scene"):
        render.run(name)
