"""What no split may cut: the groups that a person names, or those that the folder itself shows.

Nothing is taken on a guess: columns count by their name, folders and file names where they make several groups of
several photographs, times where most photographs have one. Where none is found the proposal refuses, for a split
through a drive or a session gives numbers that hold nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import pandas as pd

from vouch.errors import ManifestError, Problem
from vouch.proposal import columns, sessions
from vouch.proposal.candidates import LEAST, Candidate, judged, of_columns, of_folders, of_names
from vouch.proposal.formats import Said
from vouch.proposal.survey import Survey, summed
from vouch.sources.descriptor import Rule, check_descriptor
from vouch.sources.keys import ITSELF
from vouch.sources.options import rules_of
from vouch.sources.rules import placed
from vouch.splits.components import build_graph, find_components
from vouch.tables import GROUP

NONE = "none"  # the word with which a person says that each photograph stands for itself
MANY = 20  # groups that a key should have, as intervals need them (docs/intervals.md)
MOST_VALUES = 6  # of a column that is offered as a stratum
HOW = "`--group KEY=column:NAME`, `KEY=folder:LEVEL` or `KEY=name:REGEX`"


@dataclass(frozen=True)
class Groups:
    """The leakage keys of a data set, and how they were found."""

    keys: tuple[str, ...]
    rules: Mapping[str, Rule]
    values: Mapping[str, tuple[str, ...]]  # key to the group of each photograph; none for `sample`
    said: tuple[Said, ...] = ()
    problems: tuple[Problem, ...] = ()
    manifest: str = ""  # text of the side manifest that carries sessions
    used: frozenset[str] = field(default_factory=frozenset)  # columns


def find_groups(found: Survey, asked: Sequence[str]) -> Groups:
    """Return what a person named, else what the source states, else what the folder shows."""
    if NONE in asked:
        return _each_itself(found, asked)
    if asked:
        return _asked(found, asked)
    stated = _stated(found)
    if stated:
        said = [(f"groups: key `{one.key}`", f"{one.where}; {one.described()}") for one in stated]
        problems = tuple(_refused(one) for one in stated if one.objection)
        keys = tuple(one.key for one in stated)
        used = frozenset(f"{GROUP}{key}" for key in keys)
        return Groups(keys, {}, {one.key: one.values for one in stated}, tuple(said), problems, used=used)
    return _found(found)


def n_components(values: Mapping[str, Sequence[str]], n_photographs: int) -> int:
    """Return how many independent groups the keys make together: a shared vehicle chains its drivers."""
    table = pd.DataFrame({"sample_id": [str(i) for i in range(n_photographs)]}, dtype="str")
    for key, column in values.items():
        table[f"{GROUP}{key}"] = np.asarray(column, dtype=object)
    none = pd.DataFrame({"sample_id": pd.Series([], dtype="str"), "cluster": pd.Series([], dtype="int64")})
    return len(find_components(build_graph(table, none)).names)


def _each_itself(found: Survey, asked: Sequence[str]) -> Groups:
    problems = []
    if len(asked) > 1:
        problems.append(Problem("--group", "`none` alone, or keys", " ".join(asked), "leave one of them out"))
    for one in _stated(found):
        remedy = f"leave `--group none` out, or the column with `--ignore {GROUP}{one.key}`"
        problems.append(Problem(f"{one.where}", "no groups, as `--group none` says", one.described(), remedy))
    why = (
        "each photograph is its own group, as --group none says. validate joins near-duplicates; one object from other "
        "sides, or one series, it does not see: where there are such, val_test knows them from train and flatters"
    )
    return Groups((ITSELF,), {}, {}, (("groups: none", why),), tuple(problems))


def _asked(found: Survey, asked: Sequence[str]) -> Groups:
    try:
        rules = rules_of(asked, default_key="group")
        descriptor = check_descriptor(
            {**found.descriptor.model_dump(exclude_none=True), "groups": rules, "strata": {}}, "--group"
        )
    except ManifestError as error:
        return Groups((), {}, {}, problems=error.problems)
    if ITSELF in rules:
        remedy = "call the key otherwise"
        expected = f"another key than `{ITSELF}`, which stands for each photograph itself"
        return Groups((), {}, {}, problems=(Problem("--group", expected, ITSELF, remedy),))
    records, problems = placed(found.records, found.rows, descriptor)
    keys = tuple(dict.fromkeys([*descriptor.groups, *(key for record in records for key in record.groups)]))
    made = []
    for key in keys:
        rule = descriptor.groups.get(key, Rule(column=f"{GROUP}{key}"))
        values = tuple(record.groups.get(key, "") for record in records)
        made.append(judged(Candidate(key, rule, values, f"--group {key}"), found, named=True))
    if not problems:
        problems = [_refused(one) for one in made if one.objection]
    said = tuple((f"groups: key `{one.key}`", f"as named; {one.described()}") for one in made)
    used = frozenset(rule.column for rule in descriptor.groups.values() if rule.column is not None)
    named = {one.key: one.values for one in made}
    return Groups(keys, descriptor.groups, named, said, tuple(summed(problems)), used=used)


def _stated(found: Survey) -> list[Candidate]:
    """Return the keys that the source states itself, taken without being asked."""
    keys = dict.fromkeys(key for record in found.records for key in record.groups)
    made = []
    for key in keys:
        values = tuple(record.groups.get(key, "") for record in found.records)
        column = f"{GROUP}{key}" in found.columns
        where = f"column {GROUP}{key} of {found.descriptor.manifest or 'the manifest'}" if column else f"`{key}` there"
        made.append(judged(Candidate(key, Rule(column=f"{GROUP}{key}"), values, where), found, named=True))
    return made


def _refused(one: Candidate) -> Problem:
    column = one.rule.column
    stated = column is not None and column.startswith(GROUP)
    ignore = f"leave it out with `--ignore {column}`" if stated else "leave it out"
    tells = column and not stated and one.objection != columns.THE_CLASS and 2 <= one.count <= MOST_VALUES
    stratum = f"; as a stratum: `--strata {one.key}=column:{column}`" if tells else ""
    got = f"{one.objection} ({', '.join(sorted(set(one.values))[:3])}{' ...' if one.count > 3 else ''})"
    expected = f"at least {LEAST} groups of photographs that depend on each other"
    return Problem(one.where, expected, got, f"{ignore}, and name what photographs share: {HOW}{stratum}")


def _found(found: Survey) -> Groups:
    """Take the first kind of evidence that makes groups: columns, folders, names, times in names, EXIF."""
    tried: list[Candidate] = []
    for kind in (of_columns(found), of_folders(found), of_names(found)):
        candidates = list(kind)
        tried += candidates
        if sound := [one for one in candidates if not one.objection]:
            return _chosen(sound, tried, len(found.records))
    return _by_time(found, tried)


def _by_time(found: Survey, tried: Sequence[Candidate]) -> Groups:
    names = [record.image.rpartition("/")[2] for record in found.records]
    times = [sessions.time_in_name(name) for name in names]
    where = "times in the names"
    if not sessions.timed(times):
        times, where = sessions.times_taken([found.tree.path(r.image) for r in found.records]), "EXIF's times"
    if not sessions.timed(times):
        return _none(found, tried, "neither the names nor EXIF tell when most photographs were taken")
    values = tuple(sessions.sessions(times))
    where = f"capture sessions by {where}, more than {sessions.GAP.seconds} s apart"
    one = judged(Candidate("session", Rule(column=sessions.COLUMN), values, where), found, named=False)
    if one.objection:
        return _none(found, [*tried, one], "")
    if found.descriptor.format in ("csv", "jsonl"):
        remedy = "add them as a column or field `group_session` (CSV) or `groups` (JSONL)"
        return _none(found, [*tried, one], f"{where} make {one.count}: {remedy}")
    groups = _chosen([one], [*tried, one], len(found.records))
    text = sessions.manifest([record.image for record in found.records], values, found.columns)
    return Groups(groups.keys, groups.rules, groups.values, groups.said, manifest=text)


def _chosen(sound: Sequence[Candidate], tried: Sequence[Candidate], n_photographs: int) -> Groups:
    """Take the coarsest with enough groups, and every other that leaves enough: photographs may share two things."""
    many = [one for one in sound if one.count >= MANY]
    first = min(many, key=lambda one: one.count) if many else max(sound, key=lambda one: one.count)
    taken = {first.key: first}
    said = [(f"groups: key `{first.key}`", f"{first.where}; {first.described()}")]
    for one in sound:
        if one is first:
            continue
        values = {key: other.values for key, other in taken.items()}
        alone, joined = (
            n_components(values, n_photographs),
            n_components({**values, one.key: one.values}, n_photographs),
        )
        if joined == alone:
            said.append((f"{one.where} adds nothing", f"its groups lie in those of `{first.key}`"))
        elif joined >= min(MANY, alone) and one.key not in taken:
            taken[one.key] = one
            said.append((f"groups: key `{one.key}` too", f"{one.where}; together {joined:,} independent groups"))
        else:
            why = f"with it only {joined:,} independent groups would be left; if it matters, name it with --group"
            said.append((f"{one.where} is not a key", why))
    passed = [one for one in tried if one.objection and one.rule.column and columns.is_shared(one.rule.column)]
    said += [(f"{one.where} is not a key", one.objection) for one in passed]
    values = {key: one.values for key, one in taken.items()}
    used = frozenset(one.rule.column for one in taken.values() if one.rule.column is not None)
    return Groups(tuple(taken), {key: one.rule for key, one in taken.items()}, values, tuple(said), used=used)


def _none(found: Survey, tried: Sequence[Candidate], last: str) -> Groups:
    if found.unsound_manifest:  # which is a problem itself
        return Groups((), {}, {})
    reasons = sorted({(one.objection, one.where) for one in tried})
    told = [f"{', '.join(w for _, w in one)} ({why})" for why, one in groupby(reasons, key=lambda reason: reason[0])]
    expected = "groups: what several photographs share, say a drive, a session, a video or an object"
    got = f"no --group, and none found; looked at {'; '.join([*told, *([last] if last else [])])}"
    other = "one object from other sides" if found.task == "classify" else "one scene a moment later"
    remedy = (
        f"name them with {HOW}. Or `--group none`, if each photograph stands for itself; if not ({other}, one series), "
        "the model meets in val_test what it learnt by heart in train, and the verdict means nothing"
    )
    return Groups((), {}, {}, problems=(Problem("the photographs", expected, got, remedy),))
