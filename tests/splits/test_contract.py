import pandas as pd
import pytest

from vouch import io, paths
from vouch.errors import LeakageError
from vouch.splits.contract import PURPOSES, allow, read_predictions, read_split

OWN = {"train": "fit_weights", "val_select": "fit_calibrator", "val_calib": "fix_policy", "val_test": "judge"}


@pytest.mark.parametrize("split", OWN)
def test_a_split_is_for_its_own_purpose_and_for_no_other_that_learns(split):
    allow(split, OWN[split])
    for other in set(OWN.values()) - {OWN[split]}:
        with pytest.raises(LeakageError, match=split):
            allow(split, other)


def test_nothing_that_learns_reads_val_test():
    assert {purpose for purpose, splits in PURPOSES.items() if "val_test" in splits} == {
        "judge",
        "predict",
        "exclude",
        "describe",
    }


def test_watching_sees_what_a_model_said_of_val_calib_and_of_no_other_split(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    io.write_table(paths.predictions("m", "candidate", "val_calib"), pd.DataFrame({"sample_id": ["a"]}))
    assert len(read_predictions("m", "candidate", "val_calib", purpose="watch")) == 1
    for split in ("train", "val_select", "val_test"):
        with pytest.raises(LeakageError):
            read_predictions("m", "candidate", split, purpose="watch")


def test_reading_goes_through_the_contract(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    io.write_table(paths.split("d", "val_test"), pd.DataFrame({"sample_id": ["a"], "group": ["g"]}))
    assert read_split("d", "val_test", purpose="judge")["group"].tolist() == ["g"]
    with pytest.raises(LeakageError):
        read_split("d", "val_test", purpose="fit_weights")


@pytest.mark.parametrize("purpose", ["fit_weights", "predict", "describe", "fix_policy"])
def test_predictions_on_val_test_are_for_judging_alone(purpose):
    with pytest.raises(LeakageError):
        read_predictions("m", "candidate", "val_test", purpose=purpose)
