"""Each web address has one spelling, and that spelling is its own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_rows import table
from vouch.curation.benchmark.rows import changed
from vouch.curation.catalogue.urls import normal, normalized, spelled
from vouch.errors import DataError

# RFC 3986, 6.2.2 and 6.2.3: case, escapes, dots, default ports
SPELLINGS = {
    "HTTP://Example.ORG/a": "http://example.org/a",
    "http://example.org:80": "http://example.org/",
    "https://example.org:443/%7ea/./b/../c%3a": "https://example.org/~a/c%3A",
    "https://example.org:8443/": "https://example.org:8443/",
    "https://b\u00fccher.example/\u00e4": "https://xn--bcher-kva.example/%C3%A4",
    "https://example.org/a?utm_source=x&b=2&a=1": "https://example.org/a?utm_source=x&b=2&a=1",
}


@pytest.mark.parametrize(("written", "expected"), SPELLINGS.items())
def test_a_normal_form_is_that_of_the_standard_and_keeps_every_parameter(written, expected):
    assert normal(written) == expected
    assert normal(expected) == expected


@settings(max_examples=200, deadline=None, database=None)
@given(st.text("abA%2F7eE.:/?&=#~;@[]- \u00e4", max_size=20))
def test_the_normal_form_of_any_address_is_its_own(tail):
    rows = table({"url": f"https://example.org/{tail}"})
    try:
        edits = normalized(rows)
    except DataError:
        return
    assert normalized(changed(rows, edits)) == {}


def test_every_row_that_has_no_web_address_is_named_and_the_others_are_edited():
    rows = table({"url": "HTTP://x.org"}, {}, {"url": "https://x.org/a"})
    assert normalized(rows) == {0: {"url": "http://x.org/"}}
    with pytest.raises(DataError) as caught:
        normalized(
            table({"url": "ftp://x.org/a"}, {"url": "x.org"}, {"url": "https://user@x.org/"}, {"url": "https://x.org"})
        )
    assert len(caught.value.problems) == 3


def test_what_cannot_be_spelled_is_compared_as_it_stands():
    assert spelled({"a": "HTTP://x.org", "b": "no address"}) == {"a": "http://x.org/", "b": "no address"}
