"""A JSON source of the web is a catalogue, page by page, in whatever form it has."""

import pytest

import web
from vouch.curation.catalogue.catalogue import Candidate, Terms
from vouch.curation.catalogue.fetching import fetching, json_kind
from vouch.curation.catalogue.http_source import form_of, of_web
from vouch.errors import DataError
from web import LIMITS, LOOPBACK

TERMS = Terms("site", "", False, {"Can": "can"})
FIRST = {
    "results": [
        {"links": [{"href": "https://example.org/1.jpg"}], "tag": {"name": "Can"}, "rights": "CC0-1.0", "id": 7},
        {"links": [{"href": "https://example.org/2.jpg"}], "tag": {"name": "leaf"}, "rights": "MIT", "negative": True},
    ],
    "paging": {"next": "/second?page=2"},
}
SECOND = {
    "results": [
        {"links": [{"href": "https://example.org/3.jpg"}], "tag": {"name": "Can"}, "rights": "MIT", "time": "night"}
    ],
    "paging": {"next": None},
}
FIELDS = ["url=links.0.href", "class=tag.name", "license=rights", "source=id", "stratum_light=time"]


def read(pages, form=None, path="/first"):
    with web.served(pages) as (server, address), fetching(LIMITS, None, permitted=LOOPBACK) as fetch:
        asked = form or form_of("results", "paging.next", FIELDS)
        return of_web(address + path, asked, TERMS, fetch, json_kind(LIMITS), most_pages=LIMITS.pages), server.asked


def test_pages_are_read_in_order_with_provenance_licence_and_strata():
    found, asked = read({"/first": web.answer(FIRST), "/second": web.answer(SECOND)})
    assert found == [
        Candidate("can", False, (), "", "https://example.org/1.jpg", "site: 7", "CC0-1.0"),
        Candidate("leaf", True, (), "", "https://example.org/2.jpg", "site: https://example.org/2.jpg", "MIT"),
        Candidate(
            "can", False, (("stratum_light", "night"),), "", "https://example.org/3.jpg",
            "site: https://example.org/3.jpg", "MIT",
        ),
    ]  # fmt: skip
    assert asked == ["/first", "/second?page=2"]


def test_a_source_of_the_plain_form_needs_no_words():
    item = {"url": "https://example.org/1.jpg", "class": "Can", "license": "MIT"}
    found, _ = read({"/first": web.answer({"items": [item]})}, form_of("items", "next", []))
    assert [one.url for one in found] == ["https://example.org/1.jpg"]


def one(**changes):
    item = {"url": "https://example.org/1.jpg", "class": "can", "license": "MIT"} | changes
    return web.answer({"items": [item]})


REFUSED = {
    "no JSON": (web.answer(b"{"), "well-formed JSON"),
    "no object": (web.answer([1]), "a JSON object, got list"),
    "no list": (web.answer({"items": {"a": 1}}), "a list, got an object"),
    "nothing there": (web.answer({"results": []}), "items: expected a list, got nothing"),
    "no UTF-8": (web.answer(b'{"items": "\xe9"}'), "UTF-8"),
    "no url": (one(url=None), r"items\[0\]\.url: expected a url, got nothing; .*--field url=PATH"),
    "no class": (one(**{"class": None}), "a class, got nothing"),
    "no licence": (one(license=None), "a licence under which"),
    "a list for text": (one(license=["MIT"]), r"items\[0\]\.license: expected text, got a list"),
    "no web address": (one(url="file:///etc/passwd"), "a web address"),
    "a formula": (one(source="=cmd|' /C calc'!A0"), "no spreadsheet calculates"),
    "a text of 40,000": (one(source="x" * 9_000 * 5), "at most 10,000 bytes"),
    "another page that is none": (web.answer({"items": [], "next": 5}), "a web address or null"),
    "a circle": (web.answer({"items": [], "next": "/first"}), "got one that was read already"),
    "a page on this machine's network": (
        web.answer({"items": [], "next": "http://169.254.169.254/latest"}),
        r"got 169\.254\.169\.254",
    ),
    "a page that is a file": (web.answer({"items": [], "next": "file:///etc/passwd"}), "a web address"),
    "another type": (web.answer({"items": []}, "text/html"), "content type"),
}


@pytest.mark.parametrize(("page", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_source_of_this_form_is_refused(page, said):
    with pytest.raises(DataError, match=said):
        read({"/first": page}, form_of("items", "next", []))


def test_pages_without_end_are_refused():
    def page(handler):
        number = int(handler.path.partition("=")[2] or 0)
        web.answer({"items": [], "next": f"/first?page={number + 1}"})(handler)

    with pytest.raises(DataError, match=r"at most 5 pages, .* got one more"):
        read({"/first": page}, form_of("items", "next", []))


@pytest.mark.parametrize("words", [["url"], ["url="], ["url=a", "url=b"], ["colour=a"]])
def test_a_field_that_nobody_knows_is_refused(words):
    with pytest.raises(DataError, match="--field"):
        form_of("items", "next", words)


def test_a_page_that_leads_to_half_an_address_is_refused():
    with pytest.raises(DataError, match=r"a web address: http or https, .*, got http://\[::1/b"):
        read({"/first": web.answer({**FIRST, "paging": {"next": "http://[::1/b"}})})
