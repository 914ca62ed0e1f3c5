"""The tasks that a model can have, named here alone, and the form of every table with a row for each of them.

`pipeline.models.M.task` of params.yaml says which one a model has; preprocess.json and a bundle's manifest carry it.
A fourth task starts here: its word in `Task` and its field in `ByTask`. Then Python refuses every table, and mypy every
`match`, that lacks it (docs/decisions/015-a-task-is-a-word-with-rows.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, assert_never, get_args

Task = Literal[
    "detect",  # boxes: what is where
    "classify",  # one class per photograph, or none
    "identify",  # which product a crop shows, or one that is not known
]
TASKS: tuple[Task, ...] = get_args(Task)
Row = TypeVar("Row", covariant=True)


@dataclass(frozen=True, kw_only=True)
class ByTask(Generic[Row]):
    """A table with one row for every task: none has a default, so none can be forgotten."""

    detect: Row
    classify: Row
    identify: Row

    def __getitem__(self, task: Task) -> Row:
        """Return the row of a task."""
        match task:
            case "detect":
                return self.detect
            case "classify":
                return self.classify
            case "identify":
                return self.identify
            case _:
                assert_never(task)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in the order of `TASKS`."""
        return (self[task] for task in TASKS)
