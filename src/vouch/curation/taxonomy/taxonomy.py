"""A taxonomy: the items of a municipal pack under ids that never change, in a tree, with what is no waste beside them.

An id is what rows, label maps and reports say, so it must outlive names. An item of the pack keeps the id of the item
before it that had one of its words; a new one gets the id that its oldest name gives; an id that is retired is never
given to anything else. Near words are proposed to a person and change nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field
from rapidfuzz import fuzz, process

from vouch.curation.taxonomy.pack import Item, Negative, Pack, Word, parents, words_of
from vouch.curation.taxonomy.words import folded, slug
from vouch.documents import parse_json
from vouch.errors import DataError, ParamsError, Problem, refuse_any
from vouch.names import Name, shown
from vouch.params import Section, check

if TYPE_CHECKING:
    import networkx as nx


class Entry(Section):
    """One item of the taxonomy."""

    id: Name
    name: Word
    negative: bool
    parent: Name | None
    stream: Name | None
    prohibited: tuple[Name, ...]
    synonyms: tuple[Word, ...]
    formerly: tuple[Word, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that means it: its name, former names, synonyms."""
        return (self.name, *self.formerly, *self.synonyms)


class Taxonomy(Section):
    """The items in order of their ids, and those that a pack had once."""

    format: Literal[1]
    municipality: Word
    version: Word
    streams: Mapping[Name, Word]  # id to name
    items: tuple[Entry, ...]
    retired: tuple[Entry, ...]


class Near(Section):
    """`curate.near_words` of presets/dataset.yaml: which words are near enough to be shown to a person."""

    percent: Annotated[float, Field(gt=0, le=100)]  # of rapidfuzz's token_sort_ratio
    most: Annotated[int, Field(ge=1)]  # a word


@dataclass(frozen=True, order=True)
class Change:
    """One difference between two taxonomies."""

    kind: str  # added, retired, renamed, or the field that changed
    id: str
    before: str
    after: str


@dataclass(frozen=True)
class Proposal:
    """Two words that may mean one thing: a person decides."""

    word: str
    other: str
    percent: float
    of: str  # what the first word is of
    other_of: str


def build(pack: Pack, previous: Taxonomy | None, where: str) -> Taxonomy:
    """Return the taxonomy of a sound pack; items that `previous` knows by any of their words keep their ids.

    Raises
    ------
    DataError
        Listing each item whose id is another than before, that would take the id of another, or that has a name
        which gives none.
    """
    members: list[Item | Negative] = [*pack.items, *pack.negatives]
    ids = _kept(members, previous)
    refuse_any(DataError, _stated_wrong(members, previous, where))
    new = {place: slug(words_of(one)[1] if one.formerly else one.name) for place, one in enumerate(members)}
    found = [ids.get(place, new[place]) for place in range(len(members))]
    refuse_any(DataError, _id_problems(members, found, ids, previous, where))
    above, _ = parents(pack)
    entries = [_entry(one, found, place, above) for place, one in enumerate(members)]
    held = [] if previous is None else [*previous.items, *previous.retired]
    return Taxonomy(
        format=1,
        municipality=pack.municipality,
        version=pack.version,
        streams={stream.id: stream.name for stream in sorted(pack.streams, key=lambda one: one.id)},
        items=tuple(sorted(entries, key=lambda one: one.id)),
        retired=tuple(sorted((one for one in held if one.id not in found), key=lambda one: one.id)),
    )


