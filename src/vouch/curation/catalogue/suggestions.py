"""What a catalogue has for the places of a benchmark that are still empty: first where most is lacking."""

import heapq
import math
import posixpath
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from vouch.curation.benchmark.replacing import empty_places
from vouch.curation.benchmark.rows import Rows, changed
from vouch.curation.catalogue.catalogue import Candidate
from vouch.curation.catalogue.urls import spelled

Strata = tuple[tuple[str, str], ...]  # stratum column and value; '' is any value
Cell = tuple[str, bool, Strata]  # class, negative, strata


@dataclass(frozen=True)
class Suggestion:
    """A place, what fills it, how many places of its cell were empty before, and how unsure the model is, in bits."""

    row_id: str
    cell: Cell
    candidate: Candidate
    lacking: int
    entropy: float | None


@dataclass(frozen=True)
class Suggested:
    """The table with the suggestions in it; those made now, in order of rank; what is still lacking; what was not used.

    Attributes
    ----------
    unasked : class and negative of candidates that no row asks for, and how many there are
    beyond : empty places that were left so, for they are not open
    """

    rows: Rows
    made: tuple[Suggestion, ...]
    lacking: Mapping[Cell, int]
    unasked: Mapping[tuple[str, bool], int]
    beyond: int


@dataclass(frozen=True)
class _Place:
    """An empty place: a wanted row, or one more row in the place of a rejected one, with these cells (`after`)."""

    index: int
    row_id: str
    after: Mapping[str, str] | None


def suggest(
    rows: Rows,
    found: Iterable[Candidate],
    scores: Mapping[str, float],
    *,
    most: int | None,
    opened: Collection[int] | None = None,
) -> Suggested:
    """Fill the empty places of a benchmark with candidates; a second call with the same input fills nothing more.

    A place is a wanted row without photograph and url, or a rejected row that no other row has replaced: the rejected
    one stays, and a row with the same class, negative and strata is added for it. A candidate fills a place of its
    class and kind (negative or not) whose strata it does not contradict. The next place is always of the cell (class,
    negative, strata) with most empty places, of equals the one that names most strata: it has the fewest candidates;
    the candidate for it the one that states most strata, which fits the fewest places, then the one that the model is
    least sure of, then the first by name. What any row names already is not suggested.

    Parameters
    ----------
    rows : the benchmark
    found : candidates
    scores : photograph or url to the calibrated probability that the model is right about it, where it was asked
    most : suggestions that may wait for a person at a time, those of earlier calls included; None for any number
    opened : rows whose places may be filled, from `manifest.open_places`; None for all
    """
    fresh = _unknown(rows, found)
    places = _places(rows)
    beyond = 0 if opened is None else _close(places, opened)
    waiting = rows.column("status").count("suggested")
    chosen = _chosen(places, _queues(fresh, scores), math.inf if most is None else most - waiting)
    made = tuple(
        Suggestion(place.row_id, _cell(rows, place.index), one, lacking, _entropy(scores, one))
        for place, one, lacking in chosen
    )
    edits, added = {}, []
    for place, one, _ in chosen:
        if place.after is not None:
            added.append({**place.after, **_cells(one)})
        else:
            edits[place.index] = _cells(one)
    asked = {cell[:2] for cell in places}
    unasked = Counter((one.name, one.negative) for one in fresh if (one.name, one.negative) not in asked)
    lacking = {cell: len(empty) for cell, empty in places.items() if empty}
    return Suggested(changed(rows, edits, added), made, lacking, dict(unasked), beyond)


def entropy(probability: float) -> float:
    """Return the entropy of a yes or no in bits: 1 at .5, 0 at 0 and 1.

    >>> entropy(0.5), entropy(1.0), round(entropy(0.9), 3)
    (1.0, 0.0, 0.469)
    """
    return -sum(share * math.log2(share) for share in (probability, 1 - probability) if share > 0) + 0.0


def _entropy(scores: Mapping[str, float], one: Candidate) -> float | None:
    score = scores.get(one.photograph, scores.get(one.url))
    return None if score is None else entropy(score)


