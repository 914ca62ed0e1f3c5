"""Ways to say which photographs belong together: columns, folders, and what file names begin with."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from vouch.proposal import columns, sessions
from vouch.proposal.formats import STRUCTURE, counted
from vouch.proposal.survey import Survey
from vouch.sources.descriptor import Rule
from vouch.tables import GROUP, STRATUM

LEAST = 4  # groups: four splits need four
LEAST_SIZE = 2.0  # photographs of a mean group that a folder shows; below, a name is one of a photograph
SEQUENCE = (  # the name before a frame's number, and before what Roboflow adds
    r"(?i)^(.+?)(?:(?<=[^\W\d_])|[ _.-]+)(?:frame|image|img|fr|f)?[ _.-]*\d+"
    r"(?:_(?:jpe?g|png|bmp|webp|tiff?)\.rf\.[0-9a-z]+)?\.[a-z]+$"
)


@dataclass(frozen=True)
class Candidate:
    """One way to say which photographs belong together."""

    key: str
    rule: Rule
    values: tuple[str, ...]  # of each photograph
    where: str  # in words
    objection: str = ""

    @property
    def count(self) -> int:
        """How many groups it makes."""
        return len(set(self.values))

    def described(self) -> str:
        """Return its number of groups and their sizes."""
        sizes = Counter(self.values)
        name, most = sizes.most_common(1)[0]
        share = f", the largest {name!r} with {most / len(self.values):.0%} of all photographs" if most > 1 else ""
        return f"{counted(self.count, 'group')} with a median of {median(sizes.values()):g} photographs{share}"


def judged(one: Candidate, found: Survey, *, named: bool) -> Candidate:
    """Add what speaks against a candidate; one that a person named may be another value on each photograph."""
    why = columns.objection(one.rule.column or one.key, one.values, found.labels, named=named)
    if not why and one.count < LEAST:
        why = f"{counted(one.count, 'group')}: too few for four splits"
    if not why and not named and len(one.values) < LEAST_SIZE * one.count:
        why = "another value for nearly every photograph"
    return Candidate(one.key, one.rule, one.values, one.where, why)


def of_columns(found: Survey) -> Iterator[Candidate]:
    """Yield the columns of the manifest; one whose name says nothing is told of, and not taken."""
    for name, cells in found.columns.items():
        if name in {*columns.RESERVED, *found.descriptor.ignore} or name.startswith((GROUP, STRATUM)):
            continue
        one = Candidate(_key(name), Rule(column=name), tuple(cells), f"column {name}")
        one = judged(one, found, named=False)
        if not one.objection and not columns.is_shared(name):
            why = "nothing in its name says that its photographs depend on each other"
            one = Candidate(one.key, one.rule, one.values, one.where, why)
        yield one


def of_folders(found: Survey) -> Iterator[Candidate]:
    """Yield the levels of folders that are neither a split nor the class."""
    folders = [record.image.split("/")[:-1] for record in found.records]
    for level in range(1, min((len(parts) for parts in folders), default=0) + 1):
        values = tuple(parts[level - 1] for parts in folders)
        if not all(columns.bare(value) in STRUCTURE for value in set(values)):
            one = Candidate("folder", Rule(level=level), values, f"folder level {level}")
            yield judged(one, found, named=False)


def of_names(found: Survey) -> Iterator[Candidate]:
    """Yield what file names begin with, where each ends in a number."""
    names = [record.image.rpartition("/")[2] for record in found.records]
    values = [_sequence(name) for name in names]
    if all(values):
        told = tuple(value for value in values if value)
        yield judged(Candidate("sequence", Rule(pattern=SEQUENCE), told, "name before its number"), found, named=False)


def _sequence(name: str) -> str | None:
    """Return the name before the frame's number; none where that number is the end of a time of day."""
    match, stamp = re.search(SEQUENCE, name), sessions.STAMP.search(name)
    if match is None or (stamp is not None and stamp.end() > match.end(1)):
        return None
    return match.group(1)


def _key(name: str) -> str:
    key = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:64]
    return key if key[:1].isalpha() else f"group_{key}"[:64]
