"""Several sources into one data set: label maps, one taxonomy, one table of samples and one of boxes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from vouch.errors import ManifestError, Problem, refuse_any
from vouch.names import closest
from vouch.sources import corrections
from vouch.sources.corrections import DROP, correction_problems
from vouch.sources.descriptor import Descriptor
from vouch.sources.keys import ITSELF, key_problems
from vouch.sources.products import product_problems, shared_places
from vouch.sources.records import NOWHERE, Reading
from vouch.sources.vocabulary import is_fit
from vouch.tables import BOXES, GROUP, PLACED, SAMPLES, SPLIT_STATED, STRATUM

TEXT = ("sample_id", "image", "source", "annotation", "label")


@dataclass(frozen=True)
class Taxonomy:
    """What a data set demands of its sources."""

    classes: tuple[str, ...]
    group_keys: tuple[str, ...]  # every photograph has a value of each; `sample` alone makes each its own group
    strata: Mapping[str, tuple[str, ...]]  # allowed values


@dataclass(frozen=True)
class Merged:
    """A data set's manifest, how much was left out because a descriptor says so, and what a person may want to see."""

    samples: pd.DataFrame
    boxes: pd.DataFrame
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def merged(sources: Sequence[tuple[Descriptor, Reading]], taxonomy: Taxonomy, folder: str) -> Merged:
    """Merge sources into one data set, samples sorted by id, boxes in their labelled order.

    Parameters
    ----------
    sources
        Descriptor and reading of each source; names are unique.
    taxonomy
        Classes, group keys and strata of the data set.
    folder
        POSIX path of the folder that holds the sources, from the repository root.

    Returns
    -------
    Merged
        `samples` and `boxes` with the columns of `vouch.tables`. A photograph whose label is dropped is left out; one
        whose every box is dropped is a negative of this taxonomy. Both are counted.

    Raises
    ------
    ManifestError
        Listing every problem of every source: of its reading, unknown classes, missing or unknown groups and strata.
    """
    problems: list[Problem] = []
    dropped: Counter[str] = Counter()
    samples: list[tuple[object, ...]] = []
    boxes: list[tuple[object, ...]] = []
    for descriptor, reading in sources:
        problems += [_prefixed(problem, descriptor.name) for problem in _all_problems(descriptor, reading, taxonomy)]
        dropped.update({f"{descriptor.name}: {what}": count for what, count in reading.dropped.items()})
        _take(descriptor, reading, taxonomy, folder, (samples, boxes, dropped))
    refuse_any(ManifestError, [*problems, *product_problems(sources)])
    table = _boxes(boxes)
    return Merged(_samples(samples, taxonomy), table, dict(sorted(dropped.items())), shared_places(table))


def _prefixed(problem: Problem, source: str) -> Problem:
    return Problem(f"{source}: {problem.where}", problem.expected, problem.got, problem.remedy)


def _all_problems(descriptor: Descriptor, reading: Reading, taxonomy: Taxonomy) -> Iterator[Problem]:
    yield from reading.problems
    yield from _class_problems(descriptor, reading, taxonomy)
    yield from correction_problems(reading.corrections, reading.records, taxonomy.classes)
    yield from _split_problems(reading)
    yield from key_problems(descriptor, reading, group_keys=taxonomy.group_keys, strata=taxonomy.strata)


def _split_problems(reading: Reading) -> Iterator[Problem]:
    """Words of splits that are no names, each once."""
    first: dict[str, str] = {}
    for record in reading.records:
        if record.split is not None:
            first.setdefault(record.split, record.where)
    expected = "a split without control characters or outer spaces"
    for word, where in first.items():
        if not is_fit(word):
            yield Problem(where, expected, f"{word!a}", "correct the value")


def _class_problems(descriptor: Descriptor, reading: Reading, taxonomy: Taxonomy) -> Iterator[Problem]:
    used: Counter[str] = Counter()
    first: dict[str, str] = {}
    for record in reading.records:
        for name in [*(box[0] for box in record.boxes), *([] if record.label is None else [record.label])]:
            used[name] += 1
            first.setdefault(name, record.where)
    for name, count in used.items():
        target = descriptor.labels.get(name, name)
        if target is not None and target not in taxonomy.classes:
            got = f"{target!r} ({count} label{'s' if count > 1 else ''})"
            remedy = f"{closest(target, taxonomy.classes)}; map it with --label-map {name}=CLASS, or {name}= to drop it"
            yield Problem(first[name], f"one of the data set's {len(taxonomy.classes)} classes", got, remedy)
    known = used.keys() | reading.classes
    for name in descriptor.labels:
        if name not in known:
            yield Problem("label map", "a class of the source", repr(name), closest(name, known))


def _take(
    descriptor: Descriptor,
    reading: Reading,
    taxonomy: Taxonomy,
    folder: str,
    into: tuple[list[tuple[object, ...]], list[tuple[object, ...]], Counter[str]],
) -> None:
    samples, boxes, dropped = into
    source, labels = descriptor.name, descriptor.labels
    for record in reading.records:
        label = None if record.label is None else labels.get(record.label, record.label)
        corrected = reading.corrections.get(record.image)
        if corrected == DROP:
            dropped[f"{source}: photographs, by {corrections.FILE}"] += 1
            continue
        label = corrected or label
        if record.label is not None and label is None:
            dropped[f"{source}: photographs of class {record.label}"] += 1
            continue
        sample_id = f"{source}/{record.image}"
        places = record.places or (NOWHERE,) * len(record.boxes)
        named = [(box, labels.get(box[0], box[0]), place) for box, place in zip(record.boxes, places, strict=True)]
        dropped.update(f"{source}: boxes of class {box[0]}" for box, name, _ in named if name is None)
        kept = [(sample_id, name, *box[1:], *place) for box, name, place in named if name is not None]
        annotation = "negative" if record.boxes and not kept and label is None else record.annotation
        image = f"{folder}/{sample_id}"
        groups = [sample_id if key == ITSELF else record.groups.get(key) for key in taxonomy.group_keys]
        strata = [record.strata.get(name) for name in taxonomy.strata]
        stated = (sample_id, image, source, annotation, label, record.width, record.height)
        samples.append((*stated, *groups, *strata, record.split))
        boxes += kept


def _samples(rows: list[tuple[object, ...]], taxonomy: Taxonomy) -> pd.DataFrame:
    groups = [f"{GROUP}{key}" for key in taxonomy.group_keys]
    strata = [f"{STRATUM}{name}" for name in taxonomy.strata]
    table = pd.DataFrame(rows, columns=[*SAMPLES, *groups, *strata, SPLIT_STATED])
    texts = dict.fromkeys([*TEXT, *groups, *strata, SPLIT_STATED], "str")
    table = table.astype({**texts, "width": "Int64", "height": "Int64"})
    split = [SPLIT_STATED] if table[SPLIT_STATED].notna().any() else []  # the others keep their bytes
    ordered = table.sort_values("sample_id", ignore_index=True)
    return ordered[[*SAMPLES, *sorted(groups), *sorted(strata), *split]]


def _boxes(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Return the boxes, with the columns of their places only where one is stated: the others keep their bytes."""
    table = pd.DataFrame(rows, columns=[*BOXES, *PLACED])
    types = {name: "str" if name in ("sample_id", "class_name", "product") else "float64" for name in table.columns}
    table = table.astype(types | {"row": "Int64", "position": "Int64"})
    if not table[list(PLACED)].notna().any(axis=None):
        table = table[list(BOXES)]
    return table.sort_values("sample_id", ignore_index=True, kind="stable")
