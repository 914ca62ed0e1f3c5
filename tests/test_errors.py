import errno
import os

import pytest

from vouch.errors import (
    MACHINE,
    SHOWN,
    DataError,
    LeakageError,
    Problem,
    VouchError,
    exiting,
    plural,
    refuse_any,
    so_many,
)


def test_an_error_lists_every_problem_once_and_sorted():
    second, first = Problem("b", "1", "2", "mend"), Problem("a", "1", "3", "mend")
    error = DataError([second, first, second])
    assert error.problems == (first, second)
    assert str(error) == "data refused: 2 problems\n  a: expected 1, got 3; mend\n  b: expected 1, got 2; mend"


def test_a_fault_in_thirty_places_is_said_once_with_its_count_and_places():
    alike = [Problem(f"{index:02d}.jpg", "a group", "none", "add it") for index in range(30)]
    message = str(VouchError([*alike, Problem("10.jpg", "a label", "none", "add it")]))
    assert message.splitlines() == [
        "refused: 31 problems",
        "  00.jpg: expected a group, got none; add it",
        "  ... and 29 more like it: 01.jpg, 02.jpg, 03.jpg, 04.jpg, 05.jpg, ...",
        "  10.jpg: expected a label, got none; add it",
    ]
    two = str(VouchError(alike[:2])).splitlines()
    assert two[1:] == ["  00.jpg: expected a group, got none; add it", "  ... and 1 more like it: 01.jpg"]


def test_a_flood_of_faults_is_counted_not_printed():
    error = VouchError(Problem(f"{index:04d}", "1", str(index), "mend") for index in range(SHOWN + 7))
    assert str(error).endswith("... and 7 more where 1 was expected")
    assert len(error.problems) == SHOWN + 7


def test_a_thousand_of_a_kind_do_not_hide_the_one_of_another():
    kind = [Problem(f"{index:04d}", "a known class", f"cone{index % 500}", "map it") for index in range(1000)]
    message = str(VouchError([*kind, Problem("zzz", "an image", "nothing", "add it")]))
    assert "zzz: expected an image, got nothing; add it" in message
    assert "... and 950 more where a known class was expected" in message
    assert len(message.splitlines()) < 2 * SHOWN


def test_a_problem_is_one_line_of_bounded_length_that_moves_no_cursor():
    problem = Problem("a\nb\x1b[2J", "x" * 5000, "\u202egpj.\udcff \u2028", "größe")
    assert str(problem) == (
        f"a\\nb\\x1b[2J: expected {'x' * 400} ... {'x' * 267}, got \\u202egpj.\\udcff \\u2028; größe"
    )
    assert "more where a\\nb was" in str(VouchError(Problem(f"{i}", "a\nb", f"{i}", "d") for i in range(SHOWN + 1)))


@pytest.mark.parametrize(
    "said",
    [
        "[enforce fail at inline_container.cc:671] . unexpected pos 576 vs 534",
        "PytorchStreamWriter failed writing file data/0",
    ],
)
def test_a_checkpoint_on_a_full_disk_is_named(said):
    with pytest.raises(SystemExit, match="a checkpoint: expected free disk space"):
        end(RuntimeError(said))
    with pytest.raises(RuntimeError, match="reading"):
        end(RuntimeError("PytorchStreamReader failed reading zip archive: inline_container.cc"))


def test_leakage_is_caught_as_a_data_error():
    assert issubclass(LeakageError, DataError)


def test_no_problem_is_no_error():
    refuse_any(DataError, [])


def end(error):
    with exiting():
        raise error


@pytest.mark.parametrize("number", MACHINE)
def test_what_the_machine_refuses_is_named_with_its_file_and_ends_with_one(number):
    said = os.strerror(number)
    for error, where in ((OSError(number, said, "a.csv"), "a.csv"), (OSError(number, said), os.getcwd())):  # noqa: PTH109 # a text
        with pytest.raises(SystemExit, match="vouch: cannot run here: 1 problem") as caught:
            end(error)
        assert f"{where}: expected {MACHINE[number][0]}, got {said}; " in str(caught.value.code)


def test_a_copy_names_the_place_that_it_could_not_write():
    with pytest.raises(SystemExit, match="  new: expected free disk space, got No space left on device; free some"):
        end(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "old", None, "new"))


@pytest.mark.parametrize(
    "error", [OSError("encoder error -2"), OSError(errno.EINVAL, "x"), ValueError("x"), KeyError("x")]
)
def test_a_defect_of_ours_is_never_dressed_as_a_refusal(error):
    with pytest.raises(type(error)):
        end(error)


def test_a_refusal_ends_with_its_problems():
    with pytest.raises(SystemExit, match="vouch: data refused: 1 problem\n  a: expected 1, got 2; fix it"):
        end(DataError([Problem("a", "1", "2", "fix it")]))


def test_one_of_a_kind_is_no_plural() -> None:
    assert [so_many(count, "group") for count in (0, 1, 2)] == ["0 groups", "1 group", "2 groups"]
    assert [plural(noun, 2) for noun in ("miss", "box", "photograph")] == ["misses", "boxes", "photographs"]
    assert plural("miss", 1) == "miss"
