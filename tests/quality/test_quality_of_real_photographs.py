from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vouch.quality import images
from vouch.quality.duplicates import find_duplicates

REAL = Path(__file__).parents[2].parent / "shared" / "realdata"
TRASHNET = REAL / "trashnet" / "images"
KNOWN = {"glass115", "metal91", "glass176", "plastic152", "glass389", "plastic332"}  # from its README

pytestmark = pytest.mark.skipif(not TRASHNET.is_dir(), reason="the real photographs are not here")


def test_trashnet_holds_three_photographs_twice_under_different_labels():
    every_fifth = [path for number, path in enumerate(sorted(TRASHNET.rglob("*.jpg"))) if number % 5 == 0]
    paths = sorted({*every_fifth, *(path for path in TRASHNET.rglob("*.jpg") if path.stem in KNOWN)})
    table = images.tabulate([path.stem for path in paths], list(images.scan(paths, max_megapixels=50.0, workers=1)))
    said = pd.DataFrame({name: [path.parent.name for path in paths] for name in ("objects", "classes")})
    found = find_duplicates(table, said, np.arange(len(paths)), radius_bits=6, min_correlation=0.9)
    issues = pd.concat(found.findings)
    assert (table["problem"] == "").all()
    assert set(issues.loc[issues["check"] == "contradicting_exact", "sample_id"]) == KNOWN
    assert found.counts["exact_copies_across_groups"] == 3
