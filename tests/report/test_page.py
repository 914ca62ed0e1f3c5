import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from policies.made import certified
from report import made_up
from report.test_policy import CERTIFIED
from vouch.report.evidence import Picture, numbers
from vouch.report.index import index
from vouch.report.page import page

EVIL = '<script>alert("1")</script>'
MULTICLASS = {"kind": "multiclass", "map": {"method": "vector"}, "gate": None}
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Outline(HTMLParser):
    """What a page holds: tags with attributes, the words below each heading, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def made():
    return made_up.evidence()


@pytest.fixture(scope="module")
def whole(made):
    return page(replace(made, pictures=(Picture("data:image/jpeg;base64,AAAA", "a miss", "miss"),)))


def judged(**rules):
    gate = made_up.judged(rules)
    return page(made_up.bare(gate=gate))


def test_the_verdict_is_the_first_heading(whole):
    passed = Outline(whole)
    headings = [name for name, _ in passed.tags if re.fullmatch("h[1-6]", name)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert "driver ✓ PASSED 7 of 7 rules hold." in passed.text()
    failing = made_up.rule(passed=False, observed=0.9, reason="recall low is 0.9, must be >= 0.95")
    failed = Outline(judged(recall=failing)).text()
    assert "driver ✗ FAILED 1 of 1 rules do not hold." in failed
    assert "✗ Recall, everything: lower bound 0.900, must be ≥ 0.950" in failed


def test_rules_that_read_a_value_stand_apart_as_sanity_checks():
    text = Outline(judged(low=made_up.rule(), seen=made_up.rule(**made_up.VALUE))).text()
    bounds, checks = text.split("Sanity checks A sanity check reads the value")
    assert ("everything low" in bounds, "everything seen" in bounds) == (True, False)
    assert "everything seen" in checks
    assert "Sanity checks" not in Outline(judged(low=made_up.rule())).text()


def test_a_calibration_error_stands_beside_what_chance_makes_of_it():
    test = {"ece": {"all": made_up.cell(0.021) | {"expected_by_chance": 0.0166}}}
    text = Outline(page(replace(made_up.bare(), test=test))).text()
    assert "by chance alone 0.017" in text  # the headline
    assert "chance 0.017 Crossed" in text or "chance 0.017 From" in text  # the table
    assert "0.089 0.018 0.016" in text  # val_select: before, after, by chance
    compared = Outline(page(made_up.evidence())).text()
    assert re.search("chance 0.011 [0-9.]+ chance 0.014", compared)  # candidate, baseline


def test_missing_evidence_is_said_by_name():
    reason = "no evidence: test has no recall for stream=rear"
    missing = made_up.rule(passed=False, stratum="stream=rear", observed=None, n_groups=None, reason=reason)
    text = Outline(judged(rear=missing)).text()
    assert f"? Recall, stream rear: {reason}" in text
    assert "1 for want of evidence" in text


def test_a_waiver_is_shown_with_its_reason_and_end():
    waived = made_up.rule(passed=False, reason="low", waived_until="2027-01-31", waiver_reason="Labels come in January")
    text = Outline(page(made_up.bare(gate=made_up.judged({"recall": waived}, passed=True)))).text()
    assert "✓ PASSED 0 of 1 rules hold, 1 waived." in text
    assert "⚑ Recall, everything: waived until 2027-01-31: Labels come in January" in text


def test_a_stratum_without_value_reads_no_evidence():
    test = {"recall": {"all": made_up.cell(0.9), "stream=rear": made_up.cell(None)}}
    text = Outline(page(replace(made_up.bare(), test=test))).text()
    assert "rear 0 no evidence" in text


def test_values_stand_with_their_intervals(made, whole):
    cell = made.test["recall"]["stream=rear"]
    assert f"{cell['value']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]" in Outline(whole).text()


def test_data_are_text_never_markup(made):
    gate = made_up.judged({EVIL: made_up.rule(passed=False, stratum=f"class={EVIL}", reason=EVIL)})
    test = {"recall": {"all": made_up.cell(0.9), f"class={EVIL}": made_up.cell(0.5), f"a={EVIL},b={EVIL}": None}}
    policy = made.policy | {"thresholds": {EVIL: 0.5}, "evidence": {}, "infeasible": {EVIL: EVIL, "*": EVIL}}
    data = made.data | {"issues": {EVIL: {"severity": "warn", "count": 1}}, "groups": {EVIL: 3}}
    data["coverage"] = {f"class={EVIL},stream={EVIL}": {"count": 1, "required": 2}}
    evil = replace(
        made,
        model=EVIL,
        dataset=EVIL,
        gate=gate,
        test=test,
        policy=policy,
        data=data,
        plots={"pr": made.plots["pr"].assign(**{"class": EVIL})},
        boxes=made.boxes.assign(class_name=EVIL),
        samples=made.samples.assign(stratum_stream=EVIL),
        training=made.training.rename(columns={"train_box_loss": f"train_loss_{EVIL}"}),
        pictures=(Picture("data:image/jpeg;base64,", EVIL, "miss"),),
    )
    found = Outline(page(evil))
    assert found.named("script") == []
    assert found.text().count(EVIL) > 20


def test_the_page_needs_nothing_but_itself(whole):
    found = Outline(whole)
    assert found.open == []
    assert "http" not in whole.replace("http-equiv", "")
    assert found.named("script") == found.named("link") == []
    for _, attributes in found.tags:
        assert attributes.get("src", "data:").startswith("data:")
        assert re.match(r"#|\.\./index\.html", attributes.get("href", "#"))


def test_the_page_can_be_read_without_eyes(whole):
    found = Outline(whole)
    assert all(attributes.get("alt") for attributes in found.named("img"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in found.named("svg"))
    assert all(heading.get("scope") or heading.get("role") for heading in found.named("th"))
    assert len(found.named("th")) > 50
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for attributes in found.named("a") if attributes["href"].startswith("#")}
    assert {link[1:] for link in links} <= set(ids)
    assert len(links) > 8


def test_the_page_is_the_same_bytes_twice(made):
    few = replace(made_up.bare(), plots={"reliability": made.plots["reliability"]})
    assert page(few) == page(few)


def test_sections_of_a_task_without_boxes_are_left_out():
    test = {"accuracy": {"all": made_up.cell(0.93), "class=street": made_up.cell(0.9)}}
    text = Outline(page(replace(made_up.bare(), test=test, comparison={}))).text()
    assert "Precision over recall" not in text
    assert "Worst mistakes" not in text
    assert "Share of photographs that get the right class." in text
    assert "no evidence: nothing was compared" in text


def test_a_classifier_s_page_speaks_of_no_diamond_threshold_or_box_that_it_does_not_show(made):
    shown = "the diamond is where the policy operates", "dashed verticals are the policy's thresholds", "labelled boxes"
    assert all(words in Outline(page(made)).text() for words in shown)
    policy = {"kind": "scrc", "guarantee": "certified", "feasible": True, "infeasible": {}, "lam1": 0.9, "evidence": {}}
    test = {name: made.test[name] for name in ("map50", "ece")}
    data = {**made.data, "boxes": 0}
    text = Outline(page(replace(made, policy=policy, test=test, comparison={}, data=data))).text()
    assert "Precision over recall" in text
    assert not any(words in text for words in shown)


def test_a_classifier_s_page_shows_what_was_taken_for_what(made):
    names = ("cardboard", "glass", "metal", "paper", "plastic", EVIL)
    plots = {"confusion": made_up.confusion(names)}
    found = Outline(page(replace(made_up.bare(), plots=plots, calibrator=MULTICLASS | {"classes": list(names)})))
    assert "What was taken for what" in found.text()
    assert "All photographs : 60" in found.text()
    assert "Answered photographs : 42 of 60" in found.text()
    assert "metal 0 0 7 70 % 3 30 % 0 0 0.700 10 2" in found.text()  # seven of ten right, three called paper
    assert {"#confusion"} <= {link["href"] for link in found.named("a")}
    assert (found.open, found.named("script")) == ([], [])
    assert all(heading.get("scope") or heading.get("role") for heading in found.named("th"))
    assert 'id="confusion"' not in page(made_up.bare())


def test_a_policy_that_answers_nothing_has_no_second_matrix():
    plots = {"confusion": made_up.confusion(("clear", "work")).assign(accept=0.0)}
    text = Outline(page(replace(made_up.bare(), plots=plots))).text()
    assert "Answered photographs : 0 of 20, the policy abstains on every one From" in text


def test_the_baseline_and_the_certificate_are_named():
    text = Outline(page(made_up.bare(baseline="models/roadwork/bundle", policy=CERTIFIED))).text()
    assert "Compared with models/roadwork/bundle : candidate and baseline" in text
    assert "The certificate: 9 misses among 1,295 answered photographs of roadwork" in text
    assert "evidence bound" not in text


def test_the_gate_s_calibration_has_words():
    metrics = {name: {"all": made_up.cell(0.1)} for name in ("gate_nll", "gate_nll_before")}
    text = Outline(page(made_up.bare(calibration=metrics))).text()
    assert "Log-likelihood of the gate head, negative Mean surprise at whether an answer is right." in text
    assert "Gate nll" not in text


def test_a_policy_of_another_kind_shows_its_own_parameters():
    policy = {
        "kind": "open_set",
        "guarantee": "marginal",
        "feasible": True,
        "infeasible": {},
        "intraclass_correlation": 0.05,
        "evidence": {},
        "similarity": 0.61,
    }
    text = Outline(page(made_up.bare(policy=policy))).text()
    assert "open set" in text
    assert "Named from this similarity to the nearest product on 0.610" in text
    assert "risk of this one model may be larger" in text
    assert "infeasible" not in text.replace("Infeasible", "")


def test_a_policy_of_little_use_is_warned_of_with_its_figure():
    assert "of little use" not in Outline(page(made_up.bare())).text()
    exits = certified("threshold", "works", threshold=0.9) | {"evidence": {"coverage": 0.0104}}
    text = Outline(page(made_up.bare(policy=exits | {"guarantee": "none"}))).text()
    assert "! of little use it answers 0.010 of the photographs of val_calib, less than 0.1" in text


def test_class_names_that_look_like_numbers_stay_text():
    table = pd.DataFrame({"class": ["007", "NA"], "stratum_store": ["1e3", ""], "low": ["", "0.5"]})
    found = numbers(table)
    assert found["class"].tolist() == ["007", "NA"]
    assert found["stratum_store"].tolist() == ["1e3", ""]
    assert found["low"].isna().tolist() == [True, False]


def test_the_index_shows_every_model_with_its_verdict_and_link(made):
    failing = made_up.judged({"r": made_up.rule(passed=False, observed=0.8, reason="recall low is 0.8")})
    models = [
        {"name": EVIL, "address": "evil/index.html", "gate": made.gate, "test": made.test},
        {"name": "shelf", "address": "shelf/index.html", "gate": failing, "test": {}},
    ]
    found = Outline(index(models))
    assert found.open == []
    assert [link["href"] for link in found.named("a")] == ["evil/index.html", "shelf/index.html"]
    assert f"{EVIL} ✓ PASSED" in found.text()
    assert "shelf ✗ FAILED 1 of 1 rules do not hold." in found.text()
    assert "✗ Recall, everything: lower bound 0.800, must be ≥ 0.950" in found.text()
    assert found.named("script") == []


def test_the_index_of_nothing_says_so():
    assert "no evidence: no model has been judged" in index([])


OPEN_SET = {"kind": "open_set", "rule": "thresholds", "similarity": 0.7, "margin": 0.0}


def of_crops(made, **policy):
    bare = made_up.bare()
    plots = {"oscr": made_up.oscr(), "similarity": made_up.similarity()}
    test = {"oscr": {"all": made_up.cell(0.913)}}
    return page(replace(bare, plots=plots, test=test, policy=made.policy | OPEN_SET | policy))


def test_an_embedder_s_page_says_what_its_policy_does_to_known_and_unknown_crops(made):
    text = Outline(of_crops(made)).text()
    assert "Known and unknown products" in text
    assert "OSCR curve , area 0.913" in text
    assert "0.600 of the known crops named rightly, 0.040 of the unknown ones accepted" in text
    assert "[0.570, 0.630] under the policy" in text
    unknown = int(made_up.similarity().query("kind == 'unknown'")["n"].sum())
    assert f"unknown: {unknown:,}" in text
    assert "margin to the second product" not in text
    assert "margin to the second product" in Outline(of_crops(made, margin=0.05)).text()
    assert "no threshold on similarity" in Outline(of_crops(made, similarity=None)).text()


def test_a_page_without_crops_says_nothing_of_unknown_products(made, whole):
    assert "Known and unknown products" not in whole
    empty = {"oscr": made_up.oscr().iloc[:0], "similarity": made_up.similarity().iloc[:0]}
    assert "Known and unknown products" not in page(replace(made_up.bare(), plots=empty))
