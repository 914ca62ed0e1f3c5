import pytest
from ruamel.yaml import YAML

from vouch.commands.params_edit import on_list, with_entry, with_item, with_name, without, without_entry
from vouch.errors import ParamsError

TEXT = """pipeline: # which data set and model takes which road
  models:
  - driver
  rendered: # drawn, not photographed
  - driver
  - shelf
  # models that wait for their first promotion
  unpromoted:
  - driver
  # the end
datasets:
  driver:
    render:
      note: a line of more than eighty characters, which a round trip through a parser would break in two
  shelf:
    render:
      seed: 1
  own: {}
"""


@pytest.mark.parametrize("name", ["driver", "shelf"])
def test_one_line_goes_and_comes_back(name):
    less = without(TEXT, "rendered", name)
    gone = [line for line in TEXT.splitlines() if line not in less.splitlines()]
    assert gone == ([] if name == "driver" else ["  - shelf"])  # `- driver` stands on other lists too
    assert len(less.splitlines()) == len(TEXT.splitlines()) - 1
    assert with_name(less, "rendered", name) == TEXT


def test_an_emptied_list_stays_a_list_and_no_comment_is_lost():
    empty = without(without(TEXT, "rendered", "shelf"), "rendered", "driver")
    assert "  rendered: [] # drawn, not photographed\n  # models that wait" in empty
    assert on_list(empty, "rendered") == ()
    assert with_name(with_name(empty, "rendered", "shelf"), "rendered", "driver") == TEXT
    assert with_name(with_name(empty, "rendered", "driver"), "rendered", "shelf") == TEXT


def test_the_parser_reads_what_the_edit_wrote():
    content = YAML(typ="safe").load(with_name(TEXT, "rendered", "own"))
    assert content["pipeline"]["rendered"] == ["driver", "shelf", "own"]
    assert content["datasets"] == YAML(typ="safe").load(TEXT)["datasets"]


@pytest.mark.parametrize("form", ["rendered: [driver, shelf]", "rendered: driver", "other: []", "rendered:   []"])
def test_another_form_is_refused(form):
    text = TEXT.replace("rendered: # drawn, not photographed\n  - driver\n  - shelf", form)
    with pytest.raises(ParamsError):
        without(text, "rendered", "driver")


MAPPING = """pipeline:
  unpromoted: # compared with nothing yet
    first:
      dataset: a
    second: # the other
      dataset: b # kept
  # after
  other:
  - x
"""


def test_an_entry_goes_with_its_lines_and_nothing_else():
    expected = MAPPING.replace("    first:\n      dataset: a\n", "")
    assert without_entry(MAPPING, "unpromoted", "first") == expected
    empty = without_entry(expected, "unpromoted", "second")
    assert empty == "pipeline:\n  unpromoted: {} # compared with nothing yet\n  # after\n  other:\n  - x\n"
    assert without_entry(empty, "unpromoted", "first") == empty


def test_a_road_that_is_no_mapping_is_refused():
    with pytest.raises(ParamsError, match=r"pipeline\.other"):
        without_entry(MAPPING, "other", "x")


WHOLE = """pipeline: # roads
  datasets:
  - driver # drawn

  models:
    driver: # the first
      task: detect
    # the end of the models
  frozen: {} # none yet
  waiting: [] # none
datasets:
  driver:
    scan: {}
models:
  driver:
    bundle: {}"""


def added(text, before=WHOLE):
    return [line for line in text.splitlines() if line not in before.splitlines()]


@pytest.mark.parametrize(
    ("keys", "content", "lines"),
    [
        (("pipeline", "models", "cones"), {"task": "detect"}, ["    cones:"]),
        (("pipeline", "frozen", "cones"), {"start": "a/b"}, ["  frozen: # none yet", "    cones:", "      start: a/b"]),
        (("datasets", "cones"), {"classes": ["a", "b c"]}, ["  cones:", "    classes:", "    - a", "    - b c"]),
        (("models", "cones"), {"gate": {}, "alpha": 0.05}, ["  cones:", "    gate: {}", "    alpha: 0.05"]),
    ],
)
def test_an_entry_comes_last_and_nothing_else_changes(keys, content, lines):
    text = with_entry(WHOLE + "\n", keys, content)
    assert added(text) == lines
    found = YAML(typ="safe", pure=True).load(text)
    for key in keys:
        found = found[key]
    assert found == content
    assert [line for line in WHOLE.splitlines() if line not in text.splitlines()] in ([], ["  frozen: {} # none yet"])
    assert text.index("# the end of the models") < text.index("frozen")


def columns(content):
    return [token.column for tokens in content.ca.items.values() for token in tokens if token is not None]


def test_the_comments_of_what_is_put_in_stay_where_they_were():
    content = YAML().load("cones:\n  seed: 1          # of the split\n  list:\n  - a        # the first\n")["cones"]
    assert "  cones:\n    seed: 1 # of the split\n" in with_entry(WHOLE + "\n", ("datasets", "cones"), content)
    assert (columns(content), columns(content["list"])) == ([19], [13])


def test_an_item_comes_last_on_a_list_or_on_an_empty_one():
    assert "  - driver # drawn\n  - cones\n\n  models" in with_item(WHOLE, ("pipeline", "datasets"), "cones")
    assert "  waiting: # none\n  - cones\ndatasets:" in with_item(WHOLE, ("pipeline", "waiting"), "cones")


@pytest.mark.parametrize(
    ("text", "keys", "words"),
    [
        (WHOLE, ("models", "driver"), "no driver yet"),
        (WHOLE, ("systems", "x"), "systems: expected a block mapping"),
        (
            WHOLE.replace("frozen: {}", "frozen: {a: 1}"),
            ("pipeline", "frozen", "b"),
            "frozen: expected a block mapping",
        ),
        (WHOLE, ("pipeline", "datasets", "x"), "datasets: expected a block mapping"),
    ],
)
def test_what_is_no_place_for_an_entry_is_refused(text, keys, words):
    with pytest.raises(ParamsError, match=words):
        with_entry(text, keys, {"a": 1})


@pytest.mark.parametrize(
    ("text", "road"),
    [
        (WHOLE.replace("  - driver # drawn", "    driver: 1"), "datasets"),
        (WHOLE.replace("waiting: []", "waiting: [a]"), "waiting"),
    ],
)
def test_what_is_no_place_for_an_item_is_refused(text, road):
    with pytest.raises(ParamsError, match="a block list"):
        with_item(text, ("pipeline", road), "cones")
