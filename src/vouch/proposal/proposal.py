"""A whole proposal: what params.yaml would say of a folder of photographs, and why, sentence by sentence."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from vouch import paths
from vouch.errors import DataError, ManifestError, Problem, refuse_any
from vouch.names import wrong_names
from vouch.proposal import sessions
from vouch.proposal.assumptions import lopsided, of_folder, of_rules, unused
from vouch.proposal.candidates import LEAST
from vouch.proposal.formats import Said, counted
from vouch.proposal.fractions import Shares, certifiable, divided, rules
from vouch.proposal.groups import MANY, Groups, find_groups, n_components
from vouch.proposal.network import Sizes, network, photograph_sizes
from vouch.proposal.strata import Strata, coverage, find_strata
from vouch.proposal.survey import Survey, summed, survey
from vouch.proposal.unknown import (
    Unknown,
    candidates,
    described,
    lacking,
    refusal,
    too_few,
    unknown_products,
    unlearned,
)
from vouch.proposal.upstream import Upstream, kept, unkept
from vouch.sources.descriptor import Descriptor
from vouch.sources.merge import Merged, Taxonomy, merged
from vouch.sources.records import Reading
from vouch.sources.tree import Tree
from vouch.tasks import Task


@dataclass(frozen=True)
class Proposal:
    """What `vouch new` would write for a folder, and what it assumed."""

    name: str
    task: Task
    descriptor: Descriptor
    manifest: str  # text of the side manifest `sessions.FILE` to lend to the import; empty where none is needed
    classes: tuple[str, ...]  # in the order of the network's outputs
    group_keys: tuple[str, ...]
    strata: Mapping[str, tuple[str, ...]]
    coverage: Mapping[str, Any]  # datasets.D.validate.coverage
    fractions: Mapping[str, float]  # datasets.D.split.fractions
    stated: Mapping[str, Sequence[str]]  # datasets.D.split.stated
    unknown_products: Unknown  # datasets.D.split.unknown_products
    size_px: int
    epochs: int
    batch: int
    minutes: float  # of training on this machine
    pretrained: bool  # it starts from ImageNet's weights
    policy: Mapping[str, Any]  # what models.M.decide says otherwise than the preset
    rules: Mapping[str, Mapping[str, Any]]  # what models.M.gate.rules say otherwise than the preset
    assumed: tuple[Said, ...]  # in the order of reading
    warnings: tuple[str, ...]


def propose(
    name: str,
    tree: Tree,
    *,
    task: str | None,
    groups: Sequence[str],
    strata: Sequence[str],
    ignore: Sequence[str],
    unlabelled: str = "refuse",
    split: str = "",
    images: str | None = None,
) -> Proposal:
    """Look into a folder and propose a data set and a model; nothing is written.

    Parameters
    ----------
    name : str, of the data set and the model
    tree : Tree, as `survey.tree_at` lists it
    task : {"detect", "classify", "identify"} or None
        Needed where boxes and labels are both there, and where products are to be told from unknown ones.
    groups, strata : sequence of str
        As `vouch import` takes them; `none` among the groups makes each photograph its own.
    ignore : sequence of str, columns of the manifest that are not to be taken
    unlabelled : {"refuse", "negative"}
        What a photograph without a label is.
    split : str
        As `vouch import` takes it: where the authors' split stands that is to be kept; empty: ours is drawn.
    images : str or None
        Folder that COCO or VOC file names start from.

    Raises
    ------
    ManifestError
        Listing everything that stands against it.
    DataError
        When one split stays empty, or shows no product that it has to show.
    """
    wrong = wrong_names([("NAME", name)])
    with _beside(wrong):
        found = survey(tree, task=task, ignore=ignore, unlabelled=unlabelled, images=images)
    keys = find_groups(found, groups)
    parts = find_strata(found, keys, strata)
    sizes = photograph_sizes(found)
    authors = kept(found, split) if split else Upstream()
    n_groups = n_components(keys.values, len(found.records))
    identify = found.task == "identify"
    problems = [found.problems, keys.problems, parts.problems, authors.problems, summed(sizes.problems)]
    few = [*_few(keys, n_groups, found), *(too_few(found.classes) if identify else ())]
    refuse_any(ManifestError, [*wrong, *chain(*problems), *few])
    whole = _merged(name, found, keys, parts, authors)
    unknown = unknown_products(candidates(whole.samples, authors.meanings)) if identify else {}
    asked = {"meanings": authors.meanings, "unknown_products": unknown}
    shares = divided(whole.samples, whole.boxes, groups=n_groups, **asked)
    refuse_any(DataError, lacking(whole.samples, shares, unknown) if identify else ())
    return _assembled(name, found, (keys, parts, sizes, authors), whole, shares, n_groups, unknown)


@contextmanager
def _beside(wrong: Sequence[Problem]) -> Iterator[None]:
    """Add to whatever is refused inside what is known to be wrong already."""
    try:
        yield
    except ManifestError as error:
        raise ManifestError([*wrong, *error.problems]) from error


def _assembled(
    name: str,
    found: Survey,
    parts: tuple[Groups, Strata, Sizes, Upstream],
    whole: Merged,
    shares: Shares,
    n_groups: int,
    unknown: Unknown,
) -> Proposal:
    keys, strata, sizes, authors = parts
    built = network(found.task, found, sizes, n_train=shares.photographs["train"], cores=len(os.sched_getaffinity(0)))
    judged, blind = rules(found.task, shares, whole.boxes)
    policy, promised, warned = _policy(found, whole, shares, unknown)
    needed = coverage(whole.samples, whole.boxes, classes=found.classes, strata=strata.allowed, groups=n_groups)
    if unknown:
        needed["min_images_per_product"] = needed["min_count"]
    said = [
        *of_folder(found, sizes),
        *keys.said,
        *strata.said,
        *(authors.said or unkept(found, keys)),
        *([described(unknown)] if unknown else []),
        (f"fractions {', '.join(f'{one} {share:g}' for one, share in shares.fractions.items())}", shares.described()),
        (
            f"coverage of {needed['min_components']:,} groups",
            f"half of what is there, or {LEAST}: a later loss blocks",
        ),
        *of_rules(judged, shares),
        *promised,
        *built.said,
    ]
    return Proposal(
        name=name,
        task=found.task,
        descriptor=_described(found, keys, strata, authors),
        manifest=keys.manifest,
        classes=found.classes,
        group_keys=keys.keys,
        strata=strata.allowed,
        coverage=needed,
        fractions=shares.fractions,
        stated=authors.meanings,
        unknown_products=unknown,
        size_px=built.size_px,
        epochs=built.epochs,
        batch=built.batch,
        minutes=built.minutes,
        pretrained=built.pretrained,
        policy=policy,
        rules=judged,
        assumed=tuple(said),
        warnings=(*lopsided(keys), *blind, *warned, *unused(found), *built.warnings),
    )


def _few(keys: Groups, n_groups: int, found: Survey) -> Iterator[Problem]:
    """Refuse what four splits cannot be made of; a key with too few groups has said so itself."""
    if not keys.problems and n_groups < LEAST:
        got = f"{n_groups}, once keys that share a photograph are joined" if len(keys.keys) > 1 else str(n_groups)
        remedy = "leave a key out that chains them, or bring photographs of other groups"
        yield Problem(
            f"groups of {len(found.records):,} photographs", f"at least {LEAST} independent ones", got, remedy
        )


def _merged(name: str, found: Survey, keys: Groups, strata: Strata, authors: Upstream) -> Merged:
    records = tuple(
        replace(
            record,
            groups={key: values[place] for key, values in keys.values.items()},
            strata={key: values[place] for key, values in strata.values.items()},
            split=authors.words[place] if authors.words else None,
        )
        for place, record in enumerate(found.records)
    )
    taxonomy = Taxonomy(found.classes, keys.keys, strata.allowed)
    return merged([(found.descriptor, Reading(records))], taxonomy, paths.source(name).as_posix())


def _described(found: Survey, keys: Groups, strata: Strata, authors: Upstream) -> Descriptor:
    lent = {"manifest": sessions.FILE} if keys.manifest else {}
    rules = {"groups": dict(keys.rules), "strata": dict(strata.rules), "split": authors.rule}
    return found.descriptor.model_copy(update={**rules, **lent})


def _policy(
    found: Survey, whole: Merged, shares: Shares, unknown: Unknown
) -> tuple[dict[str, Any], list[Said], list[str]]:
    if unknown:
        policy, said, certain = refusal(whole.samples, shares, unknown)
        return policy, [said], [*unlearned(whole.samples, shares, unknown), *([] if certain else [said[1]])]
    if found.task == "detect":
        few = shares.groups["val_calib"]
        rests = f"thresholds rest on {counted(few, 'group')} of val_calib; other places may want others"
        return {}, [], [rests] if few < MANY else []
    policy, why, certain = certifiable(shares)
    return policy, [(f"at most {policy['alpha']:g} of the answers may be wrong", why)], [] if certain else [why]
