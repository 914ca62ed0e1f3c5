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

from vouch.errors import ParamsError
from vouch.params import check
from vouch.scenes import layers, roadwork, site, street
from vouch.sources.descriptor import read_descriptor
from vouch.sources.merge import Taxonomy, merged
from vouch.sources.reading import read_source
from vouch.sources.tree import walk
from vouch.stages import render

SMALL = {
    "seed": 8, "first_group": 0, "sources": ["dashcam", "pole", "phone"], "n_drives": 9, "frames_least": 2,
    "frames_most": 3, "width_px": 160, "height_px": 120, "site_rate": 0.6, "duplicate_rate": 0.2, "label_noise": 0.0,
    "blur_rate": 0.1, "reach": 1.0,
}  # fmt: skip
STRATA = {
    "weather": ("clear", "rain", "fog", "snow"),
    "time_of_day": ("day", "dusk", "night"),
    "source": ("dashcam", "pole", "phone"),
}


def params(**changes):
    return check(roadwork.Params, SMALL | changes, "test")


def lines(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def picture(section, shot):
    content = roadwork.photograph(section, shot).content
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), float)


def scene(section, shot):
    return roadwork.composed(section, shot.moment, np.random.default_rng([5, shot.moment.drive, shot.moment.frame]))[1]


def drives(section):
    """Return the shots of each drive, repeats left out."""
    found = {}
    for shot in roadwork.plan(section):
        if not shot.repeat:
            found.setdefault(shot.moment.drive, []).append(shot)
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes") / "roadwork"
    roadwork.render(params(), folder, workers=1)
    return folder


def test_the_same_parameters_give_the_same_bytes_on_any_number_of_workers(root, tmp_path):
    roadwork.render(params(), tmp_path / "roadwork", workers=2)
    assert contents(tmp_path / "roadwork") == contents(root)


def test_each_source_writes_its_own_folder_in_its_own_words(root):
    assert sorted(path.name for path in root.iterdir()) == ["dashcam", "phone", "pole"]
    words = {name: {line["label"] for line in lines(root / name)} for name in SMALL["sources"]}
    assert words == {"dashcam": {"none", "works"}, "pole": {"0", "1"}, "phone": {"frei", "baustelle"}}
    maps = {name: json.loads((root / name / "source.json").read_text())["labels"] for name in SMALL["sources"]}
    assert maps == {
        "dashcam": {"none": "no_roadwork", "works": "roadwork"},
        "pole": {"0": "no_roadwork", "1": "roadwork"},
        "phone": {"frei": "no_roadwork", "baustelle": "roadwork"},
    }


def test_a_word_that_labels_nothing_is_not_mapped(tmp_path):
    roadwork.render(params(n_drives=1, site_rate=0.0, sources=["pole"]), tmp_path, workers=1)
    assert json.loads((tmp_path / "pole/source.json").read_text())["labels"] == {"0": "no_roadwork"}


def test_the_three_sources_merge_into_one_binary_data_set(root):
    found = [read_descriptor(folder) for folder in sorted(root.iterdir())]
    sources = [(one, read_source(walk(root / one.name), one)) for one in found]
    samples = merged(sources, Taxonomy(("no_roadwork", "roadwork"), ("drive",), STRATA), "data").samples
    assert set(samples["label"]) == {"no_roadwork", "roadwork"}
    assert len(samples) == sum(len(lines(root / name)) for name in SMALL["sources"])
    assert samples["group_drive"].nunique() == 9
    assert (samples["stratum_source"] == samples["source"]).all()


def test_the_manifest_fits_its_schema_and_lists_every_picture(root):
    schema = YAML(typ="safe").load(Path("src/vouch/sources/formats/manifest.schema.yaml"))
    for folder in root.iterdir():
        for line in lines(folder):
            jsonschema.validate(line, schema)
            with Image.open(folder / line["image"]) as opened:
                assert opened.size == (line["width"], line["height"]) == (160, 120)
        names = [line["image"] for line in lines(folder)]
        assert names == sorted(names) == sorted(path for path in contents(folder) if path.endswith(".jpg"))


@pytest.mark.parametrize("changes", [{"seed": 9}, {"first_group": 9}])
def test_another_seed_or_first_group_shares_no_drive_and_no_picture(root, tmp_path, changes):
    roadwork.render(params(n_drives=3, **changes), tmp_path, workers=1)
    groups, pictures = [], []
    for folder in (root, tmp_path):
        groups.append({line["groups"]["drive"] for path in folder.iterdir() for line in lines(path)})
        pictures.append({content for path, content in contents(folder).items() if path.endswith(".jpg")})
    assert not groups[0] & groups[1]
    assert not pictures[0] & pictures[1]


