"""Rows in order of a score under any weights of the groups: sorted once, then weighted cumulative sums.

Metrics of an order are sums over its *events* (errors, or the rows of a class) of a function of how many rows stand
before and up to the event. Rows of one score are one working point (a tie): no threshold comes between them, so what is
said of an order never depends on how its ties are sorted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vouch.evaluation.metrics.blocks import by_blocks
from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure

BoolArray = npt.NDArray[np.bool_]
PlaceArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Order:
    """Cells (rows of one score and group), highest score first, and the events among them.

    Attributes
    ----------
    group, count
        Of each cell: its group, and how many rows it holds; no count where each holds one.
    ends
        Of each tie: the number of cells up to and with it.
    event_tie
        Of each tie that holds an event: its place among the ties.
    event_start
        Of each such tie: the place of its first event cell.
    event_group, event_count
        Of each event cell.
    support
        float64 of shape (g,): rows of each group.
    """

    group: PlaceArray
    count: IntArray | None
    ends: PlaceArray
    event_tie: PlaceArray
    event_start: PlaceArray
    event_group: PlaceArray
    event_count: IntArray | None
    support: FloatArray


@dataclass(frozen=True)
class Places:
    """Where the events stand in b replicates.

    Attributes
    ----------
    upto
        int32 of shape (b, c + 1): rows in the first 0, 1 .. c cells.
    start, stop
        intp of shape (p,), p ties with events: cells before the tie, and up to and with it.
    events
        int32 of shape (b, p): events in the tie.
    """

    upto: IntArray
    start: PlaceArray
    stop: PlaceArray
    events: IntArray

    @property
    def first(self) -> IntArray:
        """Rows before each tie with events, int32 of shape (b, p)."""
        return np.take(self.upto, self.start, axis=1)

    @property
    def last(self) -> IntArray:
        """Rows up to and with each tie with events, int32 of shape (b, p)."""
        return np.take(self.upto, self.stop, axis=1)

    @property
    def total(self) -> FloatArray:
        """All rows, float64 of shape (b,)."""
        total: FloatArray = self.upto[:, -1].astype(np.float64)
        return total

    @property
    def found(self) -> FloatArray:
        """All events, float64 of shape (b,)."""
        found: FloatArray = self.events.sum(axis=1).astype(np.float64)
        return found


def in_order(score: FloatArray, event: BoolArray, group: PlaceArray, *, n_groups: int) -> Order:
    """Sort rows by score, highest first, and gather those of one score and group.

    Parameters
    ----------
    score : float64 array, shape (n,)
    event : bool array, shape (n,)
    group : intp array, shape (n,), in [0, n_groups)
    """
    levels, tie = np.unique(-score, return_inverse=True)
    cells, count = np.unique(tie * n_groups + group, return_counts=True)
    marked, event_count = np.unique((tie * n_groups + group)[event], return_counts=True)
    event_tie, event_start = np.unique(marked // n_groups, return_index=True)
    return Order(
        group=cells % n_groups,
        count=_unless_one(count),
        ends=np.searchsorted(cells, np.arange(1, len(levels) + 1) * n_groups),
        event_tie=event_tie,
        event_start=event_start,
        event_group=marked % n_groups,
        event_count=_unless_one(event_count),
        support=np.bincount(group, minlength=n_groups).astype(np.float64),
    )


def _unless_one(count: PlaceArray) -> IntArray | None:
    return count.astype(np.int32) if np.any(count > 1) else None


def measure_of(order: Order, value: Callable[[Places], FloatArray]) -> Measure:
    """Return a measure whose values `value` gives from the places of events, block by block of replicates."""

    def values(weights: IntArray) -> FloatArray:
        return by_blocks(len(weights), len(order.group), lambda block: value(places(order, weights[block])))

    return Measure(values, order.support, share=True)


def places(order: Order, weights: IntArray) -> Places:
    """Return where the events stand when each group counts as often as `weights`, int32 of shape (b, g), says."""
    stop = order.ends[order.event_tie]
    start = np.where(order.event_tie > 0, order.ends[order.event_tie - 1], 0)
    return Places(rows_upto(order, weights), start, stop, events_of(order, weights))


def rows_upto(order: Order, weights: IntArray) -> IntArray:
    """Return the rows in the first 0, 1 .. c cells, int32 of shape (b, c + 1)."""
    upto: IntArray = np.zeros((len(weights), len(order.group) + 1), dtype=np.int32)
    np.cumsum(_drawn(weights, order.group, order.count), axis=1, dtype=np.int32, out=upto[:, 1:])
    return upto


def events_of(order: Order, weights: IntArray) -> IntArray:
    """Return the events of each tie that has any, int32 of shape (b, p)."""
    drawn = _drawn(weights, order.event_group, order.event_count)
    if len(order.event_start) < len(order.event_group):
        drawn = np.add.reduceat(drawn, order.event_start, axis=1)
    return drawn


def _drawn(weights: IntArray, group: PlaceArray, count: IntArray | None) -> IntArray:
    drawn: IntArray = np.take(weights, group, axis=1)
    if count is not None:
        drawn *= count
    return drawn


def weighted(events: IntArray, value: npt.NDArray[np.generic]) -> FloatArray:
    """Return the sum over events of a value that each has, float64 of shape (b,); a product may exceed int32."""
    total: FloatArray = np.vecdot(events.astype(np.float64), value.astype(np.float64))
    return total


def quotient(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Return top / bottom, NaN where there is nothing below the line."""
    found: FloatArray = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    np.divide(top, bottom, out=found, where=bottom > 0)
    return found


def least(share: float, total: FloatArray) -> FloatArray:
    """Return the least whole number k with k / total >= share as float64 quotients, for total >= 1.

    ceil(share * total) is one too many where the product rounds up: .8 of 35 is 28, not 29.

    >>> least(0.8, np.array([35.0, 36.0])).tolist()
    [28.0, 29.0]
    """
    k: FloatArray = np.ceil(share * total)
    k -= (k >= 1) & ((k - 1) / total >= share)
    k += k / total < share
    return k
