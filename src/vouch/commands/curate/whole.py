"""What can be labelled as a photograph: boxes on it, or one class of the whole; no product of one box among several."""

from vouch import io, paths
from vouch.errors import DataError, Problem, WorkspaceError, so_many
from vouch.roads import task_of
from vouch.tasks import ByTask

OF_CROPS = ByTask(detect=False, classify=False, identify=True)  # a sample is what a box of the data set holds


def refuse_crops(model: str, dataset: str) -> None:
    """Return when each sample of a model is a whole photograph.

    Raises
    ------
    WorkspaceError
        When the data set of an embedder has no manifest yet.
    DataError
        When an embedder learns from boxes: forms for their products are not made.
    """
    if not OF_CROPS[task_of(model)]:
        return
    path = paths.manifest(dataset, "boxes")
    if not path.is_file():
        expected, remedy = "the boxes of the data set", f"run `dvc repro ingest@{dataset}`"
        raise WorkspaceError([Problem(str(path), expected, "no file", remedy)])
    if count := len(io.read_table(path)):
        got = f"{so_many(count, 'box')} with products in {dataset}"
        remedy = "state `product` beside boxes and `vouch import` them, or `vouch gallery add` photographs of a product"
        raise DataError([Problem(model, "an embedder of photographs that show one product each", got, remedy)])