def test_the_label_says_whether_enough_of_the_works_is_in_sight():
    section = params(n_drives=14, duplicate_rate=0.0)
    least = 0.005 * 160 * 120
    found = Counter()
    for shot in roadwork.plan(section):
        shown = roadwork.composed(section, shot.moment, roadwork._stream(section, shot.moment, 0))[1].works_px
        label = roadwork.photograph(section, shot).label in ("works", "1", "baustelle")
        assert label == (sum(px for _, px in shown) >= least)
        assert label or not shown  # too little of a site is not drawn at all
        found[label] += 1
    assert min(found[True], found[False]) > 8


def test_seen_pixels_are_those_that_nothing_hides():
    section = params(n_drives=12, site_rate=1.0)
    shots = [drive[-1] for drive in drives(section).values()]
    painted = [scene(section, shot) for shot in shots]
    for one in painted:
        numbers = [number for number, body in enumerate(one.bodies, start=1) if body.kind in site.WORKS]
        owned = np.isin(one.paper.owner, numbers).sum() / 4  # four canvas pixels are one of the picture
        assert sum(px for _, px in one.works_px) <= owned + 1e-6  # haze takes the rest
    assert sum(bool(one.works_px) for one in painted) > 8


def test_no_works_stand_in_a_drive_without_a_site():
    section = params(n_drives=24, site_rate=0.0)
    kinds = {body.kind for drive in drives(section).values() for body in scene(section, drive[0]).bodies}
    assert not kinds & site.WORKS
    assert {"hoarding", "kiosk", "delivery", "lone_cone", "lorry", "van"} <= kinds  # what only looks like works


def test_every_kind_of_works_and_every_lookalike_occurs_beside_works():
    section = params(n_drives=45, site_rate=1.0)
    kinds = {body.kind for drive in drives(section).values() for body in scene(section, drive[-1]).bodies}
    assert kinds >= site.WORKS | {"hoarding", "kiosk", "delivery", "lone_cone", "lorry"}


def test_the_site_comes_nearer_and_the_label_changes_within_some_drives():
    section = params(n_drives=12, site_rate=1.0, frames_least=4, frames_most=4)
    changed = 0
    for shots in drives(section).values():
        along = roadwork.composed(section, shots[0].moment, np.random.default_rng(0))[0]
        assert list(along.site_m) == sorted(along.site_m, reverse=True)
        seen = [bool(scene(section, shot).works_px) for shot in shots]
        changed += seen[-1] and not all(seen)
    assert changed > 2


def test_frames_of_a_drive_share_conditions_street_and_camera():
    for shots in drives(params(n_drives=20)).values():
        moments = {replace(shot.moment, frame=0) for shot in shots}
        assert len(moments) == 1
        alongs = {id(roadwork.composed(params(), shot.moment, np.random.default_rng(0))[0]) for shot in shots}
        assert len(alongs) == 1


def test_a_drive_looks_more_like_itself_than_like_the_others():
    section = params(n_drives=12, sources=["phone"], site_rate=0.0, blur_rate=0.0)
    hues = np.empty((12, 2, 3))
    for number, shots in drives(section).items():
        for frame in range(2):
            mean = picture(section, shots[frame])[:40].mean(axis=(0, 1))  # the sky and what stands against it
            hues[number, frame] = mean
    assert hues.mean(axis=1).std(axis=0).mean() > 2 * hues.std(axis=1).mean()


def test_each_source_sees_every_weather_at_every_time_of_day_with_sites_and_without():
    first = [shots[0].moment for shots in drives(params(n_drives=600)).values()]
    crossed = {(moment.source, moment.weather, moment.time_of_day, moment.with_site) for moment in first}
    assert len(crossed) == 3 * 4 * 3 * 2
    assert abs(sum(moment.with_site for moment in first) - 360) <= 18  # one for half of the 36 conditions


def means(source):
    section = params(n_drives=12, sources=[source], blur_rate=0.0, frames_least=2, frames_most=2)
    days = []
    for shots in drives(section).values():
        moment = replace(shots[0].moment, weather="clear", time_of_day="day")
        days.append(picture(section, roadwork.Shot(moment, 0)))
    stack = np.array(days)
    red, blue = stack[..., 0].mean(), stack[..., 2].mean()
    return {
        "warmth": red / blue,
        "colour": (stack.max(axis=-1) - stack.min(axis=-1)).mean(),
        "corner": stack[:, -12:, :12].mean() / stack[:, -30:, 60:100].mean(),
        "black": np.percentile(stack, 1),
    }


def test_sources_look_different():
    dashcam, pole, phone, shifted = (means(name) for name in ("dashcam", "pole", "phone", "shifted"))
    assert phone["warmth"] > 1.12 * max(dashcam["warmth"], pole["warmth"])
    assert pole["colour"] < 0.7 * min(dashcam["colour"], phone["colour"])
    assert dashcam["corner"] < 0.8 * min(pole["corner"], phone["corner"])
    assert shifted["black"] > 1.3 * max(dashcam["black"], pole["black"], phone["black"])


