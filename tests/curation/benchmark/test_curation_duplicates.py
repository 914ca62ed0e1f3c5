"""One row for each photograph: by url, by pixels, by look; what people did and what is negative is never touched."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark_rows import table, text
from vouch.curation.benchmark.duplicates import Finding, dedupe, scanned_rows
from vouch.curation.benchmark.rows import IDENTITY
from vouch.errors import DataError
from vouch.quality.images import scan, tabulate

NEAR = {"radius_bits": 6, "min_correlation": 0.9}


@pytest.fixture(autouse=True)
def photographs(tmp_path, monkeypatch):
    """A and B differ; A_copy has A's bytes, A_png A's pixels, A_near A's look."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    coarse = {name: rng.integers(0, 256, (6, 6, 3), np.uint8) for name in "AB"}
    for name, pixels in coarse.items():
        Image.fromarray(pixels).resize((120, 120), Image.Resampling.BICUBIC).save(f"{name}.png")
    Path("A_copy.png").write_bytes(Path("A.png").read_bytes())
    Image.open("A.png").save("A_pixels.bmp")
    Image.open("A.png").resize((100, 110)).save("A_near.jpg", quality=80)


def run(*rows, **limits):
    given = table(*({"status": "suggested", **row} for row in rows))
    names, files = scanned_rows(given)
    decoded = tabulate(names, list(scan([Path(file) for file in files], max_megapixels=1.0, workers=1)))
    result = dedupe(given, decoded, **NEAR | limits)
    assert text(result.rows, *IDENTITY, "stratum_light", "note") == text(given, *IDENTITY, "stratum_light", "note")
    again = dedupe(result.rows, decoded, **NEAR | limits)
    assert (again.rows.table, again.findings, again.rejected) == (result.rows.table, result.findings, ())
    return result


def photo(name, **cells):
    return {"photograph": name, **cells}


def test_a_later_suggestion_with_the_same_url_pixels_or_look_is_rejected():
    result = run(
        photo("A.png", note="first"),
        photo("A_pixels.bmp"),
        photo("B.png"),
        photo("A_near.jpg"),
        photo("", url="https://x.org/1"),
        photo("", url="HTTPS://X.org:443/1"),
    )
    assert result.rejected == ("r1", "r3", "r5")
    assert result.findings == (
        Finding("r1", "r0", "exact", False),
        Finding("r3", "r0", "near", False),
        Finding("r5", "r4", "url", False),
    )


@pytest.mark.parametrize("status", ["labelled", "resolved"])
def test_what_a_person_did_stays_wherever_it_stands(status):
    result = run(photo("A.png"), photo("A_copy.png", status=status), photo("A_near.jpg", status=status))
    assert text(result.rows, "status") == [("rejected",), (status,), (status,)]


def test_of_people_s_rows_none_is_rejected_and_all_are_told():
    result = run(photo("A.png", status="labelled"), photo("A_copy.png", status="labelled", **{"class": "glass"}))
    assert result.rejected == ()
    assert result.findings == (Finding("r1", "r0", "exact", True),)


def test_suggestions_with_the_same_pixels_that_are_called_differently_all_go():
    result = run(photo("A.png"), photo("A_copy.png", **{"class": "glass"}), photo("B.png"))
    assert result.rejected == ("r0", "r1")
    assert result.findings == (Finding("r1", "r0", "exact", True),)


def test_a_labelled_photograph_wins_over_a_suggestion_that_calls_it_differently():
    result = run(photo("A.png", status="labelled"), photo("A_copy.png", **{"class": "glass"}))
    assert result.rejected == ("r1",)


def test_near_ones_that_are_called_differently_are_left_to_a_person():
    result = run(photo("A.png"), photo("A_near.jpg", **{"class": "glass"}))
    assert result.rejected == ()
    assert result.findings == (Finding("r1", "r0", "near", True),)


def test_a_negative_stays_negative_and_is_not_the_same_as_a_positive():
    result = run(photo("A.png", negative="true", status="labelled"), photo("A_copy.png"), photo("A_near.jpg"))
    assert text(result.rows, "negative", "status") == [
        ("true", "labelled"), ("false", "rejected"), ("false", "suggested"),
    ]  # fmt: skip


def test_rejected_and_wanted_rows_decide_nothing():
    result = run(photo("A.png", status="rejected"), photo("A_copy.png"), photo("", status="wanted"))
    assert result.rejected == ()
    assert result.findings == (Finding("r1", "r0", "exact", False),)


def test_a_rejected_row_joins_no_two_that_are_not_alike():
    url = {"url": "https://x.org/1"}
    result = run(photo("A.png"), photo("A_copy.png", status="rejected", **url), photo("B.png", **url))
    assert result.rejected == ()
    between = run(photo("A.png"), photo("A_copy.png", **url), photo("B.png", **url))
    assert between.rejected == ("r1", "r2")  # of rows that may yet be taken all are one


def test_a_rejected_row_joins_no_two_that_are_nearly_like_it_alone():
    one, other = (np.asarray(Image.open(f"{name}.png"), np.float64) for name in "AB")
    for name, share in (("left", 0.0), ("between", 0.2), ("right", 0.4)):
        Image.fromarray(((1 - share) * one + share * other).astype(np.uint8)).save(f"{name}.png")
    limits = {"radius_bits": 15, "min_correlation": 0.93}
    assert run(photo("left.png"), photo("right.png"), **limits).rejected == ()
    assert run(photo("left.png"), photo("between.png"), photo("right.png"), **limits).rejected == ("r1", "r2")
    kept = run(photo("left.png"), photo("between.png", status="rejected"), photo("right.png"), **limits)
    assert kept.rejected == ()


def test_a_photograph_that_cannot_be_used_is_named_unless_its_row_is_rejected():
    Path("broken.jpg").write_bytes(b"no photograph")
    with pytest.raises(DataError) as caught:
        run(photo("absent.jpg"), photo("broken.jpg"))
    assert len(caught.value.problems) == 2
    assert run(photo("absent.jpg", status="rejected"), photo("A.png")).rejected == ()


def test_a_table_without_photographs_has_no_duplicates():
    assert run().findings == run(photo("", status="wanted")).findings == ()
