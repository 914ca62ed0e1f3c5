"""Options that would change nothing beside the others: they are refused by name, not passed over."""

from collections.abc import Collection, Iterator, Mapping

from vouch.errors import Problem


def unheeded(given: Mapping[str, object], expected: str, got: str, remedy: str = "leave it out") -> Iterator[Problem]:
    """Yield a problem for each option that was given.

    Parameters
    ----------
    given
        Each option that would have no effect, and its value, or whether it differs from what holds without it: None,
        False and what is empty were not given; 0 was.
    expected, got, remedy
        What would give it an effect, what there is instead, and what to do.
    """
    for option, value in given.items():
        if value or (value is not False and value == 0):
            yield Problem(option, expected, got, remedy)


def unheeded_by(
    choice: str, chosen: str, given: Mapping[str, object], heeded: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """Yield a problem for each option that was given and that what was chosen does not heed.

    Parameters
    ----------
    choice, chosen
        The option that chooses, and its value.
    given
        As of `unheeded`.
    heeded
        Each option to the choices that heed it.
    """
    for option, value in given.items():
        if chosen not in heeded[option]:
            yield from unheeded({option: value}, f"{choice} {' or '.join(sorted(heeded[option]))}", chosen)
