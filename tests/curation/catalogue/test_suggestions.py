"""Empty places of a benchmark are filled where most is lacking, by what the model is least sure of."""

import math
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_rows import table, text
from vouch.curation.benchmark.rows import IDENTITY
from vouch.curation.catalogue.catalogue import Candidate
from vouch.curation.catalogue.suggestions import entropy, suggest


def have(name, photograph, negative=False, light="", url=""):
    strata = (("stratum_light", light),) if light else ()
    return Candidate(name, negative, strata, photograph, url, f"mine: {photograph or url}", "CC0-1.0")


def filled(result):
    return [(one.row_id, one.candidate.key) for one in result.made]


def test_a_suggestion_carries_its_file_url_provenance_and_licence_and_nothing_else_changes():
    rows = table({"note": "ask Ann"}, {"class": "glass"})
    one = Candidate("can", False, (), "a.jpg", "https://example.org/a.jpg", "mine: a.jpg", "CC-BY-4.0")
    result = suggest(rows, [one], {}, most=None)
    assert text(result.rows, "row_id", "photograph", "url", "source", "license", "status", "note") == [
        ("r0", "a.jpg", "https://example.org/a.jpg", "mine: a.jpg", "CC-BY-4.0", "suggested", "ask Ann"),
        ("r1", "", "", "", "", "wanted", ""),
    ]
    assert result.lacking == {("glass", False, (("stratum_light", ""),)): 1}


def test_the_cell_that_lacks_most_comes_first():
    rows = table(*[{"class": name} for name in ("can", "glass", "glass", "glass", "glass", "can")])
    result = suggest(rows, [have(name, f"{name}{n}") for name in ("can", "glass") for n in range(9)], {}, most=4)
    # glass lacks 4, then 3, then 2 like can, which is first by name
    assert filled(result) == [("r1", "glass0"), ("r2", "glass1"), ("r0", "can0"), ("r3", "glass2")]
    assert [one.lacking for one in result.made] == [4, 3, 2, 2]


def test_what_the_model_is_least_sure_of_comes_first_and_what_it_was_not_asked_last():
    found = [have("can", name) for name in ("a", "b", "c", "d")]
    result = suggest(table({}, {}, {}, {}), found, {"b": 0.5, "c": 0.9, "d": 0.99}, most=None)
    assert [one.candidate.key for one in result.made] == ["b", "c", "d", "a"]
    # -.9 log2 .9 - .1 log2 .1 = .1368 + .3322
    assert [one.entropy and round(one.entropy, 3) for one in result.made] == [1.0, 0.469, 0.081, None]


def test_entropy_is_symmetric_and_zero_at_the_ends():
    assert [entropy(p) for p in (0.0, 0.5, 1.0)] == [0.0, 1.0, 0.0]
    assert math.isclose(entropy(0.2), entropy(0.8))


def test_a_stratum_is_never_contradicted_and_one_that_is_stated_is_preferred():
    rows = table({"stratum_light": "day"}, {"stratum_light": "night"}, {"stratum_light": ""})
    found = [have("can", "anytime"), have("can", "day", light="day"), have("can", "dusk", light="dusk")]
    assert set(filled(suggest(rows, found, {}, most=None))) == {("r0", "day"), ("r1", "anytime"), ("r2", "dusk")}


def test_negatives_stay_negative_and_are_filled_by_negatives_alone():
    rows = table({"negative": "true"}, {})
    result = suggest(rows, [have("can", "is"), have("can", "is-not", negative=True)], {}, most=None)
    assert set(filled(result)) == {("r0", "is-not"), ("r1", "is")}
    assert text(result.rows, *IDENTITY) == text(rows, *IDENTITY)
    alone = suggest(table({"negative": "true"}), [have("can", "is")], {}, most=None)
    assert filled(alone) == []
    assert alone.unasked == {("can", False): 1}


def test_what_a_row_names_already_is_not_suggested_whatever_became_of_it():
    rows = table(
        {"photograph": "./a", "status": "rejected"},
        {"url": "https://example.org:443/b", "status": "labelled"},
        {}, {}, {}, {},
    )  # fmt: skip
    found = [have("can", "a"), have("can", "", url="https://EXAMPLE.org/b"), have("can", "c"), have("can", "c2")]
    assert [key for _, key in filled(suggest(rows, found, {}, most=None))] == ["c", "c2"]


