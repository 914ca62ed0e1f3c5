"""`vouch curate`: from a municipal list of items to a benchmark with known holes, and photographs that fill them."""

from collections.abc import Callable, Mapping

from vouch.commands.curate.bundle import bundle
from vouch.commands.curate.check import check
from vouch.commands.curate.coverage import coverage
from vouch.commands.curate.dedupe import dedupe
from vouch.commands.curate.holdout import holdout
from vouch.commands.curate.import_ import import_
from vouch.commands.curate.manifest import manifest
from vouch.commands.curate.normalize import normalize
from vouch.commands.curate.params import Params
from vouch.commands.curate.resolve import resolve
from vouch.commands.curate.retrain import retrain
from vouch.commands.curate.suggest import suggest
from vouch.commands.curate.taxonomy import taxonomy

COMMANDS: Mapping[str, Callable[..., None]] = {  # in the order of the work
    "taxonomy": taxonomy,
    "manifest": manifest,
    "coverage": coverage,
    "suggest": suggest,
    "normalize": normalize,
    "dedupe": dedupe,
    "resolve": resolve,
    "holdout": holdout,
    "retrain": retrain,
    "bundle": bundle,
    "check": check,
    "import": import_,
}
__all__ = ["COMMANDS", "Params"]
