import pytest

PHOTOGRAPHS = {"cat/a.jpg": "", "dog/b.jpg": ""}


UNREAD = ("owl/a.HEIC", "owl/barn/a.avif", "a.heic", "DSC_1.NEF", "owl/a.hif", "owl/IMGP1.PEF", "a.jxl")


@pytest.mark.parametrize("name", UNREAD)
def test_a_class_in_photographs_that_are_not_read_is_not_passed_over(read, name):
    (problem,) = read({**PHOTOGRAPHS, name: ""}, "imagefolder").problems
    assert (problem.where, problem.got, problem.remedy) == (
        name, f".{name.rpartition('.')[2]}", "convert it, or move it elsewhere",
    )  # fmt: skip


def test_a_folder_without_any_picture_is_no_class(read):
    reading = read({**PHOTOGRAPHS, "docs/how.txt": "", "LICENSE": ""}, "imagefolder")
    assert (reading.problems, reading.classes) == ((), {"cat", "dog"})
