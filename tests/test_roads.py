import json

import pytest

from pipelines import of_one_detector
from vouch.errors import ParamsError
from vouch.roads import task_of


def test_the_task_of_a_model_is_read_from_its_entry_alone(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(json.dumps({"pipeline": of_one_detector()}))
    assert task_of("m", path) == "detect"
    for content in ({"models": {"m": {}}}, {"models": {"m": {"task": "segment"}}}, {"models": {}}):
        path.write_text(json.dumps({"pipeline": content}))
        with pytest.raises(ParamsError, match=r"pipeline\.models"):
            task_of("m", path)
