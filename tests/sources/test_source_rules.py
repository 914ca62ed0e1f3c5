import pytest

from vouch.errors import ManifestError
from vouch.sources.options import labels_of, rules_of, split_of

FILES = {"data.yaml": "names: [a]\n", "images/day/cam1/s01_f3.jpg": "", "images/night/cam2/s02_f9.jpg": ""}
SIDE = "file,who,width,height\nimages/day/cam1/s01_f3.jpg,x,64,48\nimages/night/cam2/s02_f9.jpg,y,64,48\n"


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ({"pattern": r"^(s\d+)_"}, ["s01", "s02"]),
        ({"level": 2}, ["day", "night"]),
        ({"level": -1}, ["cam1", "cam2"]),
        ({"value": "all"}, ["all", "all"]),
        ({"column": "who"}, ["x", "y"]),
    ],
)
def test_a_rule_finds_its_value(read, rule, values):
    rules = {"groups": {"session": rule}, "strata": {"time": rule}, "split": rule}
    reading = read({**FILES, "manifest.csv": SIDE}, "yolo", **rules)
    assert reading.problems == ()
    assert [record.groups["session"] for record in reading.records] == values
    assert [record.strata["time"] for record in reading.records] == values
    assert [record.split for record in reading.records] == values
    assert reading.records[0].width == 64


@pytest.mark.parametrize("rule", [{"pattern": r"^(t\d+)_"}, {"pattern": r"^(x*)"}, {"level": 4}, {"level": -4}])
def test_a_rule_that_finds_nothing_is_a_problem_per_photograph(read, rule):
    problems = read(FILES, "yolo", groups={"session": rule}).problems
    assert len(problems) == 2
    assert "`session`" in problems[0].expected


@pytest.mark.parametrize("rule", [{"pattern": r"^(t\d+)_"}, {"level": 4}])
def test_a_rule_of_the_split_that_finds_nothing_is_one_too(read, rule):
    problems = read(FILES, "yolo", split=rule).problems
    assert [problem.expected.split(" by ")[0] for problem in problems] == ["a value of `split`"] * 2


def test_a_split_may_stand_in_its_own_column_and_a_rule_may_not_contradict_it(read):
    side = SIDE.replace("who", "split_stated").replace(",y,", ",,")
    found = read({**FILES, "manifest.csv": side}, "yolo")
    assert found.problems == ()
    assert [record.split for record in found.records] == ["x", None]
    problems = read({**FILES, "manifest.csv": side}, "yolo", split={"value": "y"}).problems
    assert [(one.expected, one.got) for one in problems] == [("`split` 'x' as stated elsewhere", "'y'")]
    assert [one.split for one in read({**FILES, "manifest.csv": side}, "yolo", ignore=["split_stated"]).records] == [
        None,
        None,
    ]


def test_the_words_of_an_option_for_the_split():
    assert split_of("part") == {"column": "part"}
    assert split_of("column:a b") == {"column": "a b"}
    assert split_of("folder:-1") == {"level": -1}
    assert split_of("name:_(\\w+)_") == {"pattern": "_(\\w+)_"}
    assert split_of("a:b") == {"column": "a:b"}
    for word in ("", "folder:x", "value:"):
        with pytest.raises(ManifestError, match="--split"):
            split_of(word)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (None, "a side manifest for the columns who"),
        (SIDE.replace("who", "whom"), "a column of the manifest"),
        (SIDE.rpartition("images")[0], "a row of manifest.csv"),
        (SIDE + "images/c.jpg,z,1,1\n", "a photograph of the source"),
        (SIDE + SIDE.rpartition("\n")[0].rpartition("\n")[2] + "\n", "one row per photograph"),
        (SIDE.replace("64,48\nimages/night", "64,4.5\nimages/night"), "a positive whole number of pixels"),
    ],
)
def test_a_side_manifest_that_does_not_fit_is_refused(read, side, expected):
    files = FILES if side is None else {**FILES, "manifest.csv": side}
    problems = read(files, "yolo", groups={"session": {"column": "who"}}).problems
    assert [problem.expected for problem in problems] == [expected]


def test_columns_with_a_prefix_need_no_rule_and_may_not_contradict_one(read):
    side = SIDE.replace("who", "group_session")
    assert [record.groups for record in read({**FILES, "manifest.csv": side}, "yolo").records] == [
        {"session": "x"},
        {"session": "y"},
    ]
    problems = read({**FILES, "manifest.csv": side}, "yolo", groups={"session": {"value": "x"}}).problems
    assert [(problem.expected, problem.got) for problem in problems] == [("`session` 'y' as stated elsewhere", "'x'")]


def test_the_same_key_may_be_group_and_stratum(read):
    fields = {"groups": {"camera": {"level": 3}}, "strata": {"camera": {"column": "who"}}}
    record = read({**FILES, "manifest.csv": SIDE}, "yolo", **fields).records[0]
    assert (record.groups, record.strata) == ({"camera": "cam1"}, {"camera": "x"})


def test_options_become_rules():
    words = ["session", "drive=folder:-1", "day=name:^(\\d{8})_a=b:c", "site=value:north", "who=column:a=b"]
    assert rules_of(words, default_key="group") == {
        "group": {"column": "session"},
        "drive": {"level": -1},
        "day": {"pattern": "^(\\d{8})_a=b:c"},
        "site": {"value": "north"},
        "who": {"column": "a=b"},
    }
    assert rules_of(["light"], default_key=None) == {"light": {"column": "light"}}


@pytest.mark.parametrize("words", [["a=b"], ["a=folder:x"], ["a=column:"], ["a=colour:b"], ["x", "y"], ["a=folder:²"]])
def test_options_of_another_form_are_refused(words):
    with pytest.raises(ManifestError):
        rules_of(words, default_key="group")


def test_label_map_options():
    assert labels_of(["a=b=c", "d="]) == {"a=b": "c", "d": None}
    for words in (["a"], ["=b"], ["a=b", "a=c"]):
        with pytest.raises(ManifestError):
            labels_of(words)
