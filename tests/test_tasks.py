import ast
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

import vouch
from vouch.tasks import TASKS, ByTask, Task


def test_a_table_has_a_row_for_every_task_and_no_other():
    assert tuple(field.name for field in fields(ByTask)) == get_args(Task) == TASKS


@pytest.mark.parametrize("task", TASKS)
def test_a_table_that_lacks_a_task_is_refused_where_it_is_written(task):
    rows = {name: "a row" for name in TASKS if name != task}
    with pytest.raises(TypeError, match=task):
        ByTask(**rows)


def test_a_row_is_found_by_its_task_and_by_no_other_word():
    table = ByTask(detect="boxes", classify="classes", identify="products")
    assert (table["detect"], table["classify"], [*table]) == ("boxes", "classes", ["boxes", "classes", "products"])
    with pytest.raises(AssertionError):
        table["segment"]


def test_every_table_keyed_by_a_task_is_one_that_cannot_lack_any():
    found = []
    for path in sorted(Path(vouch.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            keys = node.keys if isinstance(node, ast.Dict) else []
            if any(isinstance(key, ast.Constant) and key.value in TASKS for key in keys):
                found.append(f"{path.name}:{node.lineno}")
    assert found == []
