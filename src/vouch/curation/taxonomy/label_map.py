"""Which class of a model an item of a taxonomy is: by what a person states, by a word that both have, by its parent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from vouch.curation.taxonomy.pack import Word
from vouch.curation.taxonomy.taxonomy import Entry, Near, Proposal, Taxonomy, by_word, leaves, proposals, tree
from vouch.curation.taxonomy.words import folded
from vouch.documents import parse_json
from vouch.errors import DataError, ParamsError, Problem, refuse_any
from vouch.names import Name, closest, shown
from vouch.params import Section, check

By = Literal["stated", "name", "former name", "synonym", "id", "parent", "nothing"]


class Mapped(Section):
    """The class of one item, and why."""

    label: Word | None  # class of the model, null where it has none
    by: By


class LabelMap(Section):
    """What a model can say of a taxonomy."""

    format: Literal[1]
    classes: tuple[Word, ...]  # of the model, in its order
    items: Mapping[Name, Mapped]  # every item that is no negative

    @property
    def supported(self) -> frozenset[str]:
        """Ids of the items that the model has a class for."""
        return frozenset(name for name, one in self.items.items() if one.label is not None)


class Stated(Section):
    """What a person decided: item, by id or word, to a class, or to null where none of them is it."""

    items: Mapping[str, str | None]


def read_stated(text: str, where: str) -> dict[str, str | None]:
    """Return what a person stated: a JSON object of items to classes or null.

    Raises
    ------
    DataError
        When it is no such object.
    """
    try:
        return dict(check(Stated, {"items": parse_json(text, where)}, where).items)
    except ParamsError as error:
        raise DataError(error.problems) from error


def read_label_map(text: str, where: str, taxonomy: Taxonomy) -> LabelMap:
    """Return a label map as `vouch curate taxonomy` wrote it, of this taxonomy.

    Raises
    ------
    DataError
        When it is none, names a class that it does not list, or is not of exactly the items of the taxonomy.
    """
    try:
        found = check(LabelMap, parse_json(text, where), where)
    except ParamsError as error:
        raise DataError(error.problems) from error
    remedy = "write it anew: `vouch curate taxonomy --map-output`"
    wanted = {one.id for one in taxonomy.items if not one.negative}
    odd = [Problem(where, "the items of the taxonomy", name, remedy) for name in sorted(wanted ^ found.items.keys())]
    labels = {one.label for one in found.items.values()} - {None, *found.classes}
    odd += [Problem(where, "a class of `classes`", shown(label), remedy) for label in sorted(map(str, labels))]
    refuse_any(DataError, odd)
    return found


def map_labels(taxonomy: Taxonomy, classes: Sequence[str], stated: Mapping[str, str | None], where: str) -> LabelMap:
    """Return the class of every item that is no negative.

    What is stated counts first; then the class that has the item's name, a former name, a synonym, its id; then the
    class of the nearest item above it that has one. A word that is only near is never taken.

    Raises
    ------
    DataError
        Listing stated items and classes that there are not, a negative item that is stated to be a class, and items
        of which two classes are equally good.
    """
    from networkx import topological_sort  # a tenth of a second that no other command need wait

    known = by_word(taxonomy)
    said = {word: known.get(word) or known.get(folded(word)) for word in stated}
    refuse_any(DataError, _stated_problems(stated, said, classes, taxonomy, where))
    decided = {one.id: stated[word] for word, one in said.items() if one is not None}
    direct = {one.id: _direct(one, classes) for one in taxonomy.items if not one.negative and one.id not in decided}
    refuse_any(DataError, _ambiguous(direct, where))
    graph, items = tree(taxonomy), {}
    for name in reversed(list(topological_sort(graph))):  # parents before those below them
        if name in decided:
            items[name] = Mapped(label=decided[name], by="stated")
        elif name in direct and direct[name][0]:
            items[name] = Mapped(label=direct[name][0][0], by=direct[name][1])
        elif name in direct:
            above = next((items[one].label for one in graph.successors(name)), None)
            items[name] = Mapped(label=above, by="nothing" if above is None else "parent")
    mapped = {name: one.model_dump() for name, one in sorted(items.items())}
    try:  # classes are somebody's file, and may be no words
        return check(LabelMap, {"format": 1, "classes": list(classes), "items": mapped}, where)
    except ParamsError as error:
        raise DataError(error.problems) from error


def unused(taxonomy: Taxonomy, label_map: LabelMap) -> list[tuple[str, str]]:
    """Return the classes that no item is, each with why: `negative` where the taxonomy calls it one, else `unknown`."""
    known, used = by_word(taxonomy), {one.label for one in label_map.items.values()}
    return [
        (name, "negative" if (item := known.get(folded(name))) is not None and item.negative else "unknown")
        for name in label_map.classes
        if name not in used
    ]


def lacking(taxonomy: Taxonomy, label_map: LabelMap) -> list[Entry]:
    """Return the items that a photograph can show and the model has no class for."""
    return [one for one in leaves(taxonomy, negative=False) if one.id not in label_map.supported]


def near_classes(taxonomy: Taxonomy, label_map: LabelMap, near: Near) -> list[Proposal]:
    """Return words of items without a class that are near classes without an item, for a person to decide."""
    free = [(name, f"class {name}") for name, why in unused(taxonomy, label_map) if why == "unknown"]
    words = [(word, one.id) for one in lacking(taxonomy, label_map) for word in one.words]
    return proposals(free, words, near)


def _direct(one: Entry, classes: Iterable[str]) -> tuple[list[str], By]:
    """Return the classes that share the best kind of word with an item, and the kind."""
    kinds: tuple[tuple[By, tuple[str, ...]], ...] = (
        ("name", (one.name,)),
        ("former name", one.formerly),
        ("synonym", one.synonyms),
        ("id", (one.id,)),
    )
    for kind, words in kinds:
        mine = set(map(folded, words))
        if found := [name for name in classes if folded(name) in mine]:
            return found, kind
    return [], "nothing"


def _stated_problems(
    stated: Mapping[str, str | None],
    said: Mapping[str, Entry | None],
    classes: Sequence[str],
    taxonomy: Taxonomy,
    where: str,
) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for word, label in stated.items():
        here, item = f"{where}: {word}", said[word]
        if item is None:
            remedy = closest(word, (one.id for one in taxonomy.items))
            yield Problem(here, "an item of the taxonomy", shown(word), remedy)
            continue
        if first.setdefault(item.id, word) != word:
            yield Problem(here, "each item once", f"{first[item.id]}, which is {item.id} too", "remove one")
        if item.negative:
            yield Problem(here, "an item that is waste", "a negative, which no class may be", "remove the line")
        if label is not None and label not in classes:
            yield Problem(here, "a class of the model, or null", shown(label), closest(label, classes))


def _ambiguous(direct: Mapping[str, tuple[list[str], str]], where: str) -> Iterator[Problem]:
    for name, (found, _) in direct.items():
        if len(found) > 1:
            remedy = "state one of them with --stated"
            yield Problem(f"{where}: {name}", "one class that has its words", ", ".join(found), remedy)
