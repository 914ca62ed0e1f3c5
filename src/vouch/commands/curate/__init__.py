"""`vouch curate`: the commands of the group by their words, in the order of the work."""

from collections.abc import Callable, Mapping

from vouch.commands.curate.dedupe import dedupe
from vouch.commands.curate.normalize import normalize
from vouch.commands.curate.params import Params
from vouch.commands.curate.suggest import suggest

COMMANDS: Mapping[str, Callable[..., None]] = {
    "suggest": suggest,
    "normalize": normalize,
    "dedupe": dedupe,
}
__all__ = ["COMMANDS", "Params"]
