import os
from itertools import pairwise
from typing import Annotated, Literal

import pytest
from pydantic import Field, RootModel, ValidationError, model_validator

from alarm import within
from vouch.errors import ParamsError
from vouch.params import Section, check, load, read_params, read_value


class Inner(Section):
    names: tuple[str, ...]


class Numbers(Section):
    rate: float
    rates: dict[str, Annotated[float, Field(ge=0)]]
    pair: tuple[float, ...]
    maybe: float | None
    count: int
    counts: tuple[int, ...]
    named: dict[str, bool | int | float | str | tuple[int, ...]]

    @model_validator(mode="after")
    def _calculates(self):
        assert self.count * 0.5 < float("inf")  # 10**400 * 0.5 is an OverflowError
        return self


class Example(Section):
    rate: Annotated[float, Field(ge=0, le=1)]
    epochs: int
    inner: Inner


def written(folder, text):
    path = folder / "params.yaml"
    path.write_text(text)
    return path


def test_a_section_is_typed_and_frozen(tmp_path):
    path = written(tmp_path, "models:\n  m:\n    s:\n      rate: 1\n      epochs: 3\n      inner: {names: [a, on]}\n")
    section = load(Example, "models", "m", "s", path=path)
    assert (section.rate, section.epochs, section.inner.names) == (1.0, 3, ("a", "on"))
    with pytest.raises(ValidationError):
        section.epochs = 4


def test_yaml_is_read_as_version_1_2_where_these_words_are_text(tmp_path):
    assert read_params(written(tmp_path, "a: on\nb: no\nc: 1e-3\n")) == {"a": "on", "b": "no", "c": 0.001}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rate: 2.0\nepochs: 3\ninner: {names: []}\n", ["s.rate", "less than or equal to 1"]),
        ("rate: 0.5\nepochs: three\ninner: {names: []}\n", ["s.epochs", "integer"]),
        ("rate: 0.5\nepochs: true\ninner: {names: []}\n", ["s.epochs", "integer"]),
        ("rate: 0.5\nepochs: 3\ninner: {names: [], extra: 1}\n", ["s.inner.extra", "unknown"]),
        ("rate: 0.5\nepochs: 3\n", ["s.inner", "got nothing"]),
        ("rate: .nan\nepochs: 3\ninner: {names: []}\n", ["s.rate"]),
        ("rate: 9\nepochs: x\nextra: 1\n", ["4 problems"]),
    ],
    ids=["out of range", "wrong type", "bool is no int", "unknown key", "missing key", "nan", "all at once"],
)
def test_a_wrong_section_is_refused_with_every_problem(tmp_path, text, words):
    path = written(tmp_path, "s:\n" + "".join(f"  {line}\n" for line in text.splitlines()))
    with pytest.raises(ParamsError) as caught:
        load(Example, "s", path=path)
    assert all(word in str(caught.value) for word in words)


class Circle(Section):
    kind: Literal["circle"]
    radius: float


class Square(Section):
    kind: Literal["square"]
    side: float


class Shape(RootModel[Annotated[Circle | Square, Field(discriminator="kind")]]):
    pass


def test_a_section_of_several_kinds_is_chosen_by_its_kind(tmp_path):
    path = written(tmp_path, "s:\n  kind: square\n  side: 2.0\n")
    assert load(Shape, "s", path=path).root == Square(kind="square", side=2.0)


class Reached(Section):
    metric: Literal["recall"]
    target: float


class Best(Section):
    metric: Literal["f1"]


