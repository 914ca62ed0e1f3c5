"""What a folder shows of a data set before anything of it is divided, and everything that stands against it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from vouch.errors import ManifestError, Problem, refuse_any
from vouch.names import wrong_names
from vouch.proposal.candidates import LEAST
from vouch.proposal.groups import Groups, find_groups, n_components
from vouch.proposal.network import Sizes, photograph_sizes
from vouch.proposal.strata import Strata, find_strata
from vouch.proposal.survey import Survey, summed, survey
from vouch.proposal.unknown import too_few
from vouch.proposal.upstream import Upstream, kept
from vouch.sources.tree import Tree


@dataclass(frozen=True)
class Asked:
    """What a person says of a folder of photographs."""

    task: str | None  # needed where boxes and labels are both there, and to tell products from unknown ones
    groups: Sequence[str]  # as `vouch import` takes them; `none` makes each photograph its own
    strata: Sequence[str]  # likewise
    ignore: Sequence[str]  # columns of the manifest that are not to be taken
    unlabelled: str = "refuse"  # what a photograph without a label is; or "negative"
    split: str = ""  # as `vouch import` takes it: the authors' split that is to be kept; empty: ours is drawn
    images: str | None = None  # folder that COCO or VOC file names start from


@dataclass(frozen=True)
class Findings:
    """A folder as a data set, and by what it may be divided."""

    survey: Survey
    keys: Groups
    strata: Strata
    sizes: Sizes
    authors: Upstream  # the split of theirs that is kept
    n_groups: int  # independent ones


def find(name: str, tree: Tree, asked: Asked) -> Findings:
    """Look into a folder.

    Raises
    ------
    ManifestError
        Listing everything that stands against it, a wrong name among it.
    """
    wrong = wrong_names([("NAME", name)])
    with _beside(wrong):
        found = _found(tree, asked)
    refuse_any(ManifestError, [*wrong, *_problems(found)])
    return found


@contextmanager
def _beside(wrong: Sequence[Problem]) -> Iterator[None]:
    """Add to whatever is refused inside what is known to be wrong already."""
    try:
        yield
    except ManifestError as error:
        raise ManifestError([*wrong, *error.problems]) from error


def _found(tree: Tree, asked: Asked) -> Findings:
    found = survey(tree, task=asked.task, ignore=asked.ignore, unlabelled=asked.unlabelled, images=asked.images)
    keys = find_groups(found, asked.groups)
    strata = find_strata(found, keys, asked.strata)
    authors = kept(found, asked.split) if asked.split else Upstream()
    n_groups = n_components(keys.values, len(found.records))
    return Findings(found, keys, strata, photograph_sizes(found), authors, n_groups)


def _problems(found: Findings) -> Iterator[Problem]:
    for part in (found.survey, found.keys, found.strata, found.authors):
        yield from part.problems
    yield from summed(found.sizes.problems)
    yield from _few(found)
    if found.survey.task == "identify":
        yield from too_few(found.survey.classes)


def _few(found: Findings) -> Iterator[Problem]:
    """Refuse what four splits cannot be made of; a key with too few groups has said so itself."""
    if not found.keys.problems and found.n_groups < LEAST:
        joined = len(found.keys.keys) > 1
        got = f"{found.n_groups}, once keys that share a photograph are joined" if joined else str(found.n_groups)
        where = f"groups of {len(found.survey.records):,} photographs"
        remedy = "leave a key out that chains them, or bring photographs of other groups"
        yield Problem(where, f"at least {LEAST} independent ones", got, remedy)
