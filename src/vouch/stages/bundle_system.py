"""Put a detector's and an embedder's bundle into one folder, with a manifest that names both by their hashes.

Reads   models/{detector,identifier}/bundle
Writes  models/S/bundle
Fails   when a bundle does not check, is another model's, or both do not go together
"""

from typing import Annotated

from pydantic import Field

from vouch import params, paths
from vouch.params import Section
from vouch.stages import main
from vouch.systems.bundle import write_system


class Params(Section):
    """systems.S.bundle_system."""

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]  # semantic version of the next release


def run(name: str, detector: str, identifier: str) -> None:
    """Build the bundle of system S."""
    section = params.load(Params, "systems", name, "bundle_system")
    write_system(paths.model(name, "bundle"), name, section.version, {"detector": detector, "identifier": identifier})


if __name__ == "__main__":
    main(run)
