import pandas as pd
import pyarrow.parquet as pq
import pytest

from vouch import io
from vouch.errors import ManifestError
from vouch.sources.descriptor import check_descriptor
from vouch.sources.merge import Taxonomy, merged
from vouch.sources.records import Place, Reading, Record
from vouch.tables import BOXES, PLACED, SAMPLES

TAXONOMY = Taxonomy(("phone", "belt"), ("driver",), {"stream": ("cabin", "front")})
BOX = ("phone", 0.1, 0.2, 0.3, 0.4)


def source(name="a", labels=None):
    content = {"name": name, "format": "jsonl", "unlabelled": "refuse", "labels": labels or {}}
    return check_descriptor(content, "test")


def record(image="x.jpg", annotation="labelled", groups=None, strata=None, **fields):
    fields = {"boxes": () if "label" in fields or annotation != "labelled" else (BOX,), **fields}
    groups = {"driver": "d1"} if groups is None else groups
    return Record(image, f"m:{image}", annotation, groups=groups, strata=strata or {"stream": "cabin"}, **fields)


def merge(*records, labels=None, taxonomy=TAXONOMY, **reading):
    return merged([(source(labels=labels), Reading(tuple(records), **reading))], taxonomy, "data/sources/D")


def test_two_sources_share_drivers_and_keep_their_samples_apart():
    one = (source("b"), Reading((record("x.jpg"), record("a.jpg", annotation="negative"))))
    two = (source("a"), Reading((record("x.jpg", width=20, height=10),)))
    manifest = merged([one, two], TAXONOMY, "data/sources/D")
    assert list(manifest.samples.columns) == [*SAMPLES, "group_driver", "stratum_stream"]
    assert list(manifest.boxes.columns) == list(BOXES)
    assert manifest.samples["sample_id"].tolist() == ["a/x.jpg", "b/a.jpg", "b/x.jpg"]
    assert manifest.samples["image"].tolist()[0] == "data/sources/D/a/x.jpg"
    assert manifest.samples["width"].isna().tolist() == [False, True, True]
    assert manifest.samples["group_driver"].unique().tolist() == ["d1"]
    assert manifest.boxes.iloc[0].tolist() == ["a/x.jpg", *BOX]


def test_label_maps_rename_and_drop_with_a_count():
    boxes = (("handy", 0, 0, 1, 1), ("dog", 0, 0, 1, 1), ("dog", 0, 0, 1, 1))
    manifest = merge(
        record("a.jpg", boxes=boxes), record("b.jpg", boxes=boxes[1:]), labels={"handy": "phone", "dog": None}
    )
    assert manifest.boxes["class_name"].tolist() == ["phone"]
    assert manifest.samples["annotation"].tolist() == ["labelled", "negative"]
    assert manifest.dropped == {"a: boxes of class dog": 4}


def test_a_photograph_whose_label_is_dropped_is_left_out_and_counted():
    manifest = merge(record("a.jpg", label="phone"), record("b.jpg", label="dog"), labels={"dog": None})
    assert manifest.samples["label"].tolist() == ["phone"]
    assert manifest.dropped == {"a: photographs of class dog": 1}


def test_without_groups_each_photograph_is_its_own():
    taxonomy = Taxonomy(("phone",), ("sample",), {})
    one = Record("x.jpg", "m", "negative")
    assert merge(one, taxonomy=taxonomy).samples["group_sample"].tolist() == ["a/x.jpg"]


@pytest.mark.parametrize(
    ("change", "expected", "where", "got", "hint"),
    [
        ({"groups": {}}, "a value of the group key `driver`", "m:x.jpg", "none", "--group"),
        ({"groups": {"driver": ""}}, "a value of the group key `driver`", "m:x.jpg", "none", "--group"),
        (
            {"groups": {"driver": "d\n1"}},
            "without control",
            "manifest.jsonl: groups.driver",
            "'d\\n1' on x.jpg",
            "corr",
        ),
        ({"strata": {"stream": "cabn"}}, "`stream` one of cabin, front", "strata.stream", "'cabn' on x.jpg", "`cabin`"),
        ({"strata": {"strem": "cabin"}}, "a value of the stratum `stream`", "m:x.jpg", "none", "--strata"),
        ({"boxes": (("Phon", 0, 0, 1, 1),)}, "one of the data set's 2", "m:x.jpg", "'Phon' (1 label)", "`phone`"),
        ({"label": "belts"}, "one of the data set's 2 classes", "m:x.jpg", "'belts' (1 label)", "`belt`"),
    ],
)
def test_what_the_data_set_does_not_know_is_refused(change, expected, where, got, hint):
    with pytest.raises(ManifestError) as caught:
        merge(record("x.jpg", **change))
    found = [problem for problem in caught.value.problems if expected in problem.expected]
    assert [problem.got for problem in found] == [got]
    assert found[0].where.startswith("a: ")
    assert found[0].where.endswith(where)
    assert hint in found[0].remedy


def test_a_map_of_a_class_that_the_source_has_not_is_refused():
    with pytest.raises(ManifestError, match="perhaps `phone` was meant"):
        merge(record(), labels={"fone": "phone"})
    assert len(merge(record(), labels={"unused": "phone"}, classes=frozenset({"unused"})).boxes) == 1


