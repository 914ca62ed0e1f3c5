"""Photographs of the web lie under the sha256 of their bytes, are fetched once, and no other one takes their place."""

import hashlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import web
from benchmark_rows import table, text
from vouch.curation.benchmark.rows import changed
from vouch.curation.catalogue.fetching import fetching, photograph_kind
from vouch.curation.catalogue.photograph_cache import fill
from vouch.errors import DataError
from web import LIMITS, LOOPBACK

FOLDER = Path("data/curation/photographs")


def jpeg(colour):
    stream = BytesIO()
    Image.new("RGB", (30, 20), colour).save(stream, "JPEG")
    return stream.getvalue()


RED, BLUE = jpeg("red"), jpeg("blue")
NAME = f"data/curation/photographs/{hashlib.sha256(RED).hexdigest()}.jpg"


@pytest.fixture
def pages():
    return {"/red": web.answer(RED, "image/jpeg"), "/blue": web.answer(BLUE, "image/jpeg")}


@pytest.fixture
def server(tmp_path, monkeypatch, pages):
    monkeypatch.chdir(tmp_path)
    with web.served(pages) as (server, address):
        yield server, address


def filled(rows):
    with fetching(LIMITS, None, permitted=LOOPBACK) as fetch:
        result = fill(rows, FOLDER, fetch, photograph_kind(LIMITS), max_megapixels=1.0)
    return changed(rows, result.edits), result.fetched


def suggested(address, *paths, **cells):
    return table(*({"url": address + path, "status": "suggested", **cells} for path in paths))


def test_a_photograph_is_fetched_once_kept_by_its_content_and_named_by_each_of_its_rows(server):
    rows = suggested(server[1], "/red", "/blue", "/red")
    once, fetched = filled(rows)
    assert fetched == 2
    assert text(once, "photograph")[0] == text(once, "photograph")[2] == (NAME,)
    assert Path(NAME).read_bytes() == RED
    assert sorted(server[0].asked) == ["/blue", "/red"]
    again, fetched = filled(once)
    assert (fetched, again) == (0, once)
    assert len(server[0].asked) == 2


def test_rows_that_nobody_is_to_look_at_and_files_elsewhere_are_left_alone(server):
    rows = table(
        {"url": server[1] + "/red", "status": "rejected"},
        {"url": server[1] + "/red", "status": "wanted"},
        {"url": server[1] + "/red", "status": "labelled", "photograph": "mine.jpg"},
        {"photograph": "mine.jpg", "status": "suggested"},
    )
    assert filled(rows) == (rows, 0)
    assert server[0].asked == []


def test_a_file_that_is_gone_comes_back_if_it_is_the_same(server, pages):
    once, _ = filled(suggested(server[1], "/red"))
    Path(NAME).unlink()
    again, fetched = filled(once)
    assert (again, fetched, Path(NAME).read_bytes()) == (once, 1, RED)
    Path(NAME).unlink()
    pages["/red"] = pages["/blue"]
    with pytest.raises(DataError, match="the photograph that its row names, got another one"):
        filled(once)
    assert not Path(NAME).exists()


def test_a_photograph_that_was_swapped_under_its_name_is_noticed(server):
    once, _ = filled(suggested(server[1], "/red"))
    Path(NAME).write_bytes(BLUE)
    with pytest.raises(DataError, match="the photograph that its name is the sha256 of, got other bytes"):
        filled(once)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (web.answer(b"<html>", "image/jpeg"), "JPEG, PNG, WebP, BMP or TIFF, got unsupported format"),
        (web.answer(RED[:-20], "image/jpeg"), "a whole photograph, got truncated"),
        (web.answer(b"", "image/jpeg"), "empty file"),
        (web.answer(b"x" * 300_000, "image/jpeg"), "at most 200,000 bytes"),
        (web.answer(RED, "text/html"), "content type of a photograph"),
        (web.answer(b"", status=404), "status 404"),
    ],
)
def test_one_photograph_that_is_refused_keeps_all_others_out(server, pages, page, said):
    pages["/broken"] = page
    with pytest.raises(DataError, match=said):
        filled(suggested(server[1], "/red", "/broken", "/blue"))
    assert not FOLDER.exists()
    assert list(FOLDER.parent.iterdir()) == []


def test_every_refusal_is_named_at_once(server):
    server[0].pages |= {"/a": web.answer(b"", status=404), "/b": web.answer(b"x", "image/jpeg")}
    with pytest.raises(DataError) as caught:
        filled(suggested(server[1], "/a", "/b"))
    assert len(caught.value.problems) == 2
