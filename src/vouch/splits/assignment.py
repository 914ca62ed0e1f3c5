"""Every sample to a split: locked groups stay, new ones are placed, bridges are refused or set aside."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import DataError, LeakageError, Problem, refuse_any, so_many
from vouch.paths import SPLITS
from vouch.splits import balance, bridges, lock, stated, unknown
from vouch.splits.components import Components, Graph, build_graph, find_components
from vouch.splits.newcomers import Newcomer, described, joiners, newcomers
from vouch.splits.params import Splitting

REPORTED_SHARE = 0.05  # a component above it is worth a look: one shared vehicle chains many drivers


@dataclass(frozen=True)
class Assignment:
    """Where every sample goes."""

    table: pd.DataFrame  # sample_id, group, split, sorted by sample_id
    lock: pd.DataFrame  # group, split, sorted
    aside: tuple[Problem, ...]  # samples set aside because they would join two splits
    largest: tuple[str, float]  # the component with most samples, and its share of them
    new: tuple[Newcomer, ...]  # groups that the lock did not know, where it knew any
    elsewhere: int = 0  # locked components outside the splits that their photographs state


def assign(
    samples: pd.DataFrame, boxes: pd.DataFrame, clusters: pd.DataFrame, locked: Mapping[str, str], asked: Splitting
) -> Assignment:
    """Put every sample into a split so that no group or near-duplicate straddles two and no locked group moves.

    Parameters
    ----------
    samples, boxes, clusters : DataFrame
        As in `tables`; samples that are quarantined must not be among them.
    locked : mapping of groups "<key>=<value>" to splits, as `lock.parse` returned it
    asked : Splitting

    Raises
    ------
    LeakageError
        When samples would join two locked splits, naming each; when a word has no meaning, or those of a new group
        allow no common split.
    DataError
        When a split stays empty.
    """
    samples, graph, components, aside = _unbridged(samples, clusters, locked, bridge=asked.bridge)
    split_of_node = _split_of_node(graph, locked)
    held = np.full(len(components.names), -1, dtype=np.int8)
    np.maximum.at(held, components.of_node, split_of_node)
    profiles = balance.profile(samples, boxes, components.of_sample, components.names, seed=asked.seed)
    fractions = asked.fractions.model_dump()
    wanted = np.array([fractions[split] for split in SPLITS])
    by_word = stated.allowed(samples, components, asked.stated, held)
    allowed = unknown.at_home(by_word, samples, boxes, components, asked.unknown_products)
    splits = balance.place(profiles, held, fractions=wanted, allowed=allowed)
    _refuse_empty(splits, components, split_of_node)
    new = newcomers(profiles, held, splits, components.names, fractions=wanted, allowed=allowed)
    return Assignment(
        _tabulate(samples, components, splits),
        lock.extend(locked, graph.nodes, splits[components.of_node], known=split_of_node >= 0),
        aside,
        _largest(components),
        (*new, *joiners(graph, components.of_node, split_of_node)),
        stated.kept_elsewhere(by_word, held),
    )


def quarantined(issues: pd.DataFrame) -> pd.DataFrame:
    """Return the samples that validation set aside, with their checks: `sample_id`, `reason`."""
    rows = issues[issues["severity"] == "quarantine"].drop_duplicates(["sample_id", "check"])
    reasons = rows.sort_values("check", kind="stable").groupby("sample_id", sort=True)["check"].agg(" ".join)
    return reasons.rename("reason").reset_index()


def list_aside(quarantine: pd.DataFrame, bridging: tuple[Problem, ...]) -> pd.DataFrame:
    """Return every sample that is in no split, and why: `sample_id`, `reason`, sorted."""
    rows = [(problem.where, f"bridge: {problem.got}") for problem in bridging]
    joined = [*quarantine[["sample_id", "reason"]].itertuples(index=False, name=None), *rows]
    return pd.DataFrame(sorted(joined), columns=["sample_id", "reason"], dtype="str")


def per_split(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the samples of each split, without the column `split`."""
    return {name: table[table["split"] == name].drop(columns="split") for name in SPLITS}


def summarise(found: Assignment, *, n_quarantined: int, dataset: str) -> str:
    """Return what a person wants to know after a split, in a few lines."""
    parts = per_split(found.table).items()
    lines = [
        "split: "
        + ", ".join(f"{name} {len(part)} in {so_many(part['group'].nunique(), 'group')}" for name, part in parts)
    ]
    if n_quarantined or found.aside:
        lines.append(
            f"in no split: {n_quarantined} quarantined by validate, {len(found.aside)} that would join two splits"
        )
    lines += described(found.new, dataset=dataset)
    if found.elsewhere:
        lines.append(
            f"note: outside the splits that their photographs state: {so_many(found.elsewhere, 'locked group')}; the "
            f"data set was split before, and the lock wins; to split it anew, remove splits/{dataset}.lock.csv"
        )
    name, share = found.largest
    if share > REPORTED_SHARE:
        lines.append(f"note: the groups chained to {name} hold {share:.1%} of the photographs")
    return "\n".join(lines)


def _unbridged(
    samples: pd.DataFrame, clusters: pd.DataFrame, locked: Mapping[str, str], *, bridge: str
) -> tuple[pd.DataFrame, Graph, Components, tuple[Problem, ...]]:
    """Return the samples that join no two locked splits, how they are tied, and what each of the others joins."""
    graph = build_graph(samples, clusters)
    components = find_components(graph)
    found = bridges.find_bridges(samples, graph, components, _split_of_node(graph, locked))
    aside = tuple(bridges.describe(one, samples, graph) for one in found)
    refuse_any(LeakageError, aside if bridge == "refuse" else ())
    if found:
        samples = samples.iloc[np.delete(np.arange(len(samples)), [one.sample for one in found])]
        graph = build_graph(samples, clusters)
        components = find_components(graph)
    return samples, graph, components, aside


def _split_of_node(graph: Graph, locked: Mapping[str, str]) -> NDArray[np.int8]:
    position = {name: index for index, name in enumerate(SPLITS)}
    return np.array([position[locked[node]] if node in locked else -1 for node in graph.nodes], dtype=np.int8)


def _refuse_empty(splits: NDArray[np.int8], components: Components, split_of_node: NDArray[np.int8]) -> None:
    empty = [name for index, name in enumerate(SPLITS) if index not in splits]
    n_new = len(components.names) - len(np.unique(components.of_node[split_of_node >= 0]))
    got = f"none: {len(components.names)} independent groups in all, {n_new} of them not locked yet"
    remedy = "add photographs of groups that share no key and no near-duplicate with the others"
    refuse_any(DataError, [Problem(f"split {name}", "at least one group", got, remedy) for name in empty])


def _tabulate(samples: pd.DataFrame, components: Components, splits: NDArray[np.int8]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "sample_id": samples["sample_id"].to_numpy(),
            "group": components.names[components.of_sample],
            "split": np.array(SPLITS, dtype=object)[splits[components.of_sample]],
        }
    )
    return table.sort_values("sample_id", kind="stable", ignore_index=True)


def _largest(components: Components) -> tuple[str, float]:
    sizes = np.bincount(components.of_sample, minlength=len(components.names))
    if not len(sizes):
        return "", 0.0
    return str(components.names[sizes.argmax()]), float(sizes.max() / sizes.sum())
