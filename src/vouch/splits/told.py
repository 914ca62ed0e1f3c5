"""What stands against a person's word on where new groups go."""

from collections.abc import Iterable, Mapping

from vouch.errors import Problem
from vouch.names import closest
from vouch.paths import SPLITS
from vouch.splits.bridges import SEALED
from vouch.splits.components import Graph, find_components


def told(lock: Mapping[str, str], wanted: Iterable[str], split: str, graph: Graph) -> list[Problem]:
    """Return what stands against putting groups into a split: each must be new, and free of what is locked elsewhere.

    Parameters
    ----------
    lock : mapping
        Group to split.
    wanted : iterable of str
        Groups "<key>=<value>".
    split : str
        Where a person wants them.
    graph : Graph
        Of all samples of the data set.
    """
    components = find_components(graph)
    position = {str(name): index for index, name in enumerate(graph.nodes)}
    held: dict[int, list[str]] = {}  # component to its locked groups
    for name, index in position.items():
        if name in lock:
            held.setdefault(int(components.of_node[index]), []).append(name)
    problems = []
    for group in wanted:
        if group in lock:
            why = f"in {lock[group]}{', which is sealed' if lock[group] == SPLITS[SEALED] else ''}"
            expected, remedy = "a group that no split holds yet", "leave it: locked groups never move"
            problems.append(Problem(group, expected, why, remedy))
        elif group not in position:
            expected = "a group <key>=<value> of the data set"
            problems.append(Problem(group, expected, "none of this name", closest(group, position)))
        else:
            others = [name for name in held.get(int(components.of_node[position[group]]), []) if lock[name] != split]
            expected, remedy = f"no photograph in common with a group outside {split}", "leave it, or correct its group"
            problems += [Problem(group, expected, f"some with {name}, in {lock[name]}", remedy) for name in others[:1]]
    return problems
