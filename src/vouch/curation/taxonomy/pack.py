"""A municipal pack: what a town collects, in which stream, under which words, and what it refuses.

pack.schema.json beside this module is its JSON Schema, made from `Pack` (a test holds the two against each other), and
examples/curbside/pack.json a pack. A pack knows nothing of any model: which item is which class says a label map.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from vouch.curation.taxonomy.words import folded
from vouch.documents import parse_json
from vouch.errors import DataError, ParamsError, Problem, refuse_any
from vouch.names import NAME, closest, shown
from vouch.params import Section, check
from vouch.sources.vocabulary import is_fit

SCHEMA = "pack.schema.json"
LONGEST = 120  # characters of a word
MOST_TOLD = 12  # items of a cycle that a message names


def _word(word: str) -> str:
    if not is_fit(word) or not folded(word) or len(word) > LONGEST:
        expected = f"a word of 1 to {LONGEST} printable characters, a letter or digit among them, without outer spaces"
        raise PydanticCustomError("word", "{expected}", {"expected": expected})
    return word


Word = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_word)]
Words = Annotated[tuple[Word, ...], Field(description="each the same thing as `name`; no other item may have it")]
Id = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]


class Stream(Section):
    """What is collected together."""

    id: Annotated[Id, Field(description="stays what it is for good")]
    name: Word
    container: Annotated[str | None, Field(description="what it is put out in, say `blue bin`")] = None


class Item(Section):
    """Something that people put out, or a heading above such things."""

    name: Annotated[Word, Field(description="what the town calls it today")]
    id: Annotated[Id | None, Field(description="stated id; without it the oldest name gives one")] = None
    parent: Annotated[Word | None, Field(description="name or id of the item above it")] = None
    stream: Annotated[Id | None, Field(description="stream that takes it; null for a heading, or where none does")]
    prohibited: Annotated[tuple[Id, ...], Field(description="streams whose rules refuse it by name")] = ()
    synonyms: Words = ()
    formerly: Annotated[tuple[Word, ...], Field(description="names that it had before, the oldest first")] = ()


class Negative(Section):
    """Something that lies at the kerb and is no waste: it must stay negative."""

    name: Word
    id: Annotated[Id | None, Field(description="stated id; without it the oldest name gives one")] = None
    synonyms: Words = ()
    formerly: Annotated[tuple[Word, ...], Field(description="names that it had before, the oldest first")] = ()


class Pack(Section):
    """What a town collects at the kerb: streams, items, negatives."""

    format: Literal[1]
    municipality: Word
    version: Annotated[Word, Field(description="of the town's list, in its own words, say `2027`")]
    source: Annotated[str, Field(min_length=1, description="where the list was taken from")]
    licence: Annotated[
        str, Field(min_length=1, description="under which it may be used, an SPDX name where it has one")
    ]
    streams: Annotated[tuple[Stream, ...], Field(min_length=1)]
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    negatives: tuple[Negative, ...] = ()


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a pack."""
    made = Pack.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "A municipal pack of Vouch"}


def read_pack(text: str, where: str) -> Pack:
    """Return a pack that is sound in itself.

    Raises
    ------
    DataError
        Listing everything that breaks the schema or, where nothing does: a word or id that two items have, an unknown
        stream or parent, a cycle, an item that its own stream prohibits, a thing that no stream takes or refuses.
    """
    try:
        pack = check(Pack, parse_json(text, where), where)
    except ParamsError as error:
        raise DataError(error.problems) from error
    refuse_any(DataError, problems(pack, where))
    return pack


def words_of(item: Item | Negative) -> tuple[str, ...]:
    """Return every word that means an item: its name first, then former names, then synonyms."""
    return (item.name, *item.formerly, *item.synonyms)


