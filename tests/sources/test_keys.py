import pytest

from vouch.errors import ManifestError
from vouch.sources.descriptor import check_descriptor
from vouch.sources.keys import key_problems

FILES = {f"images/{index:02d}.jpg": "" for index in range(30)}
LABELS = {"data.yaml": "names: [a]\n"}


def side(column, values):
    rows = (f"{name},s{index},{values[index % len(values)]}" for index, name in enumerate(FILES))
    return "\n".join([f"file,group_who,{column}", *rows]) + "\n"


def problems(read, files, form="yolo", *, group_keys=("who",), strata=None, **fields):
    reading = read({**LABELS, **FILES, **files}, form, unlabelled="negative", **fields)
    assert reading.problems == ()
    content = {"name": "a", "format": form, "unlabelled": "negative", **fields}
    descriptor = check_descriptor(content | ({} if form != "yolo" else {"manifest": "manifest.csv"}), "test")
    return list(key_problems(descriptor, reading, group_keys=group_keys, strata=strata or {}))


def test_an_undeclared_column_is_named_once_with_its_file_and_count(read):
    found = problems(read, {"manifest.csv": side("group_car", [f"c{index}" for index in range(10)])})
    assert [(one.where, one.expected) for one in found] == [("manifest.csv: column group_car", "a declared group key")]
    assert found[0].got == "'car' with 10 values (c0, c1, c2, c3, ...) on 30 photographs"
    assert "ingest.group_keys of params.yaml, or leave it out with `--ignore group_car`" in found[0].remedy


@pytest.mark.parametrize(
    ("column", "values", "why"),
    [
        ("group_split", ["train", "Val", "test", "valid"], "its values are names of splits"),
        ("group_part", ["a", "b", "c"], "it would chain 30 photographs into 3, fewer than the four splits"),
        ("group_all", ["x"], "it would chain 30 photographs into 1,"),
    ],
)
def test_what_would_chain_the_photographs_is_never_to_be_declared(read, column, values, why):
    (found,) = problems(read, {"manifest.csv": side(column, values)})
    assert found.remedy.startswith(f"it is no leakage group, for {why}")
    assert f"`--ignore {column}`" in found.remedy
    assert "declare" not in found.remedy
    assert "perhaps" not in found.remedy


def test_an_undeclared_stratum_may_be_declared_or_left_out(read):
    (found,) = problems(read, {"manifest.csv": side("stratum_light", ["day", "night"])}, strata={})
    assert (found.where, found.expected) == ("manifest.csv: column stratum_light", "a declared stratum")
    assert "ingest.strata of params.yaml, or leave it out with `--ignore stratum_light`" in found.remedy


def test_an_unknown_value_names_its_column_and_counts_its_photographs(read):
    allowed = {"light": ("day", "night")}
    (found,) = problems(read, {"manifest.csv": side("stratum_light", ["day", "nigth"])}, strata=allowed)
    assert found.where == "manifest.csv: column stratum_light"
    assert found.got == "'nigth' on 15 photographs, the first images/01.jpg"
    assert found.remedy == "perhaps `night` was meant"


def test_a_rule_for_a_key_of_another_name_says_which_was_meant(read):
    rule = {"groups": {"group": {"column": "group_who"}}}
    found = problems(read, {"manifest.csv": side("note", ["x"])}, group_keys=("session", "who"), **rule)
    lacking = [one for one in found if "`session`" in one.expected]
    assert len(lacking) == 30
    assert {(one.got, one.remedy.rpartition("; ")[2]) for one in lacking} == {
        ("none", "perhaps `--group session=column:group_who` was meant")
    }
    (undeclared,) = (one for one in found if one.expected == "a declared group key")
    assert undeclared.where == "manifest.csv: column group_who"
    assert undeclared.remedy.endswith("take the rule of `group` away")


def test_an_ignored_column_gives_nothing_in_every_form(read):
    text = side("group_split", ["train", "test"])
    assert problems(read, {"manifest.csv": text}, ignore=["group_split"]) == []
    rows = "".join(f"{line},a\n" for line in text.splitlines()[1:])
    table = {"manifest.csv": "file,group_who,group_split,label\n" + rows}
    assert problems(read, table, "csv", ignore=["group_split"]) == []
    lines = (f'{{"image": "{name}", "groups": {{"who": "w", "split": "x"}}}}\n' for name in FILES)
    assert problems(read, {"manifest.jsonl": "".join(lines)}, "jsonl", ignore=["group_split"]) == []


def test_an_ignored_label_is_not_compared_with_the_source(read):
    text = side("label", ["dog"])
    folders = {f"cat/{name.rpartition('/')[2]}": "" for name in FILES}
    fields = {"manifest.csv": text.replace("images/", "cat/")}
    reading = read({**folders, **fields}, "imagefolder", manifest="manifest.csv")
    assert {one.got for one in reading.problems} == {"'dog'"}
    assert read({**folders, **fields}, "imagefolder", manifest="manifest.csv", ignore=["label"]).problems == ()


@pytest.mark.parametrize(
    ("form", "files", "ignore", "where", "remedy"),
    [
        ("yolo", {"manifest.csv": side("group_split", ["x"])}, "group_spit", "--ignore group_spit", "`group_split`"),
        ("yolo", {}, "group_split", "--ignore", "--manifest"),
        ("csv", {"manifest.csv": side("label", ["a"])}, "lable", "--ignore lable", "perhaps `label` was meant"),
        ("csv", {"manifest.csv": side("label", ["a"])}, "file", "manifest.csv:1", "photographs' paths"),
        (
            "jsonl",
            {"manifest.jsonl": '{"image": "images/00.jpg", "groups": {"who": "x"}}'},
            "who",
            "--ignore who",
            "group_who",
        ),
    ],
)
def test_an_unknown_column_to_ignore_is_refused_with_the_nearest(read, form, files, ignore, where, remedy):
    found = read({**LABELS, **FILES, **files}, form, unlabelled="negative", ignore=[ignore]).problems
    assert [one.where for one in found][:1] == [where]
    assert remedy in found[0].remedy


def test_a_column_cannot_be_ignored_and_asked_for(describe):
    with pytest.raises(ManifestError, match="expected who: a column that is ignored can have no rule") as caught:
        describe("yolo", ignore=["who"], groups={"session": {"column": "who"}})
    assert len(caught.value.problems[0].got) <= 80  # of the whole descriptor no more than a line


def test_several_tables_of_a_source_may_have_different_columns(read):
    names = list(FILES)
    first = "image,label,group_who\n" + "".join(f"{name},a,x\n" for name in names[:15])
    second = "image,label,group_who,stratum_light\n" + "".join(f"{name},a,y,day\n" for name in names[15:])
    files = {**FILES, "one.csv": first, "two.csv": second}
    reading = read(files, "csv", annotations=["one.csv", "two.csv"])
    assert reading.problems == ()
    assert {tuple(sorted(record.strata.items())) for record in reading.records} == {
        (),
        (("light", "day"),),
    }
