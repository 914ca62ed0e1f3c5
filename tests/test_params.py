from typing import Annotated, Literal

import pytest
from pydantic import Field, RootModel, ValidationError

from vouch.errors import ParamsError
from vouch.params import Section, load, read_params, read_value


class Inner(Section):
    names: tuple[str, ...]


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("side: 2.0", ["s.kind", "nothing"]),
        ("kind: cube", ["s.kind", "circle", "square", "cube"]),
        ("kind: square", ["s.square.side", "nothing"]),
    ],
    ids=["none", "unknown", "known, but incomplete"],
)
def test_a_kind_that_is_missing_or_unknown_is_refused_by_name(tmp_path, text, words):
    with pytest.raises(ParamsError) as caught:
        load(Shape, "s", path=written(tmp_path, f"s:\n  {text}\n"))
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "- 1\n", "a: [1\n", ""], ids=["twice", "list", "broken", "empty"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    with pytest.raises(ParamsError):
        read_params(written(tmp_path, text))


def test_a_missing_section_is_named(tmp_path):
    with pytest.raises(ParamsError, match=r"models\.other"):
        read_value("models", "other", "s", path=written(tmp_path, "models: {m: {}}\n"))
