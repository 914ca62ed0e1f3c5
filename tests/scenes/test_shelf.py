import io
import json
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from vouch.errors import ParamsError
from vouch.params import check
from vouch.scenes import assortment, draw, forms, gondola, labelling, packages, shelf
from vouch.stages import render

SMALL = {
    "seed": 7, "first_group": 0, "assortment": 1, "assortments": 1, "n_stores": 5, "calib_stores": 0.2,
    "test_stores": 0.3,
    "sessions_least": 1, "sessions_most": 2, "photographs_per_session": 1, "width_px": 640, "height_px": 480,
    "wide_rate": 0.0, "empty_rate": 0.1, "duplicate_rate": 0.2, "label_noise": 0.0, "blur_rate": 0.1,
    "occlusion_rate": 0.2,
}  # fmt: skip
CLASSES = {"bottle", "can", "glass", "unknown_container"}


def params(**changes):
    return check(shelf.Params, SMALL | changes, "test")


def lines(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def picture(section, shot):
    content = shelf.photograph(section, shot).content
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), float)


def originals(section):
    return [shot for shot in shelf.plan(section) if not shot.repeat]


def names(designs):
    return {design.name for design in designs}


def seen(design, yaw_step=0):
    """Return a package on grey, half as wide and high: about as large as in a photograph."""
    drawn = packages.package(design, yaw_step).pixels.astype(float)
    whole = drawn[..., :3] + 90.0 * (1 - drawn[..., 3:] / 255.0)
    high, wide = (side // 2 * 2 for side in whole.shape[:2])
    return whole[:high, :wide].reshape(high // 2, 2, wide // 2, 2, 3).mean(axis=(1, 3))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes") / "render"
    shelf.render(params(), folder.parent, workers=1)
    return folder


@pytest.fixture(scope="module")
def truths():
    """Return the photographs of one shot in each of 18 stores, with the shot of each."""
    section = params(n_stores=9, sessions_most=1, duplicate_rate=0.0, empty_rate=0.0)
    return [(shot, shelf.photograph(section, shot)) for shot in shelf.plan(section)]


def test_the_same_parameters_give_the_same_bytes_on_any_number_of_workers(source, tmp_path):
    shelf.render(params(), tmp_path, workers=2)
    assert contents(tmp_path / "render") == contents(source)


@pytest.mark.parametrize("changes", [{"seed": 8}, {"first_group": 9}])
def test_another_seed_or_first_group_shares_no_group_and_no_picture(source, tmp_path, changes):
    shelf.render(params(n_stores=2, **changes), tmp_path, workers=1)
    for key in ("store", "session"):
        assert not {line["groups"][key] for line in lines(source)} & {
            line["groups"][key] for line in lines(tmp_path / "render")
        }
    pictures = [set(contents(folder / "images").values()) for folder in (source, tmp_path / "render")]
    assert not pictures[0] & pictures[1]


def test_the_manifest_fits_its_schema_and_lists_every_picture(source):
    schema = YAML(typ="safe").load(Path("src/vouch/sources/formats/manifest.schema.yaml"))
    for line in lines(source):
        jsonschema.validate(line, schema)
        with Image.open(source / line["image"]) as opened:
            assert opened.size == (line["width"], line["height"]) == (640, 480)
    listed = [line["image"] for line in lines(source)]
    assert listed == sorted(listed) == sorted(path for path in contents(source) if path.endswith(".jpg"))


def test_boxes_lie_in_the_picture_and_are_large_enough_to_learn(truths):
    found = Counter()
    for _, photograph in truths:
        for box in photograph.boxes:
            assert 0 <= box["x1"] < box["x2"] <= photograph.width_px
            assert 0 <= box["y1"] < box["y2"] <= photograph.height_px
            assert min(box["x2"] - box["x1"], box["y2"] - box["y1"]) >= 9
            found[box["class"]] += 1
    assert set(found) == CLASSES
    assert min(found.values()) > 5


def test_rows_count_from_the_top_and_positions_from_the_left(truths):
    for _, photograph in truths:
        rows = {}
        for box in photograph.boxes:
            rows.setdefault(box["row"], []).append(box)
        bottoms = [np.mean([box["y2"] for box in rows[row]]) for row in sorted(rows)]
        assert bottoms == sorted(bottoms)
        assert min(rows) >= 1
        for boxes in rows.values():
            assert [box["position"] for box in boxes] == list(range(1, len(boxes) + 1))
            middles = [box["x1"] + box["x2"] for box in boxes]
            assert all(right > left - 24 for left, right in pairwise(middles))  # half hidden ones


def test_products_are_known_ones_unless_the_store_states_a_split(truths):
    products = assortment.assortment(1)
    found = {None: set(), "val_calib": set(), "val_test": set()}
    for shot, photograph in truths:
        assert photograph.stated == shot.stated
        found[shot.stated] |= {box.get("product") for box in photograph.boxes}
    known = names(products.known)
    assert found[None] - {None} <= known
    for split in ("val_calib", "val_test"):
        assert found[split] - {None} - known <= names(products.unknown[split])
        assert len(found[split] - {None} - known) >= 4


def test_only_containers_of_the_unknown_class_lack_a_product_and_no_known_product_is_of_it(truths):
    known = names(assortment.assortment(1).known)
    loose = Counter()
    for shot, photograph in truths:
        for box in photograph.boxes:
            if "product" not in box:
                assert box["class"] == "unknown_container"
                loose[shot.stated] += 1
            elif box["class"] == "unknown_container":
                assert box["product"] not in known
    assert loose[None] > 5  # the class can be learnt without any unknown product


def test_an_assortment_has_24_known_products_and_six_unknown_ones_for_each_of_two_splits():
    products = assortment.assortment(1)
    every = [*products.known, *products.unknown["val_calib"], *products.unknown["val_test"]]
    assert len(products.known) == 24
    assert [len(products.unknown[split]) for split in ("val_calib", "val_test")] == [6, 6]
    assert len(names(every)) == 36
    assert Counter(design.container for design in products.known) == {"bottle": 9, "can": 9, "glass": 6}
    for split in ("val_calib", "val_test"):
        assert {design.container for design in products.unknown[split]} == CLASSES


def test_twins_differ_in_one_thing_that_can_be_seen_at_the_size_of_a_photograph():
    products = assortment.assortment(1)
    for one in products.known:
        twins = [other for other in products.known if other.family == one.family and other != one]
        assert len(twins) == 2
        for twin in twins:
            changed = {one.differs: getattr(twin, one.differs), "name": twin.name}
            assert replace(one, **changed) == twin
            moved = np.abs(seen(one) - seen(twin)).max(axis=2)
            assert (moved > 40).sum() > 60  # of some 5,000 pixels, by more than noise and light
            form = forms.FORMS[one.form]
            below = int((form.height_mm + packages.MARGIN_MM - form.label[0]) * packages.PX_PER_MM / 2) + 2
            assert moved[below:].max(initial=0.0) == 0.0  # nothing outside the label


def test_unknown_products_differ_from_each_known_one_as_twins_do():
    products = assortment.assortment(1)
    for one in (design for designs in products.unknown.values() for design in designs):
        for known in products.known:
            same_size = seen(one).shape == seen(known).shape
            assert not same_size or (np.abs(seen(one) - seen(known)).max(axis=2) > 40).sum() > 60


@pytest.mark.parametrize("other", [2, 1001, 1002])
def test_another_assortment_shares_no_product_and_no_label(other):
    found = []
    for seed in (1, other):
        products = assortment.assortment(seed)
        every = [*products.known, *products.unknown["val_calib"], *products.unknown["val_test"]]
        found.append(
            (names(every), {design.brand for design in every}, {packages.label(one).tobytes() for one in every})
        )
    for mine, theirs in zip(*found, strict=True):
        assert not mine & theirs


def test_a_turned_package_shows_another_side_of_its_label_and_a_flat_one_does_not_turn():
    products = assortment.assortment(1)
    can = next(design for design in products.known if design.form == "can")
    carton = next(design for design in products.unknown["val_calib"] if design.form == "carton")
    assert np.abs(seen(can, 4) - seen(can)).mean() > 5
    assert np.array_equal(seen(carton, 4), seen(carton))


def test_an_empty_photograph_has_no_box_and_a_wide_one_about_150():
    section = params(n_stores=6)
    shots = originals(section)[:3]
    assert all(shelf.photograph(section, replace(shot, empty=True)).boxes == [] for shot in shots)
    wide = shelf.photograph(section, replace(shots[0], wide=True, empty=False))
    assert (wide.width_px, wide.height_px) == (1280, 960)
    assert 100 <= len(wide.boxes) <= 200


def test_rates_say_how_many_photographs_are_empty_wide_or_repeated():
    section = params(n_stores=400, sessions_most=1, photographs_per_session=2, empty_rate=0.1, wide_rate=0.1)
    shots = shelf.plan(section)
    first = [shot for shot in shots if not shot.repeat]
    assert len(first) == 800
    for share, count in ((0.1, sum(shot.empty for shot in first)), (0.1, sum(shot.wide for shot in first))):
        assert abs(count - 800 * share) < 4 * np.sqrt(800 * share * (1 - share))
    assert abs(len(shots) - 960) < 4 * np.sqrt(800 * 0.16)


def test_formats_and_lightings_are_crossed_and_as_many_stores_state_a_split_as_told():
    section = params(n_stores=90, sessions_most=1)
    first = {shot.store: (shot.stated, shot.kind, shot.lighting) for shot in shelf.plan(section)}
    assert Counter(stated for stated, _, _ in first.values()) == {"val_calib": 18, "val_test": 27, None: 45}
    for stated in ("val_calib", "val_test", None):
        assert len({place[1:] for place in first.values() if place[0] == stated}) == 9


def test_a_store_keeps_its_look_over_its_sessions_and_looks_unlike_others():
    section = params(n_stores=4, sessions_least=2, empty_rate=0.0, occlusion_rate=0.0, blur_rate=0.0)
    pairs = {}
    for shot in originals(section):
        pairs.setdefault(shot.store, []).append(shot)
    for first, second in pairs.values():
        assert shelf.look(section, first) == shelf.look(section, second)
    assert len({shelf.look(section, first).rail for first, _ in pairs.values()}) == 4
    means = np.array([[np.median(picture(section, shot), axis=(0, 1)) for shot in pair] for pair in pairs.values()])
    assert means.mean(axis=1).std(axis=0).mean() > 1.5 * means.std(axis=1).mean()


def test_dim_stores_are_darker_and_noisier():
    section = params(n_stores=6, blur_rate=0.0)
    shots = originals(section)[:4]
    light = {}
    for lighting in ("fluorescent", "dim"):
        stack = [picture(section, replace(shot, lighting=lighting, empty=False)) for shot in shots]
        light[lighting] = np.mean(stack)
    assert light["fluorescent"] > 1.3 * light["dim"]


def test_a_repeated_photograph_is_near_its_original_but_not_equal():
    section = params(duplicate_rate=0.6, empty_rate=0.0)
    repeats = [shot for shot in shelf.plan(section) if shot.repeat][:3]
    for shot in repeats:
        twin, first = shelf.photograph(section, shot), shelf.photograph(section, replace(shot, repeat=0))
        assert twin.content != first.content
        assert twin.groups == first.groups
        assert [box.get("product") for box in twin.boxes] == [box.get("product") for box in first.boxes]
        assert np.abs(picture(section, shot) - picture(section, replace(shot, repeat=0))).mean() < 14
    assert len(repeats) == 3


def test_label_noise_drops_moves_and_confuses_twins_as_often_as_it_says():
    box = {"class": "can", "x1": 100.0, "y1": 100.0, "x2": 140.0, "y2": 180.0, "row": 1, "position": 1}
    known = assortment.assortment(1).known[10]
    given, rng = [{**box, "product": known.name}] * 3000, np.random.default_rng(0)
    kept = labelling.careless(given, 0.3, (640, 480), rng, partial(shelf._mistaken, 1))
    moved = sum(one["x1"] != 100.0 for one in kept)
    confused = [one["product"] for one in kept if one["product"] != known.name]
    for count in (3000 - len(kept), moved / len(kept) * 3000, len(confused) / len(kept) * 3000):
        assert abs(count - 300) < 4 * np.sqrt(3000 * 0.09)
    family = [design for design in assortment.assortment(1).known if design.family == known.family]
    assert set(confused) == names(family) - {known.name}


def test_what_stands_in_the_way_hides_and_what_is_hidden_too_far_is_not_there():
    section = params(n_stores=4, empty_rate=0.0, duplicate_rate=0.0)
    shot = originals(section)[0]
    free = shelf.photograph(replace_section(section, occlusion_rate=0.0), shot).boxes
    hidden = shelf.photograph(replace_section(section, occlusion_rate=1.0), shot).boxes
    assert len(hidden) <= len(free)
    areas = [sum((box["x2"] - box["x1"]) * (box["y2"] - box["y1"]) for box in boxes) for boxes in (free, hidden)]
    assert areas[1] < areas[0]


def replace_section(section, **changes):
    return check(shelf.Params, section.model_dump() | changes, "test")


def test_a_package_put_on_a_canvas_owns_the_pixels_that_it_covers():
    design = assortment.assortment(1).known[9]
    paper = draw.canvas(200, 200, 250.0)  # 0.8 pixels, 1.6 canvas pixels a millimetre: the package is not scaled
    drawn = packages.package(design, 0)
    thing = gondola.put(paper, drawn, (125.0, 200.0), 1.0, 1.0, draw.Thing("can", 0, 0, 1.0), 1)
    assert thing.painted_px == pytest.approx((drawn.pixels[..., 3] > 127).sum(), rel=0.02)
    rows, columns = np.nonzero(paper.owner)
    assert rows.max() == pytest.approx(200 * 1.6, abs=2)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(125 * 1.6, abs=2)
    cut = gondola.put(paper, drawn, (0.0, 200.0), 1.0, 1.0, draw.Thing("can", 1, 0, 1.0), 2)
    assert cut.inside_share == pytest.approx(0.5, abs=0.03)
    outside = gondola.put(paper, drawn, (-90.0, 200.0), 1.0, 1.0, draw.Thing("can", 2, 0, 1.0), 3)
    assert outside.painted_px == 0


@pytest.mark.parametrize("size", [(320, 240), (512, 384)])
def test_other_sizes_keep_the_scene_in_proportion(size):
    large, small = params(label_noise=0.0), params(label_noise=0.0, width_px=size[0], height_px=size[1])
    shot = originals(large)[0]
    first, second = (shelf.photograph(section, shot).boxes for section in (large, small))
    assert abs(len(first) - len(second)) <= 2
    assert second[0]["x2"] * 640 / size[0] == pytest.approx(first[0]["x2"], abs=4)


@pytest.mark.parametrize(
    "changes", [{"sessions_least": 3}, {"calib_stores": 0.8}, {"wide_rate": 1.2}, {"n_stores": 0}, {"more": 1}]
)
def test_parameters_that_say_nothing_sensible_are_refused(changes):
    with pytest.raises(ParamsError):
        params(**changes)


def test_the_stage_writes_the_whole_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Path("params.yaml").open("w") as stream:
        YAML().dump({"datasets": {"shelf": {"render": SMALL | {"n_stores": 2, "sessions_most": 1}}}}, stream)
    render.run("shelf")
    folder = Path("data/sources/shelf/render")
    assert len(lines(folder)) == len(shelf.plan(params(n_stores=2, sessions_most=1)))
    assert all(("split" in line) == (line.get("split") is not None) for line in lines(folder))


def test_stores_share_several_assortments_whose_names_never_meet():
    section = params(assortments=2, empty_rate=0.0, calib_stores=0.0, test_stores=0.0)
    found = {}
    for shot in originals(section):
        boxes = shelf.photograph(section, shot).boxes
        found.setdefault(shot.store % 2, set()).update(box["product"] for box in boxes if "product" in box)
    for number, seen_names in found.items():
        wanted = {f"{name}_{1 + number}" for name in names(assortment.assortment(1 + number).known)}
        assert seen_names
        assert seen_names <= wanted
