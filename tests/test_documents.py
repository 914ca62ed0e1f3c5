import json
import os
import socket
from datetime import date
from pathlib import Path

import pytest

from alarm import within
from vouch.documents import DocumentError, parse_json, parse_yaml, read_text


def laughs(opening: str, closing: str) -> str:
    """Nine levels of nine aliases each: 9^9 values once they are written out."""
    levels = [
        f"{name}: &{name} {opening}{','.join([f'*{of}'] * 9)}{closing}\n"
        for of, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    return "a: &a {x: 1, y: 2}\n" + "".join(levels)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", None),
        ("names: [no, on, 1]\n", {"names": ["no", "on", 1]}),
        ("a: 2020-01-31\n", {"a": date(2020, 1, 31)}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}\n", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("a: &x 1\nb: &x 2\n", {"a": 1, "b": 2}),
        ("[" * 64 + "]" * 64, json.loads("[" * 64 + "]" * 64)),
        ("a: 1000000000000000\n", {"a": 10**15}),
    ],
)
def test_yaml_becomes_plain_values(text, content):
    assert parse_yaml(text, "x.yaml") == content


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("a: 2020-99-99", "month must be in 1..12"),
        ("a: 2020-01-01T99:00:00", "hour must be in 0..23"),
        ("a: " + "9" * 5000, "an integer of 5,000 characters"),
        ("a: 0x" + "f" * 50, "an integer beyond"),
        ("a: 1000000000000001", "an integer beyond"),
        ("[" * 3000, "maximum depth"),
        ("- " * 3000, "maximum depth"),
        ("? " * 3000, "maximum depth"),
        ("&a [*a]", "nested too deeply"),
        ("&a {<<: *a}", "nested too deeply"),
        (laughs("[", "]"), "aliases that write out to more than 1,000,000 values"),
        (laughs("{<<: [", "]}"), "merge keys copy more than 100,000 pairs"),
        ("a: !!int x", "invalid literal for int()"),
        ("!!int '': x", "index out of range"),
        ("a: !!float x", "could not convert"),
        ("a: !!bool x", "'x'"),
        ("a: !!timestamp x", "timestamp"),
        ("a: !!set {b}", "a value of type set"),
        ("a: !!binary YQ==", "a value of type bytes"),
        ("? [a, b]\n: c", "a value of type tuple"),
        ("? {a: b}\n: c", "unhashable key"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ('a: "\\ud800"', "surrogates not allowed"),
        ('a: "\\U00110000"', "chr()"),
        ('a: "\\UFFFFFFFF"', "too large"),
        ("a: 1\na: 2", 'duplicate key "a"'),
        ("a: *b", "undefined alias"),
        ("a\x00b", "unacceptable character"),
        ("a\n---\nb", "another document"),
        ("%YAML 9.9\n---\na", "the directive '%YAML 9.9'"),
        ("%YAML 1.1\n---\na: yes", "the directive '%YAML 1.1'"),
        ("# a\r\n \n%YAML 1.99999\n---\na", "the directive '%YAML 1.99999'"),
        ("%YAML 1.2\n%TAG ! tag:x,2000:\n---\na", "the directive '%TAG ! tag:x,2000:'"),
        ("%YAML 1.2\n%YAML 1.2\n---\na", "duplicate"),
        ("!" * 100_000, " ... "),
        ("a" * (2**19 + 1), "524,289"),
    ],
)
def test_yaml_that_is_no_plain_document_is_one_short_problem(text, got):
    with within(20), pytest.raises(DocumentError) as caught:
        parse_yaml(text, "x.yaml")
    (problem,) = caught.value.problems
    assert problem.where == "x.yaml"
    assert got in problem.got
    assert len(str(problem)) < 500


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2.5, null, "\\u00fc", true]}', "[" * 64 + "]" * 64, '["' + "[" * 99 + '"]']
)
def test_json_becomes_plain_values(text):
    assert parse_json(text, "x.json") == json.loads(text)


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "Expecting value"),
        ("[1] x", "Extra data"),
        ("[NaN]", "NaN is not a number"),
        ("[-Infinity]", "-Infinity is not a number"),
        ("[1e400]", "1e400 is out of range"),
        ("[1" + "0" * 5000 + ".5]", "is out of range"),
        ("[" + "9" * 5000 + "]", "99999999999999999999... is out of range"),
        ("[1000000000000001]", "out of range"),
        ('{"a": 1, "a": 1}', "key 'a' appears twice"),
        ('["\\ud800"]', "surrogates not allowed"),
        ('{"\\udfff": 1}', "surrogates not allowed"),
        ("[" * 65 + "]" * 65, "nested too deeply"),
        ('{"a":' * 65 + "1" + "}" * 65, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("\ufeff[]", "BOM"),
        ('["\n"]', "Invalid control character"),
        ('["\x00"]', "Invalid control character"),
    ],
)
def test_json_that_no_other_reader_would_hold_is_one_short_problem(text, got):
    with within(20), pytest.raises(DocumentError) as caught:
        parse_json(text, "x.json")
    (problem,) = caught.value.problems
    assert problem.where == "x.json"
    assert got in problem.got
    assert len(str(problem)) < 500


def test_a_text_is_read_without_its_byte_order_mark(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfb\xc3\xbc\n")
    assert read_text(tmp_path / "a", "a", max_bytes=7) == "bü\n"


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(b"12345")
    (tmp_path / "latin").write_bytes(b"ab\n\xe9")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
    wanted = {
        "pipe": "a pipe",
        "link": "a pipe",
        "folder": "a folder",
        "socket": "a socket",
        "/dev/zero": "a device",
        "gone": "No such file or directory",
        "a\0b": "embedded null byte",
        "loop": "Too many levels of symbolic links",
        "n" * 300: "File name too long",
        "large": "5",
        "latin": "byte 0xe9 at 3",
    }
    for name, got in wanted.items():
        with within(5), pytest.raises(DocumentError) as caught:
            read_text(tmp_path / name, name, max_bytes=4)
        assert [problem.got for problem in caught.value.problems] == [got], name


def test_a_document_may_say_that_it_is_yaml_1_2_and_hold_lines_that_look_like_a_directive():
    assert parse_yaml("%YAML 1.2\n---\na: yes", "x.yaml") == {"a": "yes"}
    assert parse_yaml('a: "b\n%YAML 1.1"', "x.yaml") == {"a": "b %YAML 1.1"}
