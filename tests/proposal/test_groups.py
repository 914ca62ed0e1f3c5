import csv
import io
from datetime import datetime, timedelta

import pytest

from made_folders import GREY, in_classes, manifest, photograph, planted, yolo
from vouch.errors import ManifestError
from vouch.proposal.groups import find_groups, n_components
from vouch.proposal.sessions import lent
from vouch.proposal.survey import survey
from vouch.sources.reading import read_source

NOON = datetime(2025, 6, 16, 12)
VIDEOS = [f"video{v}_{n:03}" for v in range(5) for n in range(4)]


def found(root, files, asked=(), *, ignore=()):
    return find_groups(survey(planted(root, files), task=None, ignore=ignore), asked)


def with_columns(names, **columns):
    """YOLO files whose manifest has these columns, each a function of a photograph's place."""
    rows = [
        {"file": f"images/{name}.jpg", **{column: of(i) for column, of in columns.items()}}
        for i, name in enumerate(names)
    ]
    return {**yolo(names), "manifest.csv": manifest(rows)}


def plain(count):
    """Names that say nothing: no number at the end, no time."""
    return [f"{n:03}x" for n in range(count)]


def test_a_column_that_names_what_is_shared_is_taken(tmp_path):
    groups = found(tmp_path, with_columns(plain(20), video=lambda i: f"v{i % 5}", weather=lambda i: f"w{i % 7}"))
    assert groups.keys == ("video",)
    assert groups.rules["video"].column == "video"
    assert groups.values["video"][:6] == ("v0", "v1", "v2", "v3", "v4", "v0")
    assert groups.said[0][1].startswith("column video; 5 groups with a median of 4 photographs")


