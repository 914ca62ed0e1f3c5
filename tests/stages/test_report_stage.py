from dataclasses import replace

import pytest

from report import made_up
from vouch import io
from vouch.errors import DataError
from vouch.stages import index, report


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = made_up.evidence()
    made = replace(made_up.bare(), plots={"misses": whole.plots["misses"]})
    made_up.write(made, tmp_path)
    return made


def test_a_page_and_an_index_are_written_from_files_alone(made, tmp_path):
    report.run("driver", "driver", "driver", "registry/driver/bundle")
    index.run()
    page = tmp_path / "reports/driver/index.html"
    first, front = page.read_bytes(), (tmp_path / "reports/index.html").read_text()
    assert first.count(b"data:image/jpeg;base64,") == 5  # three missed, two false alarms
    assert len(first) < 2_000_000
    assert 'href="driver/index.html"' in front
    report.run("driver", "driver", "driver", "registry/driver/bundle")
    assert page.read_bytes() == first
    assert not list((tmp_path / "reports").rglob("*.part"))


def test_a_missing_table_is_refused_and_no_page_is_left(made, tmp_path):
    made_up.write(made_up.evidence(), tmp_path)
    (tmp_path / "plots/driver/test/pr.csv").unlink()
    with pytest.raises(DataError, match=r"plots/driver/test/pr\.csv"):
        report.run("driver", "driver", "driver", "registry/driver/bundle")
    assert not (tmp_path / "reports").exists()


def test_a_missing_photograph_is_refused(made, tmp_path):
    (tmp_path / "data/sources/driver/road/0001.png").unlink()
    with pytest.raises(DataError, match=r"0001\.png"):
        report.run("driver", "driver", "driver", "registry/driver/bundle")


def test_predictions_are_never_read(made, tmp_path, monkeypatch):
    opened = []
    read = io.read_table

    def recorded(path):
        opened.append(path.as_posix())
        return read(path)

    monkeypatch.setattr(io, "read_table", recorded)
    report.run("driver", "driver", "driver", "registry/driver/bundle")
    assert len(opened) == 8
    assert not [path for path in opened if "predictions" in path]
