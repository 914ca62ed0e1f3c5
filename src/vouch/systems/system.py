"""Two bundles that answer together: one finds objects, the other says which product each of them is."""

from collections.abc import Iterator
from dataclasses import dataclass

from vouch.errors import BundleError, Problem, refuse_any
from vouch.release.inference import trained
from vouch.release.opening import Bundle
from vouch.retrieval.gallery import Gallery
from vouch.tables import UNKNOWN
from vouch.tasks import Task
from vouch.vision.boxes import Postprocess


@dataclass(frozen=True)
class System:
    """A detector and an embedder, both trained and opened; `system_of` makes it."""

    detector: Bundle
    identifier: Bundle

    @property
    def gallery(self) -> Gallery:
        """What the embedder compares with."""
        assert self.identifier.gallery is not None  # a trained embedder's bundle does not verify without it
        return self.identifier.gallery

    @property
    def postprocess(self) -> Postprocess:
        """Which candidates of the detector become detections."""
        assert self.detector.postprocess is not None  # a trained detector's bundle does not verify without it
        return self.detector.postprocess

    @property
    def products(self) -> tuple[str, ...]:
        """The names that can be said, in the order of the gallery."""
        return self.gallery.products


def system_of(detector: Bundle, identifier: Bundle) -> System:
    """Return the system of two open bundles.

    Raises
    ------
    BundleError
        When either is of another task or trivial, or a product of the gallery has the name of those that it does not
        know.
    """
    refuse_any(BundleError, [*_of_task(detector, "detect"), *_of_task(identifier, "identify")])
    trained(detector)
    trained(identifier)
    system = System(detector, identifier)
    where = f"bundle {identifier.manifest['name']}: gallery.safetensors"
    remedy = f"`vouch gallery remove` it, and add it under another name: {UNKNOWN} counts what is no product"
    taken = [name for name in system.products if name.casefold() == UNKNOWN]
    refuse_any(BundleError, [Problem(where, f"no product called {UNKNOWN}", name, remedy) for name in taken])
    return system


def _of_task(bundle: Bundle, task: Task) -> Iterator[Problem]:
    if bundle.task != task:
        where = f"bundle {bundle.manifest['name']}"
        yield Problem(where, f"one to {task}", f"one to {bundle.task}", "name a model of that task")
