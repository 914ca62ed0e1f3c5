from vouch.errors import SHOWN, DataError, LeakageError, Problem, VouchError, refuse_any


def test_an_error_lists_every_problem_once_and_sorted():
    second, first = Problem("b", "1", "2", "mend"), Problem("a", "1", "2", "mend")
    error = DataError([second, first, second])
    assert error.problems == (first, second)
    assert str(error) == "data refused: 2 problems\n  a: expected 1, got 2; mend\n  b: expected 1, got 2; mend"


def test_a_flood_of_problems_is_counted_not_printed():
    error = VouchError(Problem(f"{index:04d}", "1", "2", "mend") for index in range(SHOWN + 7))
    assert str(error).endswith("... and 7 more where 1 was expected")
    assert len(error.problems) == SHOWN + 7


def test_a_thousand_alike_do_not_hide_the_one_of_another_kind():
    alike = [Problem(f"{index:04d}", "a known class", "cone", "map it") for index in range(1000)]
    message = str(VouchError([*alike, Problem("zzz", "an image", "nothing", "add it")]))
    assert "zzz: expected an image, got nothing; add it" in message
    assert "... and 975 more where a known class was expected" in message
    assert len(message.splitlines()) < SHOWN


def test_leakage_is_caught_as_a_data_error():
    assert issubclass(LeakageError, DataError)


def test_no_problem_is_no_error():
    refuse_any(DataError, [])
