"""The kinds of calibrator, as models.M.calibrate asks for them, by task."""

from collections.abc import Callable, Collection
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from vouch.calibration.apply import validity
from vouch.params import Section
from vouch.tasks import ByTask


def _one_of(known: Collection[str]) -> Callable[[str], str]:
    def known_one(method: str) -> str:
        if method not in known:
            raise PydanticCustomError("method", "one of {known}", {"known": ", ".join(known)})
        return method

    return known_one


ScalarMethod = Annotated[str, AfterValidator(_one_of(validity.COEFFICIENTS))]
MulticlassMethod = Annotated[str, AfterValidator(_one_of(validity.KEYS))]


class Learning(Section):
    """What rows have to be worth before a method may learn from them, and how methods are told apart."""

    rows_per_parameter: Annotated[float, Field(ge=0)]  # effective rows; 0: every method is a candidate
    events_per_parameter: Annotated[float, Field(ge=0)]  # effective wrong (or right) answers, the fewer; likewise
    intraclass_floor: Annotated[float, Field(ge=0, le=1)]  # rows of a group are taken to be at least so alike
    folds: Annotated[int, Field(ge=2)]  # of whole groups
    bins: Annotated[int, Field(ge=1)]  # of the reliability table


class Scalar(Learning):
    """One score for each prediction, as of a detector or an embedder."""

    methods: Annotated[tuple[ScalarMethod, ...], Field(min_length=1)]
    floor: Annotated[float, Field(ge=0, lt=1)]  # lowest raw score of the population
    min_rows: Annotated[int, Field(ge=1)]  # below it a class takes the global map, and the global map is the identity
    min_groups: Annotated[int, Field(ge=2)]  # likewise


class Crops(Scalar):
    """One score for each crop, fitted on those of products that the gallery knows: whether to name it is the policy's.

    Unknown crops would teach how many of val_select are unknown, which is not how many will come.
    """


class Multiclass(Learning):
    """A logit for each class, as of a classifier."""

    methods: Annotated[tuple[MulticlassMethod, ...], Field(min_length=1)]


SECTIONS: ByTask[type[Scalar | Multiclass]] = ByTask(detect=Scalar, classify=Multiclass, identify=Crops)
