"""The picture that `vouch predict -o` draws of a detector's answer."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vouch.commands.predict import DRAWN

CLASSES = ("can", "bottle", "box")
BLUE = (0x56, 0xB4, 0xE9)  # the second colour of Okabe and Ito, for the second class


@pytest.mark.parametrize("beside", [(), ("can",), ("can", "box")])
def test_a_class_has_one_colour_whatever_lies_beside_it(tmp_path, beside):
    image = tmp_path / "a.png"
    Image.new("RGB", (200, 100)).save(image)
    names = ("bottle", *beside)
    left = [20 + 60 * place for place in range(len(names))]
    found = pd.DataFrame(
        {"class_pred": names, "confidence": 0.9, "accept": True, "x1": left, "y1": 40, "x2": [x + 30 for x in left]}
    ).assign(y2=80)
    drawn = np.asarray(DRAWN["detect"](image, found, CLASSES, everything=False))
    assert tuple(drawn[60, 20 - 2]) == BLUE  # on the outline, left of the box
