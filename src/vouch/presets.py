"""Sections laid over each other: what a person decides over what the tool decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATASET, SYSTEM = "dataset", "system"  # presets of data sets and systems; those of models bear the name of their task
JUDGED = frozenset({"predict", "calibrate", "decide", "evaluate", "compare", "gate", "bundle", "drift"})
# stages of a model whose sections a variant shares with the model that it is `judged_as`
Key = tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """One section as it is written somewhere."""

    place: str  # "params.yaml: models.driver.gate"
    content: Any


@dataclass(frozen=True)
class Laid:
    """What holds once every layer is laid over those before it, and where each key comes from.

    Attributes
    ----------
    content
        The section.
    origins
        Each key of it, as a path of keys, to the place of the last layer that has the key.
    below
        Keys that the layers below the last have: what the last can change, and need not complete.
    """

    content: Any
    origins: Mapping[Key, str]
    below: frozenset[Key] = frozenset()

    def where(self, key: Sequence[int | str]) -> str:
        """Return the place of the last layer that has a key, or of the nearest key above it."""
        known = tuple(map(str, key))
        while known not in self.origins:
            known = known[:-1]
        return self.origins[known]

    def siblings(self, key: Sequence[int | str]) -> list[str]:
        """Return the names beside a key that the layers below have, if they lack the key itself."""
        found = tuple(map(str, key))
        if found in self.below:
            return []
        return sorted(known[-1] for known in self.below if known and known[:-1] == found[:-1])


def laid(layers: Sequence[Layer]) -> Laid:
    """Lay sections over each other, the first at the bottom.

    Mappings are merged key by key; one with another `kind` than the mapping below takes its place; `null` over a
    mapping takes it away. All else, lists among it, takes the place of what is below.

    >>> below = Layer("a", {"loss": {"kind": "focal", "gamma": 2}, "rules": {"recall": {"limit": 0.9}}, "seed": 1})
    >>> laid([below, Layer("b", {"loss": {"kind": "plain"}, "rules": {"recall": None}})]).content
    {'loss': {'kind': 'plain'}, 'rules': {}, 'seed': 1}
    """
    origins: dict[Key, str] = {}
    content: Any = None
    below: frozenset[Key] = frozenset()
    for layer in layers:
        below = frozenset(origins)
        content = _over(content, layer.content, layer.place, (), origins)
    return Laid(content, origins, below)


def _over(below: Any, above: Any, place: str, key: Key, origins: dict[Key, str]) -> Any:
    kept = dict(below) if isinstance(below, dict) and isinstance(above, dict) and _alike(below, above) else {}
    if not kept:
        _forget(origins, key)
    origins[key] = place
    if not isinstance(above, dict):
        return above
    for name, value in above.items():
        if value is None and isinstance(kept.get(name), dict):
            del kept[name]
            _forget(origins, (*key, str(name)))
        else:
            kept[name] = _over(kept.get(name), value, place, (*key, str(name)), origins)
    return kept


def _forget(origins: dict[Key, str], key: Key) -> None:
    """Drop the places of a key, and of all below it."""
    for known in [known for known in origins if known[: len(key)] == key]:
        del origins[known]


def _alike(below: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    return "kind" not in above or below.get("kind", above["kind"]) == above["kind"]
