import pandas as pd
import pytest

from vouch.errors import ManifestError
from vouch.sources.formats.export import exported

BOXES = pd.DataFrame(columns=["sample_id", "class_name", "x1", "y1", "x2", "y2"])


def samples(*names, label=None):
    columns = {"image": "x.jpg", "annotation": "complete", "label": label, "width": 20, "height": 10}
    return pd.DataFrame([{"sample_id": name, **columns, "group_session": "s"} for name in names])


@pytest.mark.parametrize(
    ("form", "names", "label", "crossed"),
    [
        ("yolo", ("s/a.jpg", "s/a.txt/b.jpg"), None, "labels/s/a.txt"),
        ("voc", ("s/a.jpg", "s/a.xml/b.jpg"), None, "Annotations/s/a.xml"),
        ("imagefolder", ("s/a.jpg",), "manifest.csv", "manifest.csv"),
    ],
)
def test_a_file_that_would_have_to_be_a_folder_too_is_refused(form, names, label, crossed):
    with pytest.raises(ManifestError, match=f"  {crossed}: expected a file or a folder, got both"):
        exported(samples(*names, label=label), BOXES, form=form, classes=("can", "manifest.csv"))
