"""Ultralytics stops its non-maximum suppression by the clock; what a training chooses must not depend on the load."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from ultralytics.utils import nms

ENDLESS_S = 86_400.0  # a day for each photograph; Ultralytics allows .05 s, and leaves out what then remains


@contextmanager
def whole_suppression() -> Iterator[None]:
    """Within it, no photograph of val_select is left out because the machine was busy."""
    known = nms.non_max_suppression
    nms.non_max_suppression = partial(known, max_time_img=ENDLESS_S)
    try:
        yield
    finally:
        nms.non_max_suppression = known