def problems(pack: Pack, where: str) -> list[Problem]:
    """List what is wrong with a pack whose fields are each sound."""
    above, unknown = parents(pack)
    names = [item.name for item in pack.items]
    expected = "the name or id of an item"
    return [
        *_twice(pack, where),
        *_streams(pack, above, where),
        *_cycles(pack, above, where),
        *(
            Problem(f"{where}: items[{place}].parent", expected, shown(word), closest(word, names))
            for place, word in unknown
        ),
    ]


def parents(pack: Pack) -> tuple[dict[int, int], list[tuple[int, str]]]:
    """Return the place of each item's parent, and the parents that are no item of the pack with who names them."""
    places: dict[str | None, int] = {}  # names before other words, so that a word which two items have hides no cycle
    for words in (lambda item: (item.name,), words_of):
        for place, item in enumerate(pack.items):
            for word in words(item):
                places.setdefault(folded(word), place)
    places |= {item.id: place for place, item in enumerate(pack.items) if item.id is not None}
    stated = [(place, item.parent) for place, item in enumerate(pack.items) if item.parent is not None]
    found = {place: places.get(word, places.get(folded(word))) for place, word in stated}
    above = {place: parent for place, parent in found.items() if parent is not None}
    return above, [(place, word) for place, word in stated if place not in above]


def _members(pack: Pack) -> Iterator[tuple[str, Item | Negative]]:
    for place, item in enumerate(pack.items):
        yield f"items[{place}]", item
    for place, negative in enumerate(pack.negatives):
        yield f"negatives[{place}]", negative


def _twice(pack: Pack, where: str) -> Iterator[Problem]:
    """Words and ids that stand twice: a word that means two things means nothing."""
    first: dict[str, str] = {}
    for place, one in _members(pack):
        for word in words_of(one):
            other = first.setdefault(folded(word), f"{place} ({one.name})")
            if other != f"{place} ({one.name})" or _repeats(word, one):
                expected = "each word once among names, former names and synonyms"
                got = f"{shown(word)}, which {other} has too"
                yield Problem(f"{where}: {place} ({one.name})", expected, got, "give it to one of the two")
    yield from _repeated((one.id for _, one in _members(pack) if one.id is not None), f"{where}: id")
    yield from _repeated((stream.id for stream in pack.streams), f"{where}: streams")


def _repeats(word: str, one: Item | Negative) -> bool:
    return sum(folded(other) == folded(word) for other in words_of(one)) > 1


def _repeated(ids: Iterable[str], where: str) -> Iterator[Problem]:
    for name, count in Counter(ids).items():
        if count > 1:
            yield Problem(where, "each id once", f"{name}, {count} times", "rename all but one")


def _streams(pack: Pack, above: Mapping[int, int], where: str) -> Iterator[Problem]:
    known, headings = {stream.id for stream in pack.streams}, set(above.values())
    for place, item in enumerate(pack.items):
        here = f"{where}: items[{place}] ({item.name})"
        named = {*item.prohibited, *([] if item.stream is None else [item.stream])}
        for name in sorted(named - known):
            yield Problem(here, "a stream of the pack", shown(name), closest(name, known))
        if item.stream in item.prohibited:
            yield Problem(here, "a stream that does not prohibit it", str(item.stream), "take it out of one of the two")
        if not named and place not in headings:
            remedy = "name its stream, or the streams that refuse it"
            yield Problem(here, "a stream, or streams that prohibit it", "neither", remedy)


def _cycles(pack: Pack, above: Mapping[int, int], where: str) -> Iterator[Problem]:
    """Tell each cycle once: an item has at most one parent, so no item lies in two."""
    import networkx as nx  # a tenth of a second that no other command need wait

    for members in nx.strongly_connected_components(nx.DiGraph(sorted(above.items()))):
        least = min(members)
        if len(members) == 1 and above.get(least) != least:
            continue
        ring = [least]
        while (parent := above[ring[-1]]) != least:
            ring.append(parent)
        got = " below ".join(pack.items[place].name for place in (*ring[:MOST_TOLD], least))
        yield Problem(f"{where}: items[{least}].parent", "a tree", f"a cycle: {got}", "take one parent out")
