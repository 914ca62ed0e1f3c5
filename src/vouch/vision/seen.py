"""What a network of a task looks at: photographs, or the crops of their boxes."""

from collections.abc import Callable

import pandas as pd

from vouch.tasks import ByTask
from vouch.vision import crops
from vouch.vision.images.source import Image, files

Seen = Callable[[pd.DataFrame, pd.DataFrame], tuple[Image, ...]]


def _photographs(samples: pd.DataFrame, boxes: pd.DataFrame) -> tuple[Image, ...]:
    del boxes
    return files(samples["image"])


def _crops(samples: pd.DataFrame, boxes: pd.DataFrame) -> tuple[Image, ...]:
    return crops.images(crops.crops(samples, boxes))


# of tables of samples and of boxes, as manifests have them: one image for each photograph, or each crop of a product
SEEN: ByTask[Seen] = ByTask(detect=_photographs, classify=_photographs, identify=_crops)