def test_a_rejected_row_stays_and_another_takes_its_place():
    rows = table({"photograph": "a", "status": "rejected", "stratum_light": "day", "negative": "true", "note": "blur"})
    result = suggest(rows, [have("can", "b", negative=True)], {}, most=None)
    assert text(result.rows, "row_id", "class", "negative", "stratum_light", "photograph", "status", "note") == [
        ("r0", "can", "true", "day", "a", "rejected", "blur"),
        ("r0.2", "can", "true", "day", "b", "suggested", ""),
    ]
    again = suggest(result.rows, [have("can", "c", negative=True)], {}, most=None)
    assert filled(again) == []  # the place is taken
    both = table({"photograph": "a", "status": "rejected"}, {"row_id": "r0.2", "photograph": "b", "status": "rejected"})
    assert filled(suggest(both, [have("can", "c")], {}, most=None)) == [("r0.3", "c")]


def test_a_place_is_filled_once_where_a_person_took_a_rejected_row_out_of_the_middle():
    rows = table({"status": "rejected"}, {"row_id": "r0.3", "photograph": "c", "status": "labelled"})
    assert filled(suggest(rows, [have("can", "d")], {}, most=None)) == []
    gone = table({"status": "rejected"}, {"row_id": "r0.3", "photograph": "c", "status": "rejected"})
    assert filled(suggest(gone, [have("can", "d")], {}, most=None)) == [("r0.4", "d")]


def test_a_row_that_is_called_like_the_first_after_another_has_a_place_of_its_own():
    both = table({"row_id": "a", "status": "rejected"}, {"row_id": "a.1", "status": "rejected"})
    assert filled(suggest(both, [have("can", "c"), have("can", "d")], {}, most=None)) == [("a.2", "c"), ("a.1.2", "d")]


def test_at_most_so_many_wait_for_a_person():
    rows = table({"photograph": "x", "status": "suggested"}, {}, {}, {})
    found = [have("can", str(n)) for n in range(5)]
    result = suggest(rows, found, {}, most=3)
    assert len(result.made) == 2
    assert suggest(result.rows, found, {}, most=3).made == ()
    assert suggest(result.rows, found, {}, most=1).made == ()


def test_a_wanted_row_with_a_photograph_of_a_person_s_choice_is_left_alone():
    rows = table({"photograph": "mine.jpg"}, {"url": "https://example.org/a"})
    assert suggest(rows, [have("can", "a")], {}, most=None).made == ()


LIGHTS, NAMES = ("", "day", "night"), ("can", "glass")


@settings(max_examples=150, deadline=None, database=None)
@given(
    wanted=st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.sampled_from(LIGHTS)), max_size=12),
    had=st.lists(
        st.tuples(st.sampled_from(NAMES), st.booleans(), st.sampled_from(LIGHTS), st.none() | st.floats(0, 1)),
        max_size=12,
    ),
    most=st.none() | st.integers(0, 6),
)
def test_the_choice_is_that_of_a_search_through_everything(wanted, had, most):
    rows = table(*({"class": name, "negative": str(no).lower(), "stratum_light": light} for name, no, light in wanted))
    found = [have(name, f"p{index:02d}", no, light) for index, (name, no, light, _) in enumerate(had)]
    scores = {f"p{index:02d}": score for index, (*_, score) in enumerate(had) if score is not None}
    result = suggest(rows, found, scores, most=most)
    assert filled(result) == searched(wanted, had, len(wanted) if most is None else most)
    assert suggest(result.rows, found, scores, most=most).made == ()


def searched(wanted, had, room):
    """The rule, word by word: try every cell and every candidate at each step."""
    empty, free, chosen = list(enumerate(wanted)), list(enumerate(had)), []
    while len(chosen) < room:
        lacking = Counter(cell for _, cell in empty)
        options = []
        for cell, count in lacking.items():
            for index, (name, no, light, score) in free:
                if (name, no) != cell[:2] or (cell[2] and light and light != cell[2]):
                    continue
                unsure = 0 if score in (None, 0, 1) else -score * math.log2(score) - (1 - score) * math.log2(1 - score)
                options.append((-count, -(cell[2] != ""), cell, -(light != ""), -unsure, index))
        if not options:
            break
        _, _, cell, *_, index = min(options)
        row = next(row for row, other in empty if other == cell)
        empty.remove((row, cell))
        free = [one for one in free if one[0] != index]
        chosen.append((f"r{row}", f"p{index:02d}"))
    return chosen
