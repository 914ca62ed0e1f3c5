"""A run that is killed when its first epoch is on disk, half-way through the checkpoint of the second."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch


class Killed(BaseException):
    pass


def interrupt(train: Callable[[], object], scratch: Path) -> None:
    """Kill a training of ours, which checkpoints at `last.pt` under `scratch`."""
    save, saved = torch.save, []

    def partly(content: object, path: Path) -> None:
        save(content, path)
        if saved:
            path.write_bytes(path.read_bytes()[:1000])
            raise Killed
        saved.append(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "save", partly)
        with pytest.raises(Killed):
            train()
    assert (scratch / "last.pt").is_file()
