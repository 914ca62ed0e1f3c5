"""Every format: export, import, the same photographs, labels, groups, strata and boxes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from vouch import io
from vouch.errors import ManifestError
from vouch.sources.descriptor import check_descriptor
from vouch.sources.formats.export import exported
from vouch.sources.merge import Merged, Taxonomy, merged
from vouch.sources.reading import complete, read_source
from vouch.sources.records import Place, Reading, Record
from vouch.sources.tree import walk

CLASSES = ("E-waste", "can: big", "null")
TAXONOMY = Taxonomy(CLASSES, ("driver", "vehicle"), {"light": ("day", "dusk, late", "Ω")})
FORMATS = ("yolo", "coco", "voc", "csv", "jsonl")
NAMES = st.text("ab é,'&<_", min_size=1, max_size=6).filter(lambda text: text == text.strip())
FRACTION = st.floats(0, 1)
BOX = st.builds(
    lambda name, x, y, w, h: (name, x - w / 2, y - h / 2, x + w / 2, y + h / 2),
    st.sampled_from(CLASSES),
    *[FRACTION] * 4,
)
PHOTOGRAPH = st.tuples(
    st.sampled_from(["negative", "missing", "labelled"]),
    st.lists(BOX, min_size=1, max_size=3),
    NAMES,
    st.sampled_from(TAXONOMY.strata["light"]),
    st.integers(1, 5000),
    st.integers(1, 5000),
)


def data_set(photographs, labels=False) -> Merged:
    records = []
    for index, (annotation, boxes, group, light, width, height) in enumerate(photographs):
        image = f"{'images/' if index % 2 else ''}é {index}.jpg"
        keys = {"driver": group, "vehicle": f"v{index}"}
        label = CLASSES[index % 3] if labels else None
        held = tuple(boxes) if annotation == "labelled" and not labels else ()
        annotation = "labelled" if labels else annotation
        records.append(Record(image, "m", annotation, label, width, height, keys, {"light": light}, held))
    descriptor = check_descriptor({"name": "one", "format": "jsonl", "unlabelled": "refuse"}, "test")
    return merged([(descriptor, Reading(tuple(records)))], TAXONOMY, "data/sources/D")


def back(before: Merged, form: str, root: Path) -> Merged:
    """Export into a folder, lay the photographs where the format has them, and import the folder."""
    export = exported(before.samples, before.boxes, form=form, classes=CLASSES)
    photographs = export.photographs or dict.fromkeys(before.samples["sample_id"], "")
    for name, text in [*export.texts.items(), *((name, "") for name in photographs)]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    tree = walk(root)
    descriptor = complete(tree, check_descriptor({"name": "two", "format": form, "unlabelled": "refuse"}, "test"))
    return merged([(descriptor, read_source(tree, descriptor))], TAXONOMY, "data/sources/E")


def assert_same(before: Merged, after: Merged, prefix: str | None = "two/") -> None:
    drop = ["sample_id", "image", "source"]
    order = "group_vehicle"  # unique here, and kept where a format renames the photographs
    one = before.samples.sort_values(order, ignore_index=True)
    two = after.samples.sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(one.drop(columns=drop), two.drop(columns=drop))
    if prefix is not None:
        assert two["sample_id"].tolist() == [f"{prefix}{name}" for name in one["sample_id"]]
        assert after.boxes["sample_id"].tolist() == [f"{prefix}{name}" for name in before.boxes["sample_id"]]
    assert after.boxes["class_name"].tolist() == before.boxes["class_name"].tolist()
    corners = ["x1", "y1", "x2", "y2"]
    np.testing.assert_allclose(after.boxes[corners], before.boxes[corners], rtol=0, atol=1e-6)


@pytest.mark.parametrize("form", FORMATS)
@settings(
    max_examples=6,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking writes thousands of folders
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(photographs=st.lists(PHOTOGRAPH, min_size=1, max_size=4))
def test_boxes_survive(form: str, photographs, tmp_path_factory: pytest.TempPathFactory):
    before = data_set(photographs)
    prefix = {"yolo": "two/images/", "voc": "two/JPEGImages/"}.get(form, "two/")
    assert_same(before, back(before, form, tmp_path_factory.mktemp(form)), prefix)


@pytest.mark.parametrize("form", ["imagefolder", "csv", "jsonl"])
def test_labels_survive(form: str, tmp_path: Path):
    photographs = [("labelled", [], "d", "Ω", 640, 480)] * 4
    before = data_set(photographs, labels=True)
    assert before.samples["label"].nunique() == 3
    assert_same(before, back(before, form, tmp_path), None if form == "imagefolder" else "two/")


@pytest.mark.parametrize("form", FORMATS)
def test_stated_splits_survive(form: str, tmp_path: Path):
    before = data_set([("negative", [], "d", "day", 9, 9)] * 3)
    stated = before.samples.assign(split_stated=pd.Series(["train", None, "val, x"], dtype="str"))
    prefix = {"yolo": "two/images/", "voc": "two/JPEGImages/"}.get(form, "two/")
    assert_same(replace(before, samples=stated), back(replace(before, samples=stated), form, tmp_path), prefix)


PLACES = (Place("Cola", 1, 2), Place(None, 3, None), Place(), Place('Ω, "big"', None, 7))


def placed(photographs) -> Merged:
    before = data_set(photographs)
    column = (PLACES * len(before.boxes))[: len(before.boxes)]
    table = pd.DataFrame(column, columns=["product", "row", "position"])
    table = table.astype({"product": "str", "row": "Int64", "position": "Int64"})
    return replace(before, boxes=pd.concat([before.boxes, table], axis=1))


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_products_and_places_survive(form: str, stored: bool, tmp_path: Path):
    box = ("null", 0.1, 0.1, 0.2, 0.2)
    before = placed([("labelled", [box] * 5, "d", "day", 90, 90), ("negative", [], "d", "day", 9, 9)])
    if stored:  # as commands read it: numbers beside nulls are floats there
        io.write_table(tmp_path / "boxes.parquet", before.boxes)
        read = replace(before, boxes=io.read_table(tmp_path / "boxes.parquet"))
    after = back(read if stored else before, form, tmp_path / "source")
    assert_same(before, after)
    columns = ["product", "row", "position"]
    pd.testing.assert_frame_equal(after.boxes[columns], before.boxes[columns])


@pytest.mark.parametrize("form", ["yolo", "coco", "voc"])
def test_a_format_without_places_refuses_them(form: str):
    before = placed([("labelled", [("null", 0.1, 0.1, 0.2, 0.2)] * 3, "d", "day", 90, 90)])
    with pytest.raises(ManifestError, match="2 boxes with"):
        exported(before.samples, before.boxes, form=form, classes=CLASSES)


def test_sizes_that_a_source_does_not_state_stay_unstated_where_none_is_needed(tmp_path: Path):
    photographs = [("labelled", [("null", 0.1, 0.1, 0.2, 0.2)], "d", "day", 1, 1)]
    before = data_set(photographs)
    unstated = pd.array([pd.NA], dtype="Int64")
    before = replace(before, samples=before.samples.assign(width=unstated, height=unstated))
    assert_same(before, back(before, "yolo", tmp_path), "two/images/")
    for form in ("coco", "voc", "csv", "jsonl"):
        with pytest.raises(ManifestError, match="width and height"):
            exported(before.samples, before.boxes, form=form, classes=CLASSES)


@pytest.mark.parametrize("side", ["width", "height"])
@pytest.mark.parametrize("form", ["coco", "voc", "csv", "jsonl"])
def test_one_side_alone_is_no_size(form: str, side: str):
    before = data_set([("labelled", [("null", 0.1, 0.1, 0.2, 0.2)], "d", "day", 9, 9)])
    samples = before.samples.assign(**{side: pd.array([pd.NA], dtype="Int64")})
    with pytest.raises(ManifestError, match="width and height"):
        exported(samples, before.boxes, form=form, classes=CLASSES)


@pytest.mark.parametrize(("form", "labels"), [("yolo", True), ("voc", True), ("coco", True), ("imagefolder", False)])
def test_a_format_that_cannot_hold_the_data_set_is_refused(form: str, labels: bool):
    before = data_set([("labelled", [("null", 0.1, 0.1, 0.2, 0.2)], "d", "day", 9, 9)] * 2, labels=labels)
    with pytest.raises(ManifestError) as caught:
        exported(before.samples, before.boxes, form=form, classes=CLASSES)
    assert len(caught.value.problems) == 2


def test_photographs_that_would_share_a_label_file_are_refused():
    before = data_set([("negative", [], "d", "day", 9, 9)] * 2)
    before.samples["sample_id"] = ["one/a.jpg", "one/a.png"]
    for form in ("yolo", "voc"):
        with pytest.raises(ManifestError, match=r"one/a\.jpg, one/a\.png"):
            exported(before.samples, before.boxes, form=form, classes=CLASSES)


def test_an_export_is_read_by_pycocotools(tmp_path: Path):
    coco = pytest.importorskip("pycocotools.coco")
    before = data_set([("labelled", [("null", 0.1, 0.2, 0.3, 0.6)], "d", "day", 200, 100)])
    text = exported(before.samples, before.boxes, form="coco", classes=CLASSES).texts["annotations.json"]
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    index = coco.COCO(str(tmp_path / "a.json"))
    assert index.loadCats([3])[0]["name"] == "null"
    assert index.loadAnns([1])[0]["bbox"] == pytest.approx([20, 20, 40, 40])
    assert json.loads(text)["images"][0]["groups"] == {"driver": "d", "vehicle": "v0"}