def _unknown(rows: Rows, found: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates that no row names, whatever became of it, each of them once."""
    named = {posixpath.normpath(name) for name in rows.column("photograph") if name}
    named |= set(spelled({url: url for url in rows.column("url") if url}).values())
    fresh = []
    for one in found:
        keys = {one.photograph, *spelled({"": one.url}).values()} - {""} if one.url else {one.photograph}
        if not keys & named:
            named |= keys
            fresh.append(one)
    return fresh


def _places(rows: Rows) -> dict[Cell, deque[_Place]]:
    """Return the empty places of each cell, in the order of the rows."""
    empty = empty_places(rows)
    places: dict[Cell, deque[_Place]] = {}
    for index, row_id in enumerate(rows.column("row_id")):
        of_cell = places.setdefault(_cell(rows, index), deque())
        if index in empty:
            after = empty[index]
            of_cell.append(_Place(index, row_id if after is None else after["row_id"], after))
    return places


def _close(places: dict[Cell, deque[_Place]], opened: Collection[int]) -> int:
    """Take out the places of rows that are not open; return how many those are."""
    before = sum(map(len, places.values()))
    for cell, empty in places.items():
        places[cell] = deque(place for place in empty if place.index in opened)
    return before - sum(map(len, places.values()))


def _cell(rows: Rows, index: int) -> Cell:
    strata = tuple((name, rows.cell(index, name)) for name in rows.strata)
    return rows.cell(index, "class"), rows.cell(index, "negative") == "true", strata


Rank = tuple[float, str]  # the smaller, the sooner: minus the entropy, the name
Queue = deque[tuple[Rank, Candidate]]


def _queues(found: Iterable[Candidate], scores: Mapping[str, float]) -> dict[tuple[str, bool], dict[Strata, Queue]]:
    """Return candidates by class and kind, and among those by the strata that they state, the least sure one first."""
    queues: dict[tuple[str, bool], dict[Strata, Queue]] = defaultdict(lambda: defaultdict(deque))
    ranked = sorted((((-(_entropy(scores, one) or 0.0), one.key), one) for one in found), key=lambda pair: pair[0])
    for rank, one in ranked:
        queues[one.name, one.negative][one.strata].append((rank, one))
    return queues


def _chosen(
    places: Mapping[Cell, deque[_Place]], queues: Mapping[tuple[str, bool], Mapping[Strata, Queue]], room: float
) -> list[tuple[_Place, Candidate, int]]:
    """Fill places while there is room, always of the cell that lacks most; the places filled are taken out."""
    heap = [(-len(empty), -_named(cell[2]), cell) for cell, empty in places.items() if empty]
    heapq.heapify(heap)
    fitting = {cell: _fitting(cell, queues.get(cell[:2], {})) for *_, cell in heap}
    chosen: list[tuple[_Place, Candidate, int]] = []
    while heap and len(chosen) < room:
        lacking, named, cell = heapq.heappop(heap)
        ready = [queue for queue in fitting[cell] if queue]
        if not ready:
            continue  # and none will come
        _, one = min(ready, key=lambda queue: (-_named(queue[0][1].strata), queue[0][0])).popleft()
        chosen.append((places[cell].popleft(), one, -lacking))
        if places[cell]:
            heapq.heappush(heap, (lacking + 1, named, cell))
    return chosen


def _fitting(cell: Cell, alike: Mapping[Strata, Queue]) -> list[Queue]:
    """Return the queues whose candidates contradict none of a cell's strata."""
    wanted = {name: value for name, value in cell[2] if value}
    return [queue for strata, queue in alike.items() if all(wanted.get(name, value) == value for name, value in strata)]


def _named(strata: Strata) -> int:
    """Return how many strata have a value."""
    return sum(bool(value) for _, value in strata)


def _cells(one: Candidate) -> dict[str, str]:
    return {
        "photograph": one.photograph,
        "url": one.url,
        "source": one.source,
        "license": one.license,
        "status": "suggested",
    }
