import pandas as pd
import pytest

from made_folders import manifest, planted, yolo
from vouch.proposal.groups import find_groups
from vouch.proposal.strata import coverage, find_strata
from vouch.proposal.survey import survey

NAMES = [f"{n:03}x" for n in range(80)]


def found(root, columns, asked=(), *, ignore=()):
    rows = [
        {"file": f"images/{name}.jpg", "video": i // 4, **{column: of(i) for column, of in columns.items()}}
        for i, name in enumerate(NAMES)
    ]
    look = survey(planted(root, {**yolo(NAMES), "manifest.csv": manifest(rows)}), task=None, ignore=ignore)
    return find_strata(look, find_groups(look, ["video"]), asked)


def light(i):
    return "day" if i % 2 else "Dusk"


def test_a_column_of_few_values_in_many_groups_is_proposed(tmp_path):
    strata = found(tmp_path, {"light": light})
    assert strata.allowed == {"light": ("Dusk", "day")}
    assert strata.rules["light"].column == "light"
    assert strata.said == (("stratum `light`", "values Dusk, day, each of at least 40 photographs in 20 groups"),)


@pytest.mark.parametrize(
    "of",
    [
        lambda i: "train" if i % 2 else "test",
        lambda i: i % 2,  # a number
        lambda i: "rare" if i < 10 else "usual",  # 10 photographs
        lambda i: "one" if i < 24 else "two",  # 24 photographs in six videos
        lambda i: "x",
        lambda i: "abcdefg"[i % 7],
        lambda i: "" if i % 2 else "day",
    ],
)
def test_nothing_else_is_proposed(tmp_path, of):
    assert found(tmp_path, {"light": of}).allowed == {}


def test_a_column_that_is_ignored_is_not_proposed(tmp_path):
    assert found(tmp_path, {"light": light}, ignore=["light"]).allowed == {}


def test_what_is_named_or_stated_stands_alone(tmp_path):
    columns = {"light": light, "place": lambda i: "in" if i < 4 else "out"}
    assert found(tmp_path, columns, ["place"]).allowed == {"place": ("in", "out")}
    assert found(tmp_path, {"stratum_rain": lambda i: "dry"}).allowed == {"rain": ("dry",)}


@pytest.mark.parametrize(
    ("asked", "of", "got"),
    [("lihgt", light, "'lihgt'"), ("light", lambda i: "day" if i else "", "none for 1"), ("a=b=c", light, "'a=b=c'")],
)
def test_what_is_named_and_not_there_is_refused(tmp_path, asked, of, got):
    (problem,) = found(tmp_path, {"light": of}, [asked]).problems
    assert problem.got == got


def test_coverage_asks_for_half_of_what_is_there():
    samples = pd.DataFrame({"sample_id": list("abcdefgh"), "label": None, "stratum_light": list("nnnnnddd")})
    samples = samples.astype("str").assign(label=pd.Series([None] * 8, dtype="str"))
    boxes = pd.DataFrame({"sample_id": list("aabbbch"), "class_name": ["cone"] * 6 + ["cube"]}, dtype="str")
    needed = coverage(samples, boxes, classes=("cone", "cube"), strata={"light": ("d", "n")}, groups=11)
    assert needed == {"min_components": 5, "min_samples": 1, "min_count": 1}  # of 11, of three by day, of one cube
    assert coverage(samples, boxes, classes=(), strata={}, groups=5)["min_components"] == 4
