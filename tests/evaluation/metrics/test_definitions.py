import pytest

from vouch.evaluation.before_after import OF_CLASSES, OF_DETECTIONS, OF_GATE, ONE_VS_REST
from vouch.evaluation.metrics.definitions import answers, confidence, counts, materials, policies
from vouch.evaluation.metrics.definitions.metric import Metric
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.measures import CHANCE, MEASURES


def test_every_metric_that_is_computed_is_described_and_every_one_with_an_interval_is_computed():
    assert set(MEASURES) <= set(METRICS)
    assert {name for name, metric in METRICS.items() if metric.interval} <= set(MEASURES)
    assert {name for name in MEASURES if name.startswith("ece")} - set(CHANCE) == {"ece_debiased", "ece_class_mean"}


@pytest.mark.parametrize("names", [OF_DETECTIONS, OF_CLASSES, OF_GATE, ONE_VS_REST])
def test_calibration_json_has_names_of_the_table_for_metrics_that_are_computed(names):
    assert set(names) <= set(METRICS)
    assert set(names.values()) <= set(MEASURES)
    assert all(METRICS[name].direction == METRICS[of].direction for name, of in names.items())


def test_titles_and_sentences_are_there_and_no_two_metrics_share_a_title():
    titles = [metric.title for metric in METRICS.values()]
    assert len(set(titles)) == len(titles)
    assert all(metric.sentence.endswith(".") for metric in METRICS.values())


def test_a_brier_score_is_described_as_what_it_is():
    of_detections, of_classes, of_gate = (METRICS[name] for name in ("brier_confidence", "brier", "gate_brier"))
    assert "summed over classes: 0 to 2" in of_classes.sentence
    assert [metric.sentence.endswith("0 to 1.") for metric in (of_detections, of_gate)] == [True, True]
    assert "brier" not in OF_DETECTIONS


def test_no_metric_is_described_in_two_subjects_and_none_is_left_out_of_the_table():
    tables = [
        table
        for module in (answers, confidence, counts, materials, policies)
        for name, table in vars(module).items()
        if name.startswith("OF_")
    ]
    names = [name for table in tables for name, metric in table.items() if isinstance(metric, Metric)]
    assert sorted(names) == sorted(METRICS)
