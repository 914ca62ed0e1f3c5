"""What a model may ask of a calibrator, as a section of params.yaml would: five folds, and every method a candidate."""

from typing import Any

from vouch.calibration.fit.params import Crops, Multiclass, Scalar
from vouch.params import check

EVERY = {"rows_per_parameter": 0, "events_per_parameter": 0, "intraclass_floor": 0, "folds": 5, "bins": 15}


def scalar(*methods: str, **changes: Any) -> Scalar:
    content = {"floor": 0, "min_rows": 200, "min_groups": 5, **EVERY, **changes}
    return check(Scalar, {**content, "methods": list(methods)}, "calibrate")


def crops(*methods: str, **changes: Any) -> Crops:
    return check(Crops, scalar(*methods, **changes).model_dump(), "calibrate")


def multiclass(*methods: str, **changes: Any) -> Multiclass:
    return check(Multiclass, {**EVERY, **changes, "methods": list(methods)}, "calibrate")
