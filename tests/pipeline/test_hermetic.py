"""Every stage alone: an empty folder with nothing but what dvc.yaml declares gives the same bytes.

A dependency or parameter that a stage reads and does not declare would be absent there; an output that depends on the
clock, the folder, the order of files or an earlier run would differ.
"""

import pytest

from pipeline import workspace
from pipeline.alone import differences

pytestmark = pytest.mark.slow


def test_every_stage_reads_what_it_declares_and_gives_the_same_bytes(tiny, tmp_path):
    assert differences(tiny, workspace.locked(tiny), tmp_path) == {}


def test_so_do_the_stages_of_the_other_framework(with_torchvision, tmp_path):
    names = ("train_detector@driver", "export@driver", "parity@driver")
    stages = workspace.locked(with_torchvision)
    assert differences(with_torchvision, {name: stages[name] for name in names}, tmp_path) == {}