def read_taxonomy(text: str, where: str) -> Taxonomy:
    """Return a taxonomy as `vouch curate taxonomy` wrote it.

    Raises
    ------
    DataError
        When it is no taxonomy, an id or word stands twice, or its parents are no items or make no tree.
    """
    try:
        found = check(Taxonomy, parse_json(text, where), where)
    except ParamsError as error:
        raise DataError(error.problems) from error
    from networkx import is_directed_acyclic_graph

    known: dict[str, str] = {}
    remedy = "restore the file: `vouch curate taxonomy` writes it"
    twice = [
        Problem(where, "each id and word once", shown(word), remedy)
        for one in found.items
        for word in {one.id, *map(folded, one.words)}
        if known.setdefault(word, one.id) != one.id
    ]
    waste = {one.id for one in found.items if not one.negative}
    lost = [one.parent for one in found.items if one.parent is not None and one.parent not in waste]
    refuse_any(DataError, [*twice, *(Problem(where, "a parent that is an item", shown(one), remedy) for one in lost)])
    if not is_directed_acyclic_graph(tree(found)):
        raise DataError([Problem(where, "a tree", "a cycle", remedy)])
    return found


def tree(taxonomy: Taxonomy) -> "nx.DiGraph[str]":
    """Return the items as a graph from each to its parent."""
    import networkx as nx  # a tenth of a second that no other command need wait

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(one.id for one in taxonomy.items)
    graph.add_edges_from((one.id, one.parent) for one in taxonomy.items if one.parent is not None)
    return graph


def leaves(taxonomy: Taxonomy, *, negative: bool) -> list[Entry]:
    """Return the items, or the negatives, that stand above no other: what a photograph can show."""
    headings = {one.parent for one in taxonomy.items}
    return [one for one in taxonomy.items if one.negative is negative and one.id not in headings]


def by_word(taxonomy: Taxonomy) -> dict[str, Entry]:
    """Return each item by its id and, folded, by each of its words."""
    found = {folded(word): one for one in taxonomy.items for word in one.words}
    return found | {one.id: one for one in taxonomy.items}


def differences(previous: Taxonomy, current: Taxonomy) -> list[Change]:
    """List what was added, retired, renamed or changed in any field, sorted."""
    before, after = ({one.id: one for one in each.items} for each in (previous, current))
    changes = [Change("added", one, "", after[one].name) for one in after.keys() - before.keys()]
    changes += [Change("retired", one, before[one].name, "") for one in before.keys() - after.keys()]
    for one in before.keys() & after.keys():
        pairs = ((field, getattr(before[one], field), getattr(after[one], field)) for field in Entry.model_fields)
        changes += [
            Change("renamed" if field == "name" else field, one, _told(old), _told(new))
            for field, old, new in pairs
            if old != new
        ]
    return sorted(changes)


def near_items(taxonomy: Taxonomy, near: Near) -> list[Proposal]:
    """Return words of different items that are near each other, each pair once: perhaps one thing under two names."""
    words = [(word, one.id) for one in taxonomy.items for word in one.words]
    ordered = (  # of two words, one may be near enough only from the side of the other, which has fewer near it
        one if one.of < one.other_of else Proposal(one.other, one.word, one.percent, one.other_of, one.of)
        for one in proposals(words, words, near)
    )
    return list(dict.fromkeys(ordered))


def near_renames(previous: Taxonomy, current: Taxonomy, near: Near) -> list[Proposal]:
    """Return new items whose words are near those of items that went: perhaps `formerly` is missing."""
    known = {one.id for one in (*previous.items, *previous.retired)}
    new = [(word, one.id) for one in current.items if one.id not in known for word in one.words]
    gone = [(word, one.id) for one in current.retired for word in one.words]
    return proposals(new, gone, near)


def proposals(words: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]], near: Near) -> list[Proposal]:
    """Return for each word, with what it is of, the nearest of `others` that are of something else.

    How near is rapidfuzz's token_sort_ratio, in percent: letters that agree, in any order of words.
    """
    if not words or not others:
        return []
    left, right = ([folded(word) for word, _ in each] for each in (words, others))
    percents = process.cdist(left, right, scorer=fuzz.token_sort_ratio, score_cutoff=near.percent)
    found = []
    for row, (word, of) in enumerate(words):
        alike = [place for place in map(int, np.flatnonzero(percents[row])) if others[place][1] != of]
        alike.sort(key=lambda place: (-percents[row, place], others[place]))
        found += [
            Proposal(word, others[place][0], round(float(percents[row, place]), 1), of, others[place][1])
            for place in alike[: near.most]
        ]
    return found


