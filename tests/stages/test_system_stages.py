"""The stages of a system whose answers can be said by hand."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from deployment import bundles
from systems import made_systems
from systems.made_systems import COLOURS, MIXED, photograph
from vouch import io, paths
from vouch.commands.gate import gate
from vouch.errors import BundleError, DataError, ParamsError, WorkspaceError
from vouch.release.bundle import write_bundle
from vouch.release.trivial import names_nothing
from vouch.release.verdict import any_verdict, open_system_verdict
from vouch.stages import (
    bundle_system,
    compare_counts,
    compose,
    compose_baseline,
    evaluate_counts,
    gate_system,
    index,
    report_system,
)
from vouch.systems.bundle import manifest_sha256, open_system

PRESETS = Path(__file__).parents[2] / "presets"
RED, GREEN = COLOURS.values()
PHOTOGRAPHS = {  # what is painted; then what is labelled, by cell: product and shelf row
    "a": ({(0, 0): RED, (3, 0): RED, (0, 3): GREEN}, {(0, 0): "cola", (3, 0): "cola", (0, 3): "lime"}),
    "b": ({(0, 0): GREEN, (3, 3): MIXED}, {(0, 0): "cola", (3, 3): "rum"}),  # called lime; unknown as rum is
    "c": ({}, {}),
    "d": ({(0, 0): RED}, {}),
}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Both bundles, and a data set of four photographs, all of val_test."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PRESETS, "presets")
    io.write_text(Path("params.yaml"), json.dumps({"systems": {"s": {}}}))
    bundles.build(paths.model("m", "bundle"), "detect")
    made_systems.identifier(paths.model("sku", "bundle"))
    samples, boxes = [], []
    for name, (cells, labels) in PHOTOGRAPHS.items():
        image = photograph(Path(f"{name}.png"), cells)
        samples.append({"sample_id": name, "image": str(image), "stratum_light": "dim" if name == "b" else "day"})
        for (column, row), product in labels.items():
            corners = dict(
                zip(("x1", "y1", "x2", "y2"), (c / 4 for c in (column, row, column + 1, row + 1)), strict=True)
            )
            boxes.append({"sample_id": name, "class_name": "clear", "product": product, "row": row // 3 + 1} | corners)
    io.write_table(paths.manifest("d", "samples"), pd.DataFrame(samples))
    io.write_table(paths.manifest("d", "boxes"), pd.DataFrame(boxes).astype({"row": "Int64"}))
    io.write_table(
        paths.split("d", "val_test"), pd.DataFrame({"sample_id": [*PHOTOGRAPHS], "group": ["g1", "g1", "g2", "g3"]})
    )


def composed():
    compose.run("s", "d", "m", "sku")
    return {path: io.read_table(path) for path in (paths.counts("s"), paths.facings("s"))}


def based(task="trivial", colours=COLOURS):
    """Build the baselines of both models, and count what they say together."""
    folders = [paths.registry(name) for name in ("m", "sku")]
    bundles.build(folders[0], "detect")
    if task == "trivial":
        files = {f"{name}.json": io.dumps(content).encode() for name, content in names_nothing(["cola"]).items()}
        write_bundle(folders[1], "sku", "0.0.0", "identify", "trivial", files)
    else:
        made_systems.identifier(folders[1], colours)
    compose_baseline.run("s", "d", "sku", *map(str, folders))
    return io.read_table(paths.baseline_counts("s"))


def judged():
    evaluate_counts.run("s")
    based()
    compare_counts.run("s")
    gate_system.run("s", "m", "sku")


def tally(table):
    return {(row["sample_id"], row["class"]): (row["n_true"], row["n_pred"]) for row in table.to_dict("records")}


def test_photographs_become_counts_with_unknown_products(workspace):
    counts, facings = composed().values()
    assert tally(counts) == {
        ("a", "cola"): (2, 2),
        ("a", "lime"): (1, 1),
        ("b", "cola"): (1, 0),
        ("b", "lime"): (0, 1),
        ("b", "unknown"): (1, 1),  # the gallery does not know rum, and the system knows that it does not
        ("c", "unknown"): (0, 0),
        ("d", "cola"): (0, 1),
    }
    assert counts.columns.tolist() == ["sample_id", "group", "class", "n_true", "n_pred", "stratum_light"]
    assert dict(zip(counts["sample_id"], counts["group"], strict=True)) == {"a": "g1", "b": "g1", "c": "g2", "d": "g3"}
    assert tally(facings) == {
        ("a#row1", "cola"): (2, 2),
        ("a#row2", "lime"): (1, 1),
        ("b#row1", "cola"): (1, 0),
        ("b#row1", "lime"): (0, 1),
        ("b#row2", "unknown"): (1, 1),
    }


def test_every_object_is_kept_with_its_box(workspace):
    composed()
    found = io.read_table(paths.objects("s")).sort_values(["sample_id", "x1", "y1"])
    assert "candidates" not in found
    assert found[["sample_id", "product", "known"]].to_numpy().tolist() == [
        ["a", "cola", True],
        ["a", "lime", True],
        ["a", "cola", True],
        ["b", "lime", True],
        ["b", found["product"].iloc[4], False],  # the nearer of two that it is not
        ["d", "cola", True],
    ]
    assert found[["x1", "y1", "x2", "y2"]].iloc[0].tolist() == [0, 0, 9, 9]


def reported():
    composed()
    judged()
    report_system.run("s", "d", "m", "sku")
    return paths.report("s") / "index.html"


def test_a_system_has_a_page_with_its_products_and_worst_photographs(workspace):
    page = reported().read_text()
    assert "✗ FAILED" in page.partition("<main>")[0]
    products = page.partition('id="products"')[2].partition("</section>")[0]
    assert re.findall(r'class="first">(\w+)</th><td', products) == ["cola", "lime", "unknown"]
    assert page.count("<img ") == 2  # b and d: a and c are right
    assert "<figcaption>b: off by 2. Said cola 0, there 1; lime 1, there 0</figcaption>" in page
    assert "<figcaption>d: off by 1. Said cola 1, there 0</figcaption>" in page
    assert "By shelf row" in page


def test_a_page_about_other_counts_or_another_gallery_is_refused(workspace):
    reported().unlink()
    counts = io.read_table(paths.counts("s"))
    io.write_table(paths.counts("s"), counts.assign(n_pred=counts["n_true"]))
    with pytest.raises(WorkspaceError, match=r"val_test\.parquet: expected the file that the gate judged"):
        report_system.run("s", "d", "m", "sku")
    io.write_table(paths.counts("s"), counts)
    manifest = paths.model("sku", "bundle/manifest.json")
    manifest.chmod(0o644)
    manifest.write_text("{}")
    with pytest.raises(WorkspaceError, match=r"sku/bundle/manifest\.json: expected the file that the gate judged"):
        report_system.run("s", "d", "m", "sku")
    assert not (paths.report("s") / "index.html").exists()


def test_counts_are_judged_and_the_verdict_names_what_it_judged(workspace):
    composed()
    evaluate_counts.run("s")
    found = io.read_json(paths.metrics("s", "counts"))
    # six pairs: cola errs by 0, 1 and 1, lime by 0 and 1, unknown by 0
    assert found["count_mae_micro"]["all"]["value"] == pytest.approx(3 / 6)
    assert found["count_mae"]["all"]["value"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3, abs=1e-6)
    assert found["exact_count_rate"]["all"]["value"] == pytest.approx(3 / 6)
    assert found["count_mae"]["all"]["n_rows"] == 6
    assert io.read_json(paths.metrics("s", "facings"))["count_mae_micro"]["all"]["value"] == pytest.approx(2 / 5)
    table = io.read_table(paths.plots("s", "counts.csv"))
    assert table[["product", "pairs", "n_true", "n_pred", "count_mae"]].to_numpy().tolist() == [
        ["cola", "3", "3", "3", "0.666667"],
        ["lime", "2", "1", "2", "0.500000"],
        ["unknown", "1", "1", "1", "0.000000"],
    ]
    judged()
    verdict = open_system_verdict("s")
    rule = verdict["rules"]["count_mae"]
    assert (verdict["passed"], rule["metric"], rule["observed"]) == (False, "count_mae", pytest.approx(0.388889))
    assert "2 groups support" in rule["reason"]
    sides = {"candidate": paths.counts("s"), "baseline": paths.baseline_counts("s")}
    assert verdict["judged"]["counts"] == {side: io.sha256(path) for side, path in sides.items()}
    bundle_system.run("s", "m", "sku")
    for name, sha256 in verdict["judged"]["files"].items():
        assert io.sha256(paths.model("s", name)) == sha256
    assert io.read_json(paths.metrics("s", "summary"))["exact_count_rate"] == pytest.approx(0.5)
    manifest, _ = open_system(paths.model("s", "bundle"))
    assert manifest["parts"]["identifier"]["manifest_sha256"] == manifest_sha256(paths.model("sku", "bundle"))


def test_before_a_first_promotion_the_baseline_counts_nothing(workspace):
    composed()
    assert tally(based()) == {
        ("a", "cola"): (2, 0),
        ("a", "lime"): (1, 0),
        ("b", "cola"): (1, 0),
        ("b", "unknown"): (1, 0),
        ("c", "unknown"): (0, 0),
        ("d", "unknown"): (0, 0),
    }


@pytest.mark.parametrize("colours", [{"cola": RED}, {"cola": RED, "soda": GREEN}], ids=["fewer", "another"])
def test_a_baseline_is_counted_by_the_products_that_the_candidate_knows(workspace, colours):
    composed()
    assert tally(based("trained", colours)) == {
        ("a", "cola"): (2, 2),
        ("a", "lime"): (1, 0),
        ("a", "unknown"): (0, 1),  # of lime the baseline says nothing, or a product that the candidate lacks
        ("b", "cola"): (1, 0),
        ("b", "unknown"): (1, 2),
        ("c", "unknown"): (0, 0),
        ("d", "cola"): (0, 1),
    }


def test_the_gate_reads_how_the_counts_differ_from_the_baseline_s(workspace):
    composed()
    judged()
    found = io.read_json(paths.metrics("s", "comparison"))
    # the baseline counts nothing: cola errs by 2 and 1, lime by 1, unknown by 1
    assert found["count_mae"]["all"]["baseline"] == pytest.approx((3 / 2 + 1 + 1) / 3, abs=1e-6)
    assert found["count_mae"]["all"]["delta"] == pytest.approx(0.388889 - 3.5 / 3, abs=1e-5)
    rule = open_system_verdict("s")["rules"]["not_worse"]
    assert (rule["source"], rule["op"], rule["limit"]) == ("comparison", "<=", 0.03)
    assert "too little evidence: 1 group supports" in rule["reason"]
    page = reported().read_text()
    assert "What changed since the baseline" in page
    assert "too few groups" in page.partition('id="baseline"')[2].partition("</section>")[0]


def test_a_person_reads_the_verdict_and_finds_it_on_the_index(workspace, capsys):
    composed()
    judged()
    bundle_system.run("s", "m", "sku")
    gate("s")
    said = " ".join(capsys.readouterr().out.split())
    assert "sanity checks of s" in said
    assert "stands against a release: count_mae: too little evidence" in said
    assert any_verdict("s") == open_system_verdict("s")  # as a rebuild lists it
    index.run()
    page = Path("reports/index.html").read_text()
    assert "FAILED" in page
    assert "Exact counts" in page
    assert 'href="s/index.html"' in page
    manifest = paths.model("s", "bundle/detector/manifest.json")
    manifest.chmod(0o644)
    manifest.write_text("{}")
    with pytest.raises(WorkspaceError, match=r"detector/manifest\.json: expected the file that the gate judged"):
        gate("s")


def test_boxes_without_rows_and_products_have_no_facings(workspace):
    boxes = io.read_table(paths.manifest("d", "boxes")).drop(columns=["row", "product"])
    io.write_table(paths.manifest("d", "boxes"), boxes.assign(class_name="cola"))
    counts, facings = composed().values()
    assert tally(counts)["a", "cola"] == (3, 2)
    assert len(facings) == 0
    evaluate_counts.run("s")
    assert io.read_json(paths.metrics("s", "facings")) == {}


def test_a_photograph_that_is_none_or_a_bundle_of_another_model_stops_compose(workspace):
    Path("c.png").write_text("no picture")
    with pytest.raises(DataError, match=r"c\.png"):
        compose.run("s", "d", "m", "sku")
    with pytest.raises(BundleError, match="expected one to detect"):
        compose.run("s", "d", "sku", "sku")
    assert not paths.counts("s").exists()


RULE = {"source": "test", "metric": "count_mae", "limit": 1, "bound": "value", "min_groups": 1}
WRONG = {
    "a source that no system has": ({"rules": {"recall": RULE}}, "source is one of counts, facings"),
    "a metric without a better": ({"rules": {"count_mae": {"metric": "count_bias"}}}, "count_bias"),
    "a waiver of no rule": ({"waivers": {"x": {"reason": "it is known", "expires": "2027-01-01"}}}, "no rule has this"),
}


@pytest.mark.parametrize(("section", "words"), WRONG.values(), ids=WRONG)
def test_rules_that_are_none_are_refused(workspace, section, words):
    io.write_text(Path("params.yaml"), json.dumps({"systems": {"s": {"gate_system": section}}}))
    with pytest.raises(ParamsError, match=words):
        gate_system.run("s", "m", "sku")


def test_a_verdict_that_contradicts_itself_is_refused(workspace):
    composed()
    judged()
    path = paths.metrics("s", "gate")
    io.write_json(path, io.read_json(path) | {"passed": True})
    with pytest.raises(WorkspaceError, match="passed is true"):
        open_system_verdict("s")