def test_a_column_that_is_ignored_is_not_taken(tmp_path):
    files = with_columns(plain(20), video=lambda i: f"v{i % 5}", tape=lambda i: i // 4, clip=lambda i: i // 5)
    assert found(tmp_path, files, ignore=["video"]).keys == ("clip",)


def test_two_keys_are_kept_where_enough_groups_stay_independent(tmp_path):
    driver, vehicle = (lambda i: f"d{i // 4}"), (lambda i: f"v{i // 8}" if i < 80 else f"w{i // 4}")
    groups = found(tmp_path, with_columns(plain(160), driver=driver, vehicle=vehicle, site=lambda i: f"s{i % 4}"))
    assert set(groups.keys) == {"vehicle"}  # 10 + 20 vehicles; each driver lies in one, and four sites chain all
    told = dict(groups.said)
    assert told["column driver adds nothing"] == "its groups lie in those of `vehicle`"
    assert "only 1 independent groups would be left" in told["column site is not a key"]


def test_a_second_key_that_joins_some_groups_is_taken_too(tmp_path):
    columns = {"driver": lambda i: f"d{i // 4}", "car": lambda i: "c0" if i == 4 else f"c{i // 4}"}
    groups = found(tmp_path, with_columns(plain(120), **columns))
    assert set(groups.keys) == {"driver", "car"}
    assert groups.said[1][1].endswith("together 29 independent groups")


def test_columns_that_only_look_like_groups_are_named_in_the_refusal(tmp_path):
    files = with_columns(
        plain(20),
        split=lambda i: "train" if i % 3 else "valid",
        usage=lambda i: "train2017" if i % 4 else "val2017",
        group=lambda i: "abc"[i % 3],
        camera=lambda i: "one",
        frame=lambda i: i % 7,
        sha=lambda i: i,
    )
    groups = found(tmp_path, files)
    (refused,) = groups.problems
    assert groups.keys == ()
    assert "column split, column usage (names of splits" in refused.got
    assert "column group (3 groups: too few for four splits)" in refused.got
    assert "column camera (one value for all)" in refused.got
    assert "column frame (nothing in its name says" in refused.got
    assert "column sha (another value for nearly every photograph)" in refused.got
    assert "--group none" in refused.remedy


def test_a_class_is_no_group_however_it_is_called_and_whoever_names_it(tmp_path):
    pictures = {f"{name}/{n}x.jpg": GREY for name in "abcdef" for n in range(4)}
    rows = [{"image": path, "coarse_label": path[0].upper()} for path in pictures]
    tree = {**pictures, "manifest.csv": manifest(rows)}
    (refused,) = found(tmp_path / "found", tree).problems
    assert "column coarse_label" in refused.got.partition(" (the class again)")[0]
    (refused,) = found(tmp_path / "named", tree, asked=("coarse_label",)).problems
    assert refused.got == "the class again (A, B, C ...)"
    assert "--strata" not in refused.remedy


def test_stated_columns_are_taken_and_those_that_would_chain_are_to_be_ignored(tmp_path):
    columns = {"group_car": lambda i: i // 2, "group_split": lambda i: "train" if i % 3 else "test"}
    files = with_columns(plain(20), **columns)
    (refused,) = found(tmp_path, files).problems
    assert refused.where == "column group_split of manifest.csv"
    assert "chained into 2 groups" in refused.got
    assert "--ignore group_split" in refused.remedy
    assert "--strata" not in refused.remedy  # what is left out can be none
    groups = found(tmp_path, files, ignore=("group_split",))
    assert (groups.keys, groups.problems, dict(groups.rules)) == (("car",), (), {})


def test_folders_are_groups_but_not_those_of_a_split_or_class(tmp_path):
    names = [f"images/{split}/day{d}/{n}x" for split in ("train", "val") for d in range(5) for n in range(3)]
    files = {"data.yaml": "names: [a]\n"}
    for name in names:
        files |= {f"{name}.jpg": GREY, f"{name.replace('images', 'labels')}.txt": "0 .5 .5 .5 .5\n"}
    groups = found(tmp_path / "yolo", files)
    assert (groups.keys, groups.rules["folder"].level) == (("folder",), 3)
    classes = {f"{site}/{name}/{n}x.jpg": GREY for site in "pqrs" for name in ("cat", "dog") for n in range(2)}
    groups = found(tmp_path / "classes", classes)
    assert (groups.rules["folder"].level, set(groups.values["folder"])) == (1, set("pqrs"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (VIDEOS, {f"video{v}" for v in range(5)}),
        ([f"s{v}-{n}_jpg.rf.{n}{v}ab" for v in "abcd" for n in range(3)], {"sa", "sb", "sc", "sd"}),
        ([f"{v}_frame{n}" for v in "abcd" for n in range(3)], set("abcd")),
        ([f"IMG_{n:04}" for n in range(12)], None),  # the camera's word
        ([f"{n:06}" for n in range(12)], None),
        ([f"2025061{day}_12000{n}" for day in range(5) for n in range(2)], None),  # the end of a time is no number
        ([f"{n * 7919:x}f-1" for n in range(12)], None),  # each photograph its own
    ],
)
def test_the_name_before_a_number_is_a_sequence(tmp_path, names, expected):
    groups = found(tmp_path, yolo(names))
    assert set(groups.values.get("sequence", ())) == (expected or set())
    if expected:
        assert groups.rules["sequence"].pattern is not None


def test_a_rule_for_names_finds_in_an_import_what_the_proposal_saw(tmp_path):
    look = survey(planted(tmp_path, yolo(VIDEOS)), task=None, ignore=())
    groups = find_groups(look, ())
    reading = read_source(look.tree, look.descriptor.model_copy(update={"groups": dict(groups.rules)}))
    assert reading.problems == ()
    assert tuple(record.groups["sequence"] for record in reading.records) == groups.values["sequence"]


def test_a_name_that_follows_the_class_is_no_group(tmp_path):
    files = {f"{c}/{c}{n}.jpg": GREY for c in ("cat", "dog", "cow", "hen") for n in range(4)}
    (refused,) = found(tmp_path, files).problems
    assert "name before its number (the class again)" in refused.got


def at(seconds):
    return NOON + timedelta(seconds=seconds)


SHOTS = [start + step for start in (0, 100, 131, 400) for step in (0, 30)]  # 130 and 131 are of one session
STARTS = ["20250616_120000", "20250616_120140", "20250616_120640"]


def test_times_in_names_become_sessions_that_are_lent_to_the_import(tmp_path):
    names = [f"{at(second):%Y%m%d_%H%M%S}" for second in [*SHOTS, 900]]
    look = survey(planted(tmp_path / "a", yolo(names)), task=None, ignore=())
    groups = find_groups(look, ())
    assert (groups.keys, groups.problems) == (("session",), ())
    assert sorted(set(groups.values["session"])) == [*STARTS, "20250616_121500"]
    path = tmp_path / "lent.csv"
    path.write_text(groups.manifest, encoding="utf-8")
    update = {"groups": dict(groups.rules), "manifest": "sessions.csv"}
    reading = read_source(lent(look.tree, path), look.descriptor.model_copy(update=update))
    assert reading.problems == ()
    assert tuple(record.groups["session"] for record in reading.records) == groups.values["session"]


def exif(names, times, **columns):
    files = with_columns(names, **columns) if columns else yolo(names)
    return files | {f"images/{n}.jpg": photograph(taken=t) for n, t in zip(names, times, strict=True)}


def test_exif_gives_sessions_where_nearly_all_photographs_have_a_time(tmp_path):
    times = [*map(at, (0, 10, 60, 70, 200, 210, 400, 410, 420)), None]
    groups = found(tmp_path / "a", exif(plain(10), times, lens=lambda i: "x"))
    rows = list(csv.DictReader(io.StringIO(groups.manifest)))
    assert [row["session_by_time"][-6:] for row in rows] == [*["120000", "120000", "120100", "120100"], *rest(rows)]
    assert rows[-1]["session_by_time"] == "without_time"
    assert {row["lens"] for row in rows} == {"x"}  # what the folder's own manifest says stays
    groups = found(tmp_path / "b", exif(plain(10), [*times[:8], None, None]))
    assert groups.keys == ()


def rest(rows):
    return [row["session_by_time"][-6:] for row in rows[4:]]


def test_named_groups_are_taken_and_judged(tmp_path):
    files = with_columns(VIDEOS, split=lambda i: "train" if i % 3 else "val", who=lambda i: i // 4, gap=lambda i: "")
    assert found(tmp_path, files, ["who"]).keys == ("group",)
    assert set(found(tmp_path, files, [r"clip=name:^(video\d)"]).values["clip"]) == {f"video{v}" for v in range(5)}
    refused = {
        "part=column:split": "names of splits",
        "x=value:y": "one value for all",
        "gap": "empty for 20 photographs",
        "whom": "'whom'",
        "a=b=c": "'a=b=c'",
        "sample=column:who": "sample",
        r"n=name:^(audio\d)": "none",
    }
    for word, got in refused.items():
        (problem,) = found(tmp_path, files, [word]).problems
        assert problem.got.startswith(got)


def test_none_makes_each_photograph_its_own_group_unless_the_source_states_groups(tmp_path):
    groups = found(tmp_path / "a", in_classes({"cat": 3, "dog": 3}), ["none"])
    assert (groups.keys, groups.rules, groups.problems) == (("sample",), {}, ())
    stated = with_columns(plain(12), group_car=lambda i: i // 2)
    (refused,) = found(tmp_path / "b", stated, ["none"]).problems
    assert "--ignore group_car" in refused.remedy
    (refused,) = found(tmp_path / "a", {}, ["none", "who"]).problems
    assert refused.expected == "`none` alone, or keys"


def test_components_are_what_all_keys_leave_apart():
    assert n_components({"a": tuple("xxyyzz"), "b": tuple("112345")}, 6) == 3
    assert n_components({"a": tuple("xxyyzz"), "b": tuple("111111")}, 6) == 1
    assert n_components({}, 6) == 6


def test_a_folder_of_another_form_is_refused_before_groups_are_asked(tmp_path):
    with pytest.raises(ManifestError):
        found(tmp_path, {"a.jpg": GREY})


def test_of_a_manifest_that_lacks_rows_no_groups_are_missed(tmp_path):
    names = plain(12)
    whole = with_columns(names, drive=lambda i: i // 2)
    files = {**whole, "manifest.csv": whole["manifest.csv"].rpartition("images")[0]}
    look = survey(planted(tmp_path, files), task=None, ignore=())
    assert [problem.expected for problem in look.problems] == ["a row of manifest.csv"]
    assert find_groups(look, ()).problems == ()
