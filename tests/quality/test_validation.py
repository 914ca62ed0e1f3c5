import numpy as np
import pandas as pd
import pytest

from quality.thresholds import THRESHOLDS
from vouch.quality import checks
from vouch.quality.coverage import Coverage, Required
from vouch.quality.validation import validate

SEVERITY = {name: "quarantine" if check.levels == checks.UNUSABLE else "warn" for name, check in checks.CHECKS.items()}
COVERAGE = {"min_components": 4, "min_samples": 2, "min_count": 3, "min_images_per_product": None, "of_classes": ()}
NIGHT = {"classes": ("can",), "min_count": 3, "strata": {"light": ("night",)}}


def data(n=8):
    """One photograph a group, day and night in turn, a can in each."""
    ids = [f"s/{i}.jpg" for i in range(n)]
    generator = np.random.default_rng(0)
    samples = pd.DataFrame({"sample_id": ids, "annotation": "labelled", "label": None, "width": None, "height": None})
    samples["group_day"] = [f"d{i}" for i in range(n)]
    samples["stratum_light"] = ["day", "night"] * (n // 2)
    boxes = pd.DataFrame({"sample_id": ids, "class_name": "can", "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.5})
    scan = pd.DataFrame({"sample_id": ids, "problem": "", "format": "JPEG", "mode": "RGB", "width": 200, "height": 100})
    scan[["orientation", "mean", "deviation", "sharpness"]] = [1, 100.0, 50.0, 500.0]
    scan["sha256"] = [f"{i}" for i in range(n)]
    scan["phash"] = generator.integers(0, 2**64, n, dtype=np.uint64)
    scan["thumbnail"] = [row.tobytes() for row in generator.integers(0, 256, (n, 256), dtype=np.uint8)]
    return samples, boxes, scan


def run(samples, boxes, scan, severity=None, classes=("can",), strata=None, **changed):
    asked = Coverage.model_validate(COVERAGE | {"of_classes": (NIGHT,)} | changed)
    coverage = Required(asked, classes, strata or {"light": ("day", "night")})
    return validate(
        samples, boxes, scan, thresholds=THRESHOLDS, severity={**SEVERITY, **(severity or {})}, required=coverage
    )


def test_clean_data_have_no_issue_and_are_counted():
    found = run(*data())
    assert found.issues.empty
    assert found.clusters.empty
    figures = found.figures
    assert (figures["samples"], figures["boxes"], figures["components"], figures["groups"]) == (8, 8, 8, {"day": 8})
    assert figures["coverage"]["class=can,light=night"] == {"count": 4, "required": 3}
    assert figures["strata"]["light=day"] == {"samples": 4, "components": 4}
    assert figures["classes"]["can"] == {"objects": 8, "samples": 8}
    assert set(figures["issues"]) == set(checks.CHECKS)
    assert figures["metrics"]["quarantined_fraction"]["all"] == {"value": 0.0, "n_rows": 8, "n_groups": 8}


def test_quarantined_samples_are_listed_counted_and_left_out_of_the_counts():
    samples, boxes, scan = data()
    scan.loc[1, ["problem", "sha256"]] = ["truncated", ""]
    scan.loc[1, ["mean", "deviation", "sharpness"]] = np.nan
    found = run(samples, boxes, scan)
    assert found.issues[["sample_id", "check", "severity"]].to_numpy().tolist() == [
        ["s/1.jpg", "truncated", "quarantine"]
    ]
    assert found.figures["quarantined"] == 1
    assert found.figures["samples"] == 7
    assert found.figures["coverage"]["class=can,light=night"]["count"] == 3
    assert found.figures["metrics"]["quarantined_fraction"]["all"]["value"] == 1 / 8


def test_products_are_counted_where_a_least_number_is_asked_for():
    samples, boxes, scan = data()
    named = boxes.assign(product=["tea", "tea", None, "cola", "cola", "cola", "cola", "cola"])
    found = run(samples, named, scan, min_images_per_product=3)
    cells = {name: cell for name, cell in found.figures["coverage"].items() if name.startswith("product=")}
    assert cells == {"product=tea": {"count": 2, "required": 3}, "product=cola": {"count": 5, "required": 3}}
    assert found.issues["detail"].tolist() == ["product=tea: 2 of 3"]
    assert found.figures["metrics"]["missing_coverage"]["all"]["value"] == 1
    assert not any(name.startswith("product=") for name in run(samples, named, scan).figures["coverage"])
    plain = run(samples, boxes, scan, min_images_per_product=3)
    assert plain.figures["coverage"]["product=can"] == {"count": 8, "required": 3}


def test_a_product_with_one_photograph_is_named():
    samples, boxes, scan = data()
    named = boxes.assign(product=["tea", *["cola"] * (len(boxes) - 1)])
    found = run(samples, named, scan, min_images_per_product=2)
    assert found.issues["detail"].tolist() == ["product=tea: 1 of 2"]


@pytest.mark.parametrize(
    ("required", "detail"),
    [
        ({"min_samples": 5}, "light=day: 4 of 5"),
        ({"strata": {"light": ("dusk",)}}, "light=dusk: 0 of 2"),
        ({"strata": {"rain": ("wet",)}}, "rain=wet: 0 of 2"),
        ({"min_count": 9, "of_classes": ()}, "class=can: 8 of 9"),
        ({"of_classes": (NIGHT | {"min_count": 9},)}, "class=can: 8 of 9"),
        ({"of_classes": (NIGHT | {"min_count": 5},)}, "class=can,light=night: 4 of 5"),
        ({"classes": ("can", "glass")}, "class=glass: 0 of 3"),
        ({"min_components": 9}, "8 of 9"),
    ],
)
def test_what_is_lacking_is_named(required, detail):
    found = run(*data(), **required)
    assert detail in found.issues["detail"].tolist()
    assert found.figures["metrics"]["missing_coverage"]["all"]["value"] == len(found.issues)


def test_near_duplicates_join_groups_into_one_component():
    samples, boxes, scan = data()
    scan.loc[5, "phash"] = scan.loc[2, "phash"] ^ np.uint64(5)
    scan.loc[5, "thumbnail"] = scan.loc[2, "thumbnail"]
    found = run(samples, boxes, scan)
    assert found.clusters.to_numpy().tolist() == [["s/2.jpg", "s/2.jpg"], ["s/5.jpg", "s/2.jpg"]]
    assert found.figures["components"] == 7
    assert found.figures["duplicates"]["near_pairs_across_groups"] == 1
    assert found.figures["metrics"]["near_duplicate_fraction"]["all"]["value"] == 2 / 8


def test_quarantined_blank_frames_do_not_chain_groups():
    samples, boxes, scan = data()
    scan.loc[:, "deviation"] = [0.0, 0.0, *[50.0] * 6]
    scan.loc[1, "sha256"] = "0"
    assert run(samples, boxes, scan).figures["components"] == 7
    set_aside = run(samples, boxes, scan, {"blank": "quarantine"})
    assert set_aside.figures["components"] == 6
    assert set_aside.clusters.empty


def test_a_quarantined_frame_does_not_chain_the_two_that_resemble_it():
    samples, boxes, scan = data()
    scan.loc[:2, "phash"] = np.array([0, 0b111111, 0b111111111111], dtype=np.uint64)
    scan["thumbnail"] = [scan.loc[0, "thumbnail"]] * 3 + scan["thumbnail"].tolist()[3:]
    assert len(run(samples, boxes, scan).clusters) == 3
    scan.loc[1, "deviation"] = 0.0
    assert run(samples, boxes, scan, {"blank": "quarantine"}).clusters.empty


def test_contradicting_copies_are_set_aside_both():
    samples, boxes, scan = data()
    scan.loc[3, "sha256"] = "6"
    scan.loc[6, "sha256"] = "6"
    boxes.loc[6, "class_name"] = "glass"
    severity = {"contradicting_exact": "quarantine"}
    found = run(samples, boxes, scan, severity, classes=("can", "glass"), min_count=1, of_classes=())
    assert found.figures["quarantined"] == 2
    assert found.clusters.empty
    assert "class=glass: 0 of 1" in found.issues["detail"].tolist()


def test_order_of_the_findings_does_not_depend_on_the_order_of_boxes():
    samples, boxes, scan = data()
    boxes.loc[:, "x2"] = 1.5
    assert run(samples, boxes, scan).issues.equals(run(samples, boxes.iloc[::-1], scan).issues)


def test_a_class_or_value_that_the_data_set_does_not_declare_is_named():
    asked = COVERAGE | {
        "of_classes": (NIGHT, {"classes": ("jar", "can"), "min_count": 1, "strata": {"light": ("dusk",)}})
    }
    required = Required(Coverage.model_validate(asked), ("can",), {"light": ("day", "night")})
    assert required.faults() == ["class jar", "light=dusk"]


def test_copies_of_a_blank_photograph_are_counted_and_named_though_they_are_set_aside():
    samples, boxes, scan = data()
    scan.loc[[1, 4, 6], "sha256"] = "blank"
    scan.loc[[1, 4], "deviation"] = 0.0
    found = run(samples, boxes, scan, {"blank": "quarantine", "exact_duplicate": "quarantine"})
    issues = {(row.sample_id, row.check): row.detail for row in found.issues.itertuples()}
    assert issues[("s/1.jpg", "exact_duplicate")] == "same pixels as s/6.jpg"
    assert issues[("s/4.jpg", "exact_across_groups")] == "same pixels as s/6.jpg"
    assert ("s/6.jpg", "exact_duplicate") not in issues  # the only one that is kept is no copy of one that is not
    assert (found.figures["duplicates"]["exact_copies"], found.figures["quarantined"]) == (2, 2)
    assert found.figures["duplicates"]["exact_copies_across_groups"] == 2
    assert found.clusters.empty


def test_a_blank_pair_counts_as_a_copy():
    samples, boxes, scan = data()
    scan.loc[[1, 4], ["sha256", "deviation"]] = ["blank", 0.0]
    found = run(samples, boxes, scan, {"blank": "quarantine"})
    assert found.figures["duplicates"]["exact_copies"] == 1