def test_all_problems_of_all_sources_come_at_once():
    sources = [(source(name), Reading((record(groups={}), record("y.jpg", groups={})))) for name in ("a", "b")]
    with pytest.raises(ManifestError) as caught:
        merged(sources, TAXONOMY, "data/sources/D")
    assert len(caught.value.problems) == 4


def placed(*places, image="x.jpg"):
    return record(image, boxes=(BOX,) * len(places), places=tuple(Place(*place) for place in places))


def test_a_place_that_one_box_states_gives_all_boxes_the_columns(tmp_path):
    manifest = merge(placed(("Cola", 1, 2), (None, 1, 3)), record("y.jpg"))
    assert list(manifest.boxes.columns) == [*BOXES, *PLACED]
    io.write_table(tmp_path / "boxes.parquet", manifest.boxes)
    boxes = pq.read_table(tmp_path / "boxes.parquet")
    assert [str(boxes.schema.field(name).type) for name in PLACED] == ["string", "int64", "int64"]
    assert boxes.select(PLACED).to_pylist() == [
        {"product": "Cola", "row": 1, "position": 2},
        {"product": None, "row": 1, "position": 3},
        {"product": None, "row": None, "position": None},
    ]


def test_without_any_place_the_boxes_have_no_column_of_one():
    assert list(merge(record()).boxes.columns) == list(BOXES)
    assert list(merge(placed((None, None, None))).boxes.columns) == list(BOXES)


def test_a_label_map_leaves_products_alone_and_drops_them_with_their_box():
    boxes = (("handy", 0, 0, 1, 1), ("dog", 0, 0, 1, 1), ("handy", 0, 0, 0.5, 1))
    places = (Place("handy"), Place("dog"), Place("dog"))
    labels = {"handy": "phone", "dog": None}
    manifest = merge(record(boxes=boxes, places=places), labels=labels)
    assert manifest.boxes["class_name"].tolist() == ["phone", "phone"]
    assert manifest.boxes["product"].tolist() == ["handy", "dog"]
    assert manifest.boxes["x2"].tolist() == [1, 0.5]


def test_products_that_differ_by_case_or_outer_spaces_are_refused_with_both_names():
    one, two = (source("a"), Reading((placed(("Cola",)),))), (source("b"), Reading((placed(("Fanta",), ("cola",)),)))
    with pytest.raises(ManifestError) as caught:
        merged([one, two], TAXONOMY, "data/sources/D")
    assert [problem.got for problem in caught.value.problems] == [
        "'Cola' at a: m:x.jpg: box 1, 'cola' at b: m:x.jpg: box 2"
    ]
    with pytest.raises(ManifestError) as caught:
        merge(placed(("Cola",), ("Cola ",)))
    assert {problem.got for problem in caught.value.problems} == {
        "'Cola '",
        "'Cola' at a: m:x.jpg: box 1, 'Cola ' at a: m:x.jpg: box 2",
    }


@pytest.mark.parametrize("product", [" ", "Cola\n", "\tCola", "=1+1", "@SUM(A1)"])
def test_a_product_is_a_name(product):
    with pytest.raises(ManifestError) as caught:
        merge(placed((product,)))
    assert [(one.where, one.got) for one in caught.value.problems] == [("a: m:x.jpg: box 1", ascii(product))]


def test_a_stated_split_gives_all_photographs_the_column():
    samples = merge(record("a.jpg", split="train"), record("b.jpg")).samples
    assert list(samples.columns) == [*SAMPLES, "group_driver", "stratum_stream", "split_stated"]
    assert samples["split_stated"].isna().tolist() == [False, True]
    assert "split_stated" not in merge(record("a.jpg")).samples


def test_a_word_of_a_split_that_is_no_name_is_refused_once():
    with pytest.raises(ManifestError) as caught:
        merge(record("a.jpg", split="train "), record("b.jpg", split="train "))
    assert [(one.where, one.got) for one in caught.value.problems] == [("a: m:a.jpg", "'train '")]


def test_two_boxes_at_one_place_are_noted_and_kept():
    manifest = merge(placed(("Cola", 1, 2), ("Fanta", 1, 2), ("Fanta", 1, None), ("Fanta", 1, None)))
    assert len(manifest.boxes) == 4
    assert manifest.notes == (
        "1 box at the row and position of an earlier one in the same photograph, "
        "the first in a/x.jpg, row 1, position 2",
    )
    assert merge(placed(("Cola", 1, 2)), placed(("Cola", 1, 2), image="y.jpg")).notes == ()


def test_tables_keep_their_types_even_when_empty(tmp_path):
    manifest = merge(Record("x.jpg", "m", "missing", groups={"driver": "d"}, strata={"stream": "front"}))
    for name in ("samples", "boxes"):
        io.write_table(tmp_path / f"{name}.parquet", getattr(manifest, name))
    samples, boxes = (io.read_table(tmp_path / f"{name}.parquet") for name in ("samples", "boxes"))
    assert boxes.dtypes.astype(str).tolist() == ["str", "str", *["float64"] * 4]
    assert samples["label"].isna().all()
    assert samples["label"].dtype == pd.StringDtype(na_value=float("nan"))


@pytest.mark.parametrize("product", ["unknown", "Unknown"])
def test_no_product_bears_the_word_for_what_is_no_product(product):
    with pytest.raises(ManifestError, match="a product not called unknown"):
        merge(placed((product,)))
