"""Splits that photographs state in words of their source's own: which of ours each group may go to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import LeakageError, Problem, refuse_any, so_many
from vouch.names import closest
from vouch.paths import SPLITS
from vouch.splits.components import Components
from vouch.tables import SPLIT_STATED

Stated = Mapping[str, Sequence[str]]  # word of a source: splits that a new group with it may go to


def allowed(samples: pd.DataFrame, components: Components, stated: Stated, held: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return which splits each component may go to by what its photographs state; all where words mean nothing.

    Parameters
    ----------
    samples : DataFrame
        As in `tables`, in the order of `components.of_sample`.
    components : Components
    stated : mapping
        Empty: words mean nothing.
    held : int8 array (n_components,)
        Split of each by the lock, -1 for a new one. The lock wins: a locked component may always stay.

    Returns
    -------
    bool array (n_components, n_splits)

    Raises
    ------
    LeakageError
        When no photograph states a split though words have a meaning, a word has none, or the words of a new
        component allow no common split.
    """
    if not stated:
        return np.ones((len(held), len(SPLITS)), dtype=bool)
    words = _words(samples)
    refuse_any(LeakageError, _meaningless(words, samples["sample_id"], stated))
    found = _common(words, components, stated)
    refuse_any(LeakageError, _torn(words, components, found, held))
    return found


def kept_elsewhere(found: NDArray[np.bool_], held: NDArray[np.int8]) -> int:
    """Return how many locked components lie in a split that their photographs do not state."""
    locked = np.flatnonzero(held >= 0)
    return int((~found[locked, held[locked]]).sum())


def against(
    samples: pd.DataFrame, components: Components, nodes: Mapping[str, int], split: str, stated: Stated
) -> Iterator[Problem]:
    """Yield what stands against a person's word: groups whose photographs state another split than `split`.

    Parameters
    ----------
    samples, components
        All of the data set.
    nodes : mapping
        Groups that a person wants in `split`, to their position among the graph's nodes.
    split : str
    stated : mapping
    """
    if not stated:
        return
    words = _words(samples)
    yield from _meaningless(words, samples["sample_id"], stated)
    found = _common(words, components, stated)
    for name, node in nodes.items():
        component = int(components.of_node[node])
        if not found[component, SPLITS.index(split)]:
            said = sorted(set(words[components.of_sample == component].dropna()))
            remedy = "choose another split, or change `split.stated`"
            yield Problem(name, _meanings(said, stated), f"--to {split}", remedy)


def _words(samples: pd.DataFrame) -> pd.Series:
    """Return the word of each photograph, null where it states none."""
    if SPLIT_STATED not in samples:
        return pd.Series(None, index=range(len(samples)), dtype="str")
    return samples[SPLIT_STATED].replace("", None).reset_index(drop=True)


def _meaningless(words: pd.Series, ids: pd.Series, stated: Stated) -> Iterator[Problem]:
    if not words.notna().any():
        remedy = "import the column with --split, or set `split.stated: {}`"
        yield Problem("split.stated", "photographs that state a split", "none", remedy)
    for word, count in sorted(Counter(words.dropna()).items()):
        if word not in stated:
            first = ids.iloc[int((words == word).to_numpy().argmax())]
            got = f"{word!r} on {so_many(count, 'photograph')}, the first {first}"
            remedy = f"{closest(word, stated)}; or add the word with the splits that it may go to"
            yield Problem("split.stated", "a meaning for each word that a photograph states", got, remedy)


def _common(words: pd.Series, components: Components, stated: Stated) -> NDArray[np.bool_]:
    found = np.ones((len(components.names), len(SPLITS)), dtype=bool)
    for word, splits in stated.items():
        holders = np.unique(components.of_sample[(words == word).to_numpy(dtype=bool, na_value=False)])
        found[holders] &= np.isin(SPLITS, list(splits))
    return found


def _torn(
    words: pd.Series, components: Components, found: NDArray[np.bool_], held: NDArray[np.int8]
) -> Iterator[Problem]:
    for component in np.flatnonzero((held < 0) & ~found.any(axis=1)).tolist():
        counts = Counter(words[components.of_sample == component].dropna())
        got = ", ".join(f"{word!r} on {so_many(count, 'photograph')}" for word, count in sorted(counts.items()))
        remedy = "correct the words or the groups, or let the words share a split in `split.stated`"
        yield Problem(str(components.names[component]), "words that allow a common split", got, remedy)


def _meanings(words: Sequence[str], stated: Stated) -> str:
    return " and ".join(f"{', '.join(stated[word])} (stated {word!r})" for word in words if word in stated)
