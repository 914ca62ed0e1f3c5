from dataclasses import replace

import pytest

from report import made_up
from vouch import io, paths
from vouch.errors import DataError, WorkspaceError
from vouch.stages import index, report


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = made_up.evidence()
    made = replace(made_up.bare(), plots=whole.plots)
    made_up.write(made, tmp_path)
    return made


def test_a_page_and_an_index_are_written_from_files_alone(made, tmp_path):
    report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    index.run()
    page = tmp_path / "reports/driver/index.html"
    first, front = page.read_bytes(), (tmp_path / "reports/index.html").read_text()
    assert first.count(b"data:image/jpeg;base64,") == 5  # three missed, two false alarms
    assert len(first) < 2_000_000
    assert 'href="driver/index.html"' in front
    report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    assert page.read_bytes() == first
    assert not list((tmp_path / "reports").rglob("*.part"))


def test_a_classifier_s_page_has_its_confusion_and_asks_for_its_table(made, tmp_path):
    judged = replace(made, test={"accuracy": {"all": made_up.cell(0.8)}})
    made_up.write(judged, tmp_path, task="classify")
    absent = r"(?s)2 problems.*confusion\.csv: expected a table of a model to classify.*risk_coverage\.csv"
    with pytest.raises(DataError, match=absent):
        report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    tables = {"confusion": made_up.confusion(("007", "1e3")), "risk_coverage": made_up.risk_coverage()}
    made_up.write(replace(judged, plots=made.plots | tables), tmp_path, task="classify")
    report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    page = (tmp_path / "reports/driver/index.html").read_text()
    assert '<th scope="row" class="first">007</th>' in page  # names that look like numbers stay names
    assert "<b>Answered photographs</b>: 14 of 20" in page
    made_up.write(judged, tmp_path)  # a detector: the tables are there, and its page has no section for them
    report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    assert "What was taken for what" not in (tmp_path / "reports/driver/index.html").read_text()


def test_an_embedder_s_page_has_its_curves_and_asks_for_their_tables(made, tmp_path):
    judged = replace(made, plots=made.plots | {"risk_coverage": made_up.risk_coverage()})
    made_up.write(judged, tmp_path, task="identify")
    with pytest.raises(
        DataError, match=r"(?s)2 problems.*oscr\.csv: expected a table of a model to identify.*similarity"
    ):
        report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    tables = {"oscr": made_up.oscr(), "similarity": made_up.similarity()}
    made_up.write(replace(judged, plots=judged.plots | tables), tmp_path, task="identify")
    report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    assert "OSCR curve" in (tmp_path / "reports/driver/index.html").read_text()


def test_a_missing_table_is_refused_and_no_page_is_left(made, tmp_path):
    made_up.write(made_up.evidence(), tmp_path)
    (tmp_path / "plots/driver/test/pr.csv").unlink()
    with pytest.raises(DataError, match=r"plots/driver/test/pr\.csv"):
        report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    assert not (tmp_path / "reports").exists()


def test_a_missing_photograph_is_refused(made, tmp_path):
    (tmp_path / "data/sources/driver/road/0001.png").unlink()
    with pytest.raises(DataError, match=r"0001\.png"):
        report.run("driver", "driver", "driver", "registry/driver/bundle", "test")


def test_predictions_are_never_read(made, tmp_path, monkeypatch):
    opened = []
    read = io.read_table

    def recorded(path):
        opened.append(path.as_posix())
        return read(path)

    monkeypatch.setattr(io, "read_table", recorded)
    report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    assert len(opened) == 11
    assert not [path for path in opened if "predictions" in path]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b"[]", b'{"metrics": 3, "rules": 3}'])
@pytest.mark.parametrize("name", ["gate", "test", "comparison", "calibration", "export"])
def test_a_file_of_metrics_that_is_not_of_its_form_is_refused_by_name_on_page_and_index(made, tmp_path, name, content):
    (tmp_path / paths.metrics("driver", name)).write_bytes(content)
    with pytest.raises(WorkspaceError, match=f"metrics/driver/{name}.json"):
        report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    if name in ("gate", "test"):
        with pytest.raises(WorkspaceError, match=f"metrics/driver/{name}.json"):
            index.run()
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("name", ["policy.json", "calibrator.json"])
def test_a_page_shows_no_verdict_beside_a_policy_or_calibrator_that_it_is_not_about(made, tmp_path, name):
    io.write_json(tmp_path / paths.model("driver", name), {"made": "anew"})
    with pytest.raises(WorkspaceError, match=f"models/driver/{name}: expected the file that the gate judged"):
        report.run("driver", "driver", "driver", "registry/driver/bundle", "test")


def test_further_evidence_stands_beside_val_test_and_says_that_it_is_another(made, tmp_path):
    made_up.write(made, tmp_path)
    page = tmp_path / "reports/driver/index.html"
    report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
    assert "By group" not in page.read_text()
    cell = made_up.cell(0.713, n_groups=12)
    io.write_json(tmp_path / paths.metrics("driver", "by_group"), {"recall": {"all": cell}, "map50": {"all": cell}})
    report.run("driver", "driver", "driver", "registry/driver/bundle", "by_group")
    section = page.read_text().split('<h3 id="by-group">')[1].split("</section>")[0]
    assert "Other evidence, never mixed with val_test's" in section
    assert section.count("0.713") == 2
    assert "0.970" in section  # recall of val_test, in its own column; map50 was not measured there
    assert "not measured on val_test" in section
    headlines = page.read_text().split('id="headlines"')[1].split('<h3 id="by-group">')[0]
    assert "0.713" not in headlines
