import pytest
from ruamel.yaml import YAML

from vouch.commands.params_edit import on_list, with_name, without, without_entry
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
