"""A whole proposal: what params.yaml would say of a folder of photographs, and why, sentence by sentence."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vouch import paths
from vouch.errors import DataError, refuse_any
from vouch.proposal import sessions
from vouch.proposal.assumptions import (
    lopsided,
    of_folder,
    of_rules,
    of_shares,
    starved,
    uncalibrated,
    unshown,
    unused,
)
from vouch.proposal.findings import Asked, Findings, find
from vouch.proposal.formats import Said, counted
from vouch.proposal.fractions import Shares, Unknown, certifiable, divided, rules
from vouch.proposal.groups import MANY
from vouch.proposal.network import Network, network
from vouch.proposal.strata import coverage
from vouch.proposal.unknown import candidates, lacking, refusal, unknown_products, unlearned
from vouch.proposal.upstream import unkept
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
    network: Network  # and how long it trains
    policy: Mapping[str, Any]  # what models.M.decide says otherwise than the preset
    rules: Mapping[str, Mapping[str, Any]]  # what models.M.gate.rules say otherwise than the preset
    assumed: tuple[Said, ...]  # in the order of reading
    warnings: tuple[str, ...]


def propose(name: str, tree: Tree, asked: Asked, presets: Mapping[str, Any]) -> Proposal:
    """Look into a folder and propose a data set and a model; nothing is written.

    Parameters
    ----------
    name : str, of the data set and the model
    tree : Tree, as `survey.tree_at` lists it
    asked : Asked
    presets : map, every preset by its name

    Raises
    ------
    ManifestError
        Listing everything that stands against it.
    DataError
        When one split stays empty, or shows no product that it has to show.
    """
    found = find(name, tree, asked)
    whole = _merged(name, found)
    return _proposal(name, found, whole, _shares(found, whole), presets)


def _merged(name: str, found: Findings) -> Merged:
    words = found.authors.words
    records = tuple(
        replace(
            record,
            groups={key: values[place] for key, values in found.keys.values.items()},
            strata={key: values[place] for key, values in found.strata.values.items()},
            split=words[place] if words else None,
        )
        for place, record in enumerate(found.survey.records)
    )
    taxonomy = Taxonomy(found.survey.classes, found.keys.keys, found.strata.allowed)
    return merged([(found.survey.descriptor, Reading(records))], taxonomy, paths.source(name).as_posix())


def _shares(found: Findings, whole: Merged) -> Shares:
    """Divide the data set; of products that are to be identified, choose first which of them count as unknown."""
    meanings, identify = found.authors.meanings, found.survey.task == "identify"
    unknown = unknown_products(candidates(whole.samples, meanings)) if identify else {}
    n_groups = found.n_groups
    shares = divided(whole.samples, whole.boxes, groups=n_groups, meanings=meanings, unknown_products=unknown)
    refuse_any(DataError, lacking(whole.samples, shares) if identify else ())
    return shares


def _proposal(name: str, found: Findings, whole: Merged, shares: Shares, presets: Mapping[str, Any]) -> Proposal:
    seen, keys = found.survey, found.keys
    cores = len(os.sched_getaffinity(0))
    built = network(seen.task, seen, found.sizes, n_train=shares.photographs["train"], cores=cores)
    judged, blind = rules(seen.task, shares, whole.boxes)
    policy, promised, warned = _policy(found, whole, shares)
    needed = _coverage(found, whole, shares)
    lost = () if seen.task == "identify" else unshown(whole.samples, whole.boxes, shares, seen.task)
    raw = uncalibrated(whole.samples, whole.boxes, shares, seen.task, presets)
    return Proposal(
        name=name,
        task=seen.task,
        descriptor=_descriptor(found),
        manifest=keys.manifest,
        classes=seen.classes,
        group_keys=keys.keys,
        strata=found.strata.allowed,
        coverage=needed,
        fractions=shares.fractions,
        stated=found.authors.meanings,
        unknown_products=shares.unknown,
        network=built,
        policy=policy,
        rules=judged,
        assumed=(*_of_findings(found), *of_shares(shares, needed), *of_rules(judged, shares), *promised, *built.said),
        warnings=(*lopsided(keys), *starved(shares), *lost, *blind, *warned, *raw, *unused(seen), *built.warnings),
    )


def _of_findings(found: Findings) -> list[Said]:
    """Say what the folder holds, by what it is divided, and what becomes of its authors' own split."""
    authors = found.authors.said or unkept(found.survey, found.keys)
    return [*of_folder(found.survey, found.sizes), *found.keys.said, *found.strata.said, *authors]


def _coverage(found: Findings, whole: Merged, shares: Shares) -> dict[str, Any]:
    classes, strata = found.survey.classes, found.strata.allowed
    needed = coverage(whole.samples, whole.boxes, classes=classes, strata=strata, groups=found.n_groups)
    return needed | ({"min_images_per_product": needed["min_count"]} if shares.unknown else {})


def _descriptor(found: Findings) -> Descriptor:
    lent = {"manifest": sessions.FILE} if found.keys.manifest else {}
    rules = {"groups": dict(found.keys.rules), "strata": dict(found.strata.rules), "split": found.authors.rule}
    return found.survey.descriptor.model_copy(update={**rules, **lent})


def _policy(found: Findings, whole: Merged, shares: Shares) -> tuple[dict[str, Any], list[Said], list[str]]:
    """Return what models.M.decide says otherwise than the preset, why, and what to beware of."""
    if shares.unknown:
        policy, said, certain = refusal(whole.samples, shares)
        promised, warned = _promised(said, certain=certain)
        return policy, promised, [*unlearned(whole.samples, shares), *warned]
    if found.survey.task == "detect":
        few = shares.groups["val_calib"]
        rests = f"thresholds rest on {counted(few, 'group')} of val_calib; other places may want others"
        return {}, [], [rests] if few < MANY else []
    policy, why, certain = certifiable(shares)
    return policy, *_promised((f"at most {policy['alpha']:g} of the answers may be wrong", why), certain=certain)


def _promised(said: Said, *, certain: bool) -> tuple[list[Said], list[str]]:
    """Return what a policy promises among the assumptions, or where nothing certifies it among the warnings."""
    return ([said], []) if certain else ([], [": ".join(said)])