def test_night_is_darker_than_dusk_and_dusk_than_day():
    section = params(blur_rate=0.0)
    shots = [shots[0] for shots in drives(section).values()][:6]
    values = [
        np.mean([picture(section, replace(shot, moment=replace(shot.moment, time_of_day=time))) for shot in shots])
        for time in ("day", "dusk", "night")
    ]
    assert values[0] > 1.2 * values[1] > 1.44 * values[2]


def test_fog_hides_what_is_far_and_leaves_what_is_near():
    section = params(n_drives=12, sources=["dashcam"], site_rate=0.0, blur_rate=0.0)
    moments = [shots[0].moment for shots in drives(section).values()]
    spread = {}
    for sky in ("clear", "fog"):
        shots = [roadwork.Shot(replace(moment, weather=sky, time_of_day="day"), 0) for moment in moments]
        stack = np.array([picture(section, shot) for shot in shots])
        spread[sky] = stack[:, 35:48].std(), stack[:, 75:100].std()  # the backdrop; the road before the bonnet
    assert spread["fog"][0] < 0.7 * spread["clear"][0]
    assert spread["fog"][1] > 0.5 * spread["clear"][1]


def test_a_repeated_frame_is_near_its_original_but_not_equal():
    section = params(duplicate_rate=0.5)
    repeats = [shot for shot in roadwork.plan(section) if shot.repeat][:4]
    assert len(repeats) == 4
    for shot in repeats:
        original = replace(shot, repeat=0)
        twin, first = roadwork.photograph(section, shot), roadwork.photograph(section, original)
        assert twin.content != first.content
        assert twin.label == first.label
        assert np.abs(picture(section, shot) - picture(section, original)).mean() < 14


def test_label_noise_spoils_as_many_labels_as_it_says_and_mostly_overlooks_works():
    rng = np.random.default_rng(0)
    wrong = {shows: sum(roadwork._wrong(0.1, shows, rng) for _ in range(4000)) for shows in (True, False)}
    assert abs(wrong[True] - 720) < 3 * np.sqrt(4000 * 0.18 * 0.82)
    assert abs(wrong[False] - 80) < 3 * np.sqrt(4000 * 0.02 * 0.98)


def test_ground_under_a_tilted_camera_is_where_the_camera_projects_it():
    shot = drives(params(sources=["phone"]))[0][0]
    along, painted = roadwork.composed(params(sources=["phone"]), shot.moment, np.random.default_rng(0))
    x, z = layers.ground_m(painted.paper, painted.camera)
    for ahead in (6.0, 12.0, 20.0):
        at = painted.camera.at(0.7, 0.0, ahead) @ painted.paper.frame[:, :2].T + painted.paper.frame[:, 2]
        column, row = (round(value) for value in at)
        assert z[row, column] == pytest.approx(ahead, rel=0.1)
        assert x[row, column] == pytest.approx(0.7, abs=0.15)
    assert along.look.tilt_rad != 0


@pytest.mark.parametrize("size", [(320, 240), (200, 112)])
def test_other_sizes_keep_the_label(size):
    small, large = params(n_drives=9), params(n_drives=9, width_px=size[0], height_px=size[1])
    shots = [shots[-1] for shots in drives(small).values()]
    for shot in shots:
        assert picture(large, shot).shape == (size[1], size[0], 3)
    same = [roadwork.photograph(small, shot).label == roadwork.photograph(large, shot).label for shot in shots]
    assert sum(same) >= 8


@pytest.mark.parametrize(
    "changes", [{"frames_least": 4}, {"sources": ["pole", "pole"]}, {"sources": ["cctv"]}, {"more": 1}]
)
def test_parameters_that_say_nothing_sensible_are_refused(changes):
    with pytest.raises(ParamsError):
        params(**changes)


def test_the_stage_writes_every_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Path("params.yaml").open("w") as stream:
        YAML().dump(
            {"datasets": {"roadwork": {"render": SMALL | {"n_drives": 3, "sources": ["phone", "pole"]}}}}, stream
        )
    render.run("roadwork")
    assert sorted(path.name for path in Path("data/sources/roadwork").iterdir()) == ["phone", "pole"]


def test_works_hidden_by_a_lorry_do_not_count():
    section = params(sources=["dashcam"])
    shot = drives(params(sources=["dashcam"], site_rate=1.0))[0][-1]
    along, open_view = roadwork.composed(section, shot.moment, np.random.default_rng(0))
    wall = [replace(open_view.bodies[-1], kind="lorry", label="", x_m=x, z_m=4.0) for x in (-2.4, 0.0, 2.4)]
    empty = street.looks.paper(160, 120, along.look)
    works = street._works(shot.moment, along)
    free, hidden = (street._stacked(empty, open_view.camera, along, works, others) for others in ([], wall))
    assert sum(px for _, px in hidden.works_px) < 0.5 * sum(px for _, px in free.works_px)
