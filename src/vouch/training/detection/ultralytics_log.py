"""What a log holds of an Ultralytics training: one line an epoch; on a terminal its own bars stay."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def said_by_epoch(trainer: Any) -> Iterator[None]:
    """Say one line an epoch where standard output is no terminal, as Ultralytics redraws a line a batch there too.

    Its warnings and errors stay.

    Parameters
    ----------
    trainer : ultralytics.engine.trainer.BaseTrainer
    """
    if sys.stdout.isatty():
        yield
        return
    theirs = logging.getLogger("ultralytics")
    before = theirs.level
    theirs.setLevel(logging.WARNING)  # its bars look at the level too
    trainer.add_callback("on_fit_epoch_end", lambda now: print(_line(now), flush=True))
    try:
        yield
    finally:
        theirs.setLevel(before)


def _line(trainer: Any) -> str:
    loss, map50 = sum(map(float, trainer.tloss.values())), trainer.metrics["metrics/mAP50(B)"]
    return f"epoch {trainer.epoch + 1}/{trainer.epochs}: train loss {loss:.4f}, val_select mAP50 {map50:.4f}"