def _kept(members: Sequence[Item | Negative], previous: Taxonomy | None) -> dict[int, str]:
    """Return the id of each member that states one or was there before, by place.

    Names count for more than former names, and those for more than synonyms, so that of two items which one item was
    before, the one that still has its name keeps the id.
    """
    kept = {place: one.id for place, one in enumerate(members) if one.id is not None}
    taken = set(kept.values())
    if previous is None:
        return kept
    names, words = _known(previous)
    looks = ((lambda one: (one.name,)), (lambda one: one.formerly), (lambda one: one.synonyms))
    for table in (names, words):
        for look in looks:
            for place, one in enumerate(members):
                hits = (table[folded(word)] for word in look(one) if folded(word) in table)
                hit = next((each for each in hits if each not in taken), None)
                if place not in kept and hit is not None:
                    kept[place] = hit
                    taken.add(hit)
    return kept


def _known(previous: Taxonomy) -> tuple[dict[str, str], dict[str, str]]:
    """Return the ids of a taxonomy by name and by any word; what it holds comes before what it retired."""
    both = [*previous.retired, *previous.items]
    return {folded(one.name): one.id for one in both}, {folded(word): one.id for one in both for word in one.words}


def _stated_wrong(members: Sequence[Item | Negative], previous: Taxonomy | None, where: str) -> Iterator[Problem]:
    """Stated ids that rename an item's id, or give that of another item."""
    if previous is None:
        return
    names, _ = _known(previous)
    held = {one.id: {folded(word) for word in one.words} for one in (*previous.retired, *previous.items)}
    for one in members:
        if one.id is None:
            continue
        mine, before = set(map(folded, words_of(one))), names.get(folded(one.name))
        if one.id in held and not held[one.id] & mine:
            got = f"{one.id}, which was another item's"
            yield Problem(f"{where}: {one.name}", "an id that meant nothing else before", got, "give it another id")
        elif one.id not in held and before is not None:
            yield Problem(f"{where}: {one.name}", f"the id {before} that it had", one.id, "state that id, or none")


def _id_problems(
    members: Sequence[Item | Negative],
    found: Sequence[str],
    kept: Mapping[int, str],
    previous: Taxonomy | None,
    where: str,
) -> Iterator[Problem]:
    """New ids that are none, or that something else has or had; ids that are a word of something else."""
    means = {folded(word): place for place, one in enumerate(members) for word in words_of(one)}
    held = set() if previous is None else {one.id for one in (*previous.items, *previous.retired)}
    remedy = "give it an `id` of its own"
    for place, (one, name) in enumerate(zip(members, found, strict=True)):
        here = f"{where}: {one.name}"
        if not name:
            yield Problem(here, "a name of Latin letters or digits, which gives an id", shown(one.name), remedy)
        elif found.index(name) != place or (place not in kept and name in held):
            yield Problem(here, "an id that nothing else has or had", name, remedy)
        elif means.get(name, place) != place:  # a row says either, and it would mean two things
            got = f"{name}, a word of {members[means[name]].name}"
            yield Problem(here, "an id that is no word of another item", got, "give one of the two another")


def _entry(one: Item | Negative, ids: Sequence[str], place: int, above: Mapping[int, int]) -> Entry:
    waste = isinstance(one, Item)
    return Entry(
        id=ids[place],
        name=one.name,
        negative=not waste,
        parent=ids[above[place]] if waste and place in above else None,
        stream=one.stream if isinstance(one, Item) else None,
        prohibited=tuple(sorted(one.prohibited)) if isinstance(one, Item) else (),
        synonyms=tuple(sorted(one.synonyms)),
        formerly=one.formerly,
    )


def _told(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
