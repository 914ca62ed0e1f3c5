import re

import pandas as pd
import pytest

from report.made_up import evidence, oscr, similarity
from vouch.report import curves, figures


@pytest.fixture(scope="module")
def made():
    return evidence()


def drawn(made):
    pr = curves.precision_recall(made.plots["pr"], made.test)["curves"]
    return [
        *(curve["svg"] for curve in pr),
        *(curve["svg"] for curve in curves.reliability(made.plots["reliability"])),
        *(curve["svg"] for curve in curves.thresholds(made.plots["recall_by_confidence"], made.policy)),
        curves.oscr(oscr(), made.test)["svg"],
        curves.similarity(similarity(), {"similarity": 0.7})["svg"],
        *(curve["svg"] for curve in curves.training(made.training)),
    ]


@pytest.fixture(scope="module")
def svgs(made):
    return drawn(made)


def test_figures_are_the_same_bytes_twice(made, svgs):
    assert drawn(made) == svgs


def test_figures_take_the_colours_of_the_page_and_name_no_address(svgs):
    for svg in svgs:
        assert not re.findall(r"#[0-9a-f]{6}\b(?!-)", re.sub(r'url\(#[^)]*\)|href="#[^"]*"', "", svg))
        assert "http" not in svg
        assert "<style" not in svg
        assert "var(--blue)" in svg


def test_no_two_figures_use_the_same_id_and_every_reference_is_met(svgs):
    together = "".join(svgs)
    ids = re.findall(r' id="([^"]*)"', together)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]*)', together)) <= set(ids)


def test_text_of_a_figure_is_data_never_markup_or_mathematics():
    row = figures.Dot("k", '<b>$\\frac{</b> id="1.2345"', 0.5, 0.4, 0.6, None, True)
    svg = figures.dots([row], name="n", label='"><script>')
    assert "&lt;b&gt;$\\frac{&lt;/b&gt; id=" in svg
    assert "<script" not in svg


def test_weakest_classes_are_shown_when_there_are_many(made):
    pr = made.plots["pr"]
    many = [pr[pr["class"] == "phone"].assign(**{"class": f"c{place:02d}"}) for place in range(20)]
    test = {"map50": {f"class=c{place:02d}": {"value": place / 20} for place in range(20)}}
    found = curves.precision_recall(pd.concat(many), test)
    assert found["total"] == 20
    assert [curve["name"] for curve in found["curves"]] == [f"c{place:02d}" for place in range(12)]


def test_no_curve_is_invented_for_an_empty_table(made):
    assert curves.oscr(oscr().iloc[:0], made.test) is None
    assert curves.similarity(similarity().iloc[:0], made.policy) is None
    assert curves.training(made.training.iloc[:0]) == []
    assert curves.precision_recall(made.plots["pr"].iloc[:0], made.test)["curves"] == []


def lines(svg):
    """How many straight lines from the bottom to the top a figure has, dashed as a policy's are."""
    return len(re.findall(r"stroke-dasharray: 1\.6,0\.96", svg))


def test_a_threshold_is_a_line_and_a_policy_by_p_values_has_none():
    with_one, without, infeasible = (
        curves.similarity(similarity(), policy) for policy in ({"similarity": 0.7}, {"p": 0.1}, {"similarity": None})
    )
    assert lines(with_one["svg"]) == 1
    assert "threshold 0.700" in with_one["svg"]
    assert lines(without["svg"]) == lines(infeasible["svg"]) == 0
    assert without["threshold"] is infeasible["threshold"] is None


def test_a_kind_without_crops_and_a_band_without_ends_are_left_out():
    known = similarity().query("kind != 'unknown'")
    assert set(curves.similarity(known, {"similarity": 0.7})["counts"]) == {"right", "wrong"}
    bare = oscr().assign(low=float("nan"), high=float("nan"))
    assert curves.oscr(bare, {})["ends"] is None
    assert curves.oscr(bare, {})["area"] is None
