import numpy as np
import pytest

from vouch.errors import LeakageError
from vouch.splits import lock

GOOD = b"group,split\ndriver=a,train\ndriver=b,val_test\n"


def test_a_lock_reads_as_a_mapping():
    assert lock.parse(GOOD, "l.csv") == {"driver=a": "train", "driver=b": "val_test"}
    assert lock.parse(b'group,split\n"driver=a, the\nsecond",train\n', "l.csv") == {"driver=a, the\nsecond": "train"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "l.csv:1: expected the header"),
        (b"driver=a,train\n", "l.csv:1: expected the header"),
        (b"group,split\ndriver=a,training\n", "l.csv:2: expected a group and one of train, val_select"),
        (b"group,split\ndriver=a\n", "l.csv:2"),
        (b"group,split\ndriver=a,train,\n", "l.csv:2"),
        (b"group,split\n\ndriver=a,train\n", "l.csv:2"),
        (GOOD + b"driver=a,val_test\n", "driver=a: expected one row, got train in line 2, val_test in line 4"),
        (GOOD + b"driver=a,train\n", "driver=a: expected one row, got train in line 2, train in line 4"),
        (b"group,split\n<<<<<<< HEAD\ndriver=a,train\n", "l.csv:2"),
        (b"group,split\ndriver=\xff,train\n", "UTF-8"),
        (b'group,split\n"driver=a,train\n', "UTF-8 CSV"),
    ],
)
def test_a_damaged_lock_is_refused(content, said):
    with pytest.raises(LeakageError) as refused:
        lock.parse(content, "l.csv")
    assert said in str(refused.value)


def test_every_problem_of_a_lock_is_listed():
    with pytest.raises(LeakageError) as refused:
        lock.parse(GOOD + b"driver=a,val_test\ndriver=c,nowhere\ndriver=d\n", "l.csv")
    assert len(refused.value.problems) == 3


def test_extending_keeps_every_row_and_sorts():
    split_of_node = np.array([3, 0], dtype=np.int8)
    known = np.array([False, True])
    table = lock.extend({"z": "train", "gone": "val_test"}, ["new", "z"], split_of_node, known=known)
    assert table.to_numpy().tolist() == [["gone", "val_test"], ["new", "val_test"], ["z", "train"]]
