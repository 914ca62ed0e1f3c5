"""The licences of the weights that a network descends from: its file says them, its bundle carries them."""

from collections.abc import Mapping

from vouch.documents import DocumentError, parse_json
from vouch.errors import BundleError, Problem

KEY = "licences"  # of the network's metadata


def licences_in(metadata: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the texts of the licences that a network's file names, by the name of what they are of; {} where none.

    Raises
    ------
    BundleError
        When what it says is no map of texts.
    """
    if KEY not in metadata:
        return {}
    place = f"{where}: metadata {KEY}"
    try:
        said = parse_json(metadata[KEY], place)
    except DocumentError as error:
        raise BundleError(error.problems) from error
    if not isinstance(said, dict) or not said or not all(isinstance(text, str) and text for text in said.values()):
        raise BundleError([Problem(place, "texts by name", repr(said)[:80], "export and build again")])
    return said


def licences_text(licences: Mapping[str, str]) -> bytes:
    """Return licences.txt: each name underlined, and its text, in the order of names."""
    parts = [f"{name}\n{'=' * len(name)}\n\n{licences[name].strip()}\n" for name in sorted(licences)]
    return "\n\n".join(parts).encode()
