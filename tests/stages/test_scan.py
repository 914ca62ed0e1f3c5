import io as memory

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vouch import io, paths
from vouch.errors import ParamsError
from vouch.stages import scan


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("params.yaml").write_text("datasets:\n  tiny:\n    scan:\n      max_megapixels: 1.0\n")
    generator = np.random.default_rng(0)
    names = []
    for number in range(3):
        stream = memory.BytesIO()
        Image.fromarray(generator.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(stream, "PNG")
        names.append(f"data/sources/tiny/a/{number}.png")
        io.write_bytes(tmp_path / names[-1], stream.getvalue()[: 300 if number == 1 else None])
    samples = pd.DataFrame(
        {"sample_id": ["a/0", "a/1", "a/2", "a/3"], "image": [*names, "data/sources/tiny/a/gone.png"]}
    )
    io.write_table(paths.manifest("tiny", "samples"), samples)
    return tmp_path


def test_every_sample_has_a_row_and_bad_photographs_name_their_problem(workspace):
    scan.run("tiny")
    table = io.read_table(paths.quality("tiny", "scan"))
    assert table["sample_id"].tolist() == ["a/0", "a/1", "a/2", "a/3"]
    assert table["problem"].tolist() == ["", "truncated", "", "missing_image"]
    assert table["phash"].dtype == np.uint64
    assert table["phash"][0] > 2**53


def test_two_runs_write_the_same_bytes_on_one_core_and_on_more(workspace, monkeypatch, capfd):
    contents = []
    for cores in ({0}, {0, 1}, {0, 1, 2}):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: cores)
        scan.run("tiny")
        contents.append(paths.quality("tiny", "scan").read_bytes())
    assert contents[0] == contents[1] == contents[2]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["max_megapixels: 0.0", "max_megapixels: 1.0\n      more: 1", "{}"])
def test_bad_parameters_are_refused(workspace, text):
    workspace.joinpath("params.yaml").write_text(f"datasets:\n  tiny:\n    scan:\n      {text}\n")
    with pytest.raises(ParamsError):
        scan.run("tiny")
    assert not paths.quality("tiny", "scan").exists()
