import pytest

from vouch.names import is_name, is_path, shown, wrong_names, wrong_paths
from wrong_names import HOSTILE


@pytest.mark.parametrize("word", ["driver", "roadwork_int8", "8-bit", "a", "0", "x_-", "a" * 64])
def test_a_name(word):
    assert is_name(word)
    assert is_path(word)


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
def test_no_name_and_no_path(word):
    assert not is_name(word)
    assert not is_path(word)
    assert [one.where for one in wrong_names([("MODEL", word), ("DATASET", "driver")])] == ["MODEL"]
    assert [one.where for one in wrong_paths([("START", word), ("BASELINE", "a/b")])] == ["START"]


@pytest.mark.parametrize("word", ["a" * 65, "Driver", "_x", "-x", "a.b", "a/b", 1, True, None])
def test_no_name(word):
    assert not is_name(word)


@pytest.mark.parametrize(
    "word",
    [
        "models/starter/driver",
        "models/architectures/yolo11p.yaml",
        "models/vit_small_patch16_dinov3.lvd1689m.safetensors",
        "registry/8-bit/bundle",
        "A/B_c/d.e",
    ],
)
def test_a_path(word):
    assert is_path(word)


@pytest.mark.parametrize(
    "word", ["a/", "a//b", "/a", "./a", "a/./b", "a/../b", "a/..", ".git/hooks", "a/-b", "a/.b", "a:b", "a" * 241]
)
def test_no_path(word):
    assert not is_path(word)


def test_a_wrong_word_is_shown_on_one_line_as_plain_characters():
    assert shown("x\ntouch\x1b[2J\u202e") == "'x\\ntouch\\x1b[2J\\u202e'"
    assert len(shown("x" * 10**6)) <= 80
