"""The authors' own split of a folder: why it is not used, or how it is kept and what its words mean here."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vouch.errors import ManifestError, Problem
from vouch.proposal import columns
from vouch.proposal.formats import Said
from vouch.proposal.fractions import in_several
from vouch.proposal.groups import NONE, Groups
from vouch.proposal.survey import Survey, summed
from vouch.sources.descriptor import Rule, check_descriptor
from vouch.sources.keys import ITSELF
from vouch.sources.options import split_of
from vouch.sources.rules import placed
from vouch.tables import GROUP, SPLIT_STATED

MEANINGS: Mapping[str, tuple[str, ...]] = {  # of the words in use, in lower case and without a year behind them
    **dict.fromkeys(("train", "training", "trainval"), ("train", "val_select")),
    **dict.fromkeys(("val", "valid", "validation", "dev"), ("val_select",)),
    **dict.fromkeys(("test", "testing", "eval", "holdout"), ("val_calib", "val_test")),
}


@dataclass(frozen=True)
class Upstream:
    """The authors' split as it is kept; nothing where it is not."""

    rule: Rule | None = None
    words: tuple[str | None, ...] = ()  # of each photograph
    meanings: dict[str, list[str]] = field(default_factory=dict)  # datasets.D.split.stated
    said: tuple[Said, ...] = ()
    problems: tuple[Problem, ...] = ()


def kept(found: Survey, asked: str) -> Upstream:
    """Return the split that `--split` names, with the meaning of each of its words, or what stands against it."""
    try:
        own = asked in ("split", SPLIT_STATED) and any(record.split is not None for record in found.records)
        rule = None if own else split_of(asked)
        content = found.descriptor.model_dump(exclude_none=True) | {"groups": {}, "strata": {}}
        descriptor = check_descriptor(content if rule is None else content | {"split": rule}, "--split")
    except ManifestError as error:
        return Upstream(problems=error.problems)
    records, problems = placed(found.records, found.rows, descriptor)
    words = tuple(record.split for record in records)
    counts = Counter(word for word in words if word is not None)
    problems += [_meaningless(word, counts[word]) for word in sorted(counts) if columns.bare(word) not in MEANINGS]
    if not counts and not problems:
        remedy = "name the column or folder that has them"
        problems.append(Problem("--split", "photographs that state a split", "none", remedy))
    meanings = {word: list(MEANINGS[columns.bare(word)]) for word in sorted(counts) if columns.bare(word) in MEANINGS}
    parts = [f"{word} ({counts[word]:,} photographs) goes to {' and '.join(meanings.get(word, ()))}" for word in counts]
    said = ((f"the authors' split ({asked}) is kept", "; ".join(sorted(parts))),)
    return Upstream(descriptor.split, words, meanings, said, tuple(summed(problems)))


def _meaningless(word: str, count: int) -> Problem:
    expected = f"words that are known: {', '.join(MEANINGS)}"
    remedy = (
        "leave --split out here; with `vouch import --split`, `split.stated` of params.yaml gives any word a meaning"
    )
    return Problem("--split", expected, f"{word!r} on {count:,}", remedy)


def unkept(found: Survey, keys: Groups) -> Iterator[Said]:
    """Say of the authors' own split why it is not used, and how it would be kept."""
    for where, option, parts in _splits(found):
        what = f"the authors' split ({where}) is not used"
        cuts = False
        if keys.keys == (ITSELF,):
            yield (
                what,
                "nobody knows what its parts share; ours is drawn by a seed, near-duplicates together",
            )
        for key, values in keys.values.items():
            groups = dict(zip((record.image for record in found.records), values, strict=True))
            n_groups, several = in_several(groups, dict(zip(groups, parts, strict=True)))
            cut = f"{several} of the {n_groups} groups of `{key}` {'lies' if several == 1 else 'lie'} in more than one"
            cuts = cuts or several > 0
            whole = f"none of the {n_groups} groups of `{key}` lies in more than one of its parts, so it can be kept"
            yield what, f"{cut} of its parts: its scores flatter" if several else whole
        words = sorted({part for part in parts if columns.bare(part) in MEANINGS})
        means = (f"{word} to {' and '.join(MEANINGS[columns.bare(word)])}" for word in words)
        kept_by = f"`--split {option}{_given_up(keys)}` keeps their split and gives these groups up"
        kept_by = kept_by if cuts else f"`--split {option}` keeps their split"
        yield "to compare with the authors", f"{kept_by}: {', '.join(means)}"


def _given_up(keys: Groups) -> str:
    """Return the options by which no group is taken, those that the photographs state among them."""
    stated = [key for key in keys.keys if key not in keys.rules]
    return f" --group {NONE}" + "".join(f" --ignore {GROUP}{key}" for key in stated)


def _splits(found: Survey) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield where the authors' split is, the word of `--split` that names it, and the part of each photograph."""
    if any(record.split is not None for record in found.records):
        yield "which the photographs state", "split", [record.split or "" for record in found.records]
        return
    ignored = found.descriptor.ignore
    named = [name for name, cells in found.columns.items() if name not in ignored and columns.is_split(name, cells)]
    if named:
        yield f"column {named[0]}", named[0], found.columns[named[0]]
        return
    folders = [record.image.split("/")[:-1] for record in found.records]
    for level in range(min(len(parts) for parts in folders)):
        parts = [one[level] for one in folders]
        if len(set(parts)) > 1 and columns.is_split("", parts):
            yield f"folder level {level + 1}", f"folder:{level + 1}", parts
            return
