import pytest

from release import judged


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """The model m as it was judged, in the working directory; all of it is as DVC has recorded it."""
    monkeypatch.chdir(tmp_path)
    judged.make(tmp_path)
    judged.track(tmp_path)
    return tmp_path