class Aim(Section):
    objective: Annotated[Reached | Best, Field(discriminator="metric")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{metric: recall, targt: 0.9}", "s.objective.targt: expected a known key"),
        ("{metric: recall, targt: 0.9}", "s.objective.target: expected a value, got nothing; add the key"),
        ("{metric: f1, target: 0.9}", "s.objective.target: expected a known key"),
        ("{metric: f2}", "s.objective.metric: expected 'recall', 'f1', got 'f2'"),
    ],
)
def test_the_key_that_chooses_is_no_part_of_a_place(tmp_path, text, said):
    with pytest.raises(ParamsError) as caught:
        load(Aim, "s", path=written(tmp_path, f"s: {{objective: {text}}}\n"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rate: 2.0\nepochs: 3\ninner: {names: []}\n", "s.rate: expected less than or equal to 1, got 2.0"),
        ("rate: 0.5\nepochs: three\ninner: {names: []}\n", "s.epochs: expected a valid integer, got 'three'"),
        ("rate: 0.5\nepochs: 3\ninner: []\n", "s.inner: expected an object, got []"),
    ],
)
def test_what_was_expected_is_said_as_a_noun(tmp_path, text, said):
    path = written(tmp_path, "s:\n" + "".join(f"  {line}\n" for line in text.splitlines()))
    with pytest.raises(ParamsError) as caught:
        load(Example, "s", path=path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("side: 2.0", ["s.kind", "nothing"]),
        ("kind: cube", ["s.kind", "circle", "square", "cube"]),
        ("kind: square", ["s.side", "nothing; add the key"]),
        ("kind: square\nside: 2.0\nsdie: 1", ["s.sdie", "a known key"]),
    ],
    ids=["none", "unknown", "known, but incomplete", "known, with a key too many"],
)
def test_a_kind_that_is_missing_or_unknown_is_refused_by_name(tmp_path, text, words):
    with pytest.raises(ParamsError) as caught:
        load(Shape, "s", path=written(tmp_path, "s:\n" + "".join(f"  {line}\n" for line in text.splitlines())))
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "- 1\n", "a: [1\n", ""], ids=["twice", "list", "broken", "empty"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    with pytest.raises(ParamsError):
        read_params(written(tmp_path, text))


def test_a_missing_section_is_named(tmp_path):
    with pytest.raises(ParamsError, match=r"models\.other"):
        read_value("models", "other", "s", path=written(tmp_path, "models: {m: {}}\n"))


UNREADABLE = {
    "a day that is none": "a: 2020-99-99\n",
    "an hour that is none": "a: 2020-01-01T99:00:00Z\n",
    "five thousand digits": f"a: {'9' * 5000}\n",
    "five thousand hexadecimal digits": f"a: 0x{'f' * 5000}\n",
    "three thousand brackets": f"a: {'[' * 3000}\n",
    "three thousand closed brackets": f"a: {'[' * 3000}{']' * 3000}\n",
    "a thousand mappings": "".join(f"{' ' * depth}a:\n" for depth in range(1000)),
    "a tagged word": "a: !!int x\n",
    "a tagged truth": "a: !!bool x\n",
    "a Python object": "a: !!python/object/apply:os.getcwd []\n",
    "a set": "a: !!set {b}\n",
    "a laugh": "a: &a [x, x]\n" + "".join(f"{b}: &{b} [{f'*{a}, ' * 9}]\n" for a, b in pairwise("abcdefghi")),
    "a value within itself": "a: &a [*a]\n",
    "merged with a number": "a:\n  <<: 3\n",
    "a tab": "a:\n\tb: 1\n",
    "NUL": "a: \0\n",
    "half a character": 'a: "\\ud800"\n',
    "two documents": "a: 1\n---\na: 2\n",
    "a mapping as a key": "? {a: 1}\n: 2\n",
    "a character beyond Unicode": 'a: "\\U00110000"\n',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_yaml_that_is_none_is_refused_by_name(tmp_path, text):
    with within(120), pytest.raises(ParamsError, match=r"params\.yaml"):
        read_params(written(tmp_path, text))


def test_merge_keys_and_aliases_are_read(tmp_path):
    text = "base: &base {b: 1, c: [2]}\na:\n  <<: *base\n  b: 3\n"
    assert read_params(written(tmp_path, text))["a"] == {"b": 3, "c": [2]}


def test_what_is_no_text_file_is_refused_by_name_and_not_waited_for(tmp_path):
    path = tmp_path / "params.yaml"

    def refused(words):
        with within(120), pytest.raises(ParamsError, match=words):
            read_params(path)

    refused("No such file")
    path.write_bytes(b"a: \xff\n")
    refused("UTF-8")
    with path.open("wb") as stream:
        stream.truncate(10**8)
    refused("100,000,000")
    path.unlink()
    path.symlink_to("/dev/zero")
    refused("a device")
    path.unlink()
    path.mkdir()
    refused("a folder|directory")
    path.rmdir()
    os.mkfifo(path)
    refused("a pipe")


def test_what_is_read_is_the_reader_s_own_and_never_stale(tmp_path):
    path = written(tmp_path, "a: [1]\n")
    read_params(path)["a"].append(2)
    assert read_params(path) == {"a": [1]}
    before = path.stat()
    path.write_text("a: [3]\n")  # of the same size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read_params(path) == {"a": [3]}


class Text(Section):
    a: str


@pytest.mark.parametrize(
    ("content", "got"),
    [
        ({"a": {"b"}}, "set"),
        ({"a": b"x"}, "bytes"),
        ({("b", "c"): "x", "a": "x"}, "tuple"),
        ({"a": 10**5000}, "4300 digits"),
    ],
    ids=["a set", "bytes", "a list as a key", "five thousand digits"],
)
def test_a_section_holds_what_json_can_hold(content, got):
    with pytest.raises(ParamsError, match=got):
        check(Text, content, "s")


def test_a_date_is_read_as_one_and_is_no_key(tmp_path):
    assert load(Text, "s", path=written(tmp_path, "s: {a: 2020-02-29}\n")).a == "2020-02-29"
    with pytest.raises(ParamsError, match="s: expected text, numbers, dates"):
        load(Text, "s", path=written(tmp_path, "s: {2020-02-29: x}\n"))


def test_a_problem_is_one_line_of_plain_characters(tmp_path):
    text = 's: {"x\\ny\\u001b[2J": 1, a: ["\\u202e"], inner: ' + "[" + "9, " * 10**4 + "]}\n"
    with pytest.raises(ParamsError) as caught:
        load(Text, "s", path=written(tmp_path, text))
    lines = [str(problem) for problem in caught.value.problems]
    assert len(lines) == 3
    assert all(line.isprintable() and line.isascii() and len(line) < 300 for line in lines)


NUMBERS = {
    "rate": "1.5",
    "rates": "{a: 1}",
    "pair": "[0, 1.5]",
    "maybe": "null",
    "count": "4294967295",
    "counts": "[1, -4294967295]",
    "named": "{a: 1, b: 4294967295, c: x, d: [3]}",
}


def numbers(**changed):
    return "".join(f"{key}: {value}\n" for key, value in (NUMBERS | changed).items())


def test_the_largest_whole_number_is_taken_and_one_in_place_of_a_float_may_be_larger(tmp_path):
    path = written(tmp_path, "s:\n" + "".join(f"  {line}\n" for line in numbers(rate=5 * 10**9).splitlines()))
    assert load(Numbers, "s", path=path).rate == 5e9


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf", ".NaN", "1e400", "-1e400"])
@pytest.mark.parametrize(
    ("key", "form"), [("rate", "{}"), ("rates", "{{a: {}}}"), ("pair", "[0, {}]"), ("maybe", "{}")]
)
def test_a_number_without_end_is_refused_wherever_a_float_stands(tmp_path, key, form, value):
    path = written(tmp_path, "s:\n" + "".join(f"  {x}\n" for x in numbers(**{key: form.format(value)}).splitlines()))
    with pytest.raises(ParamsError, match=rf"s\.{key}.*finite number"):
        load(Numbers, "s", path=path)


@pytest.mark.parametrize("value", ["4294967296", "-4294967296", str(10**15)])
@pytest.mark.parametrize(
    ("key", "form"), [("count", "{}"), ("counts", "[1, {}]"), ("named", "{{a: {}}}"), ("named", "{{a: [{}]}}")]
)
def test_a_whole_number_that_nothing_counts_to_is_refused_before_a_section_calculates(tmp_path, key, form, value):
    path = written(tmp_path, "s:\n" + "".join(f"  {x}\n" for x in numbers(**{key: form.format(value)}).splitlines()))
    with pytest.raises(ParamsError, match=f"{key}: whole numbers end at 4294967295"):
        load(Numbers, "s", path=path)
