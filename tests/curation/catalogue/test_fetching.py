"""An answer of the web is whole, small, quick, of its type and from the public internet, or it is a named error."""

import socket
import time
from ipaddress import ip_network

import httpx2
import pytest

import web
from vouch.curation.catalogue import addresses
from vouch.curation.catalogue.fetching import fetching, json_kind, photograph_kind
from vouch.errors import DataError, WorkspaceError
from web import LIMITS, LOOPBACK

JSON, PHOTOGRAPH = json_kind(LIMITS), photograph_kind(LIMITS)
PAGES = {
    "/a.json": web.answer({"a": 1}),
    "/plus.json": web.answer({}, "application/geo+json; charset=utf-8"),
    "/moved": web.moved("/a.json"),
    "/twice": web.moved("/moved", 301),
    "/circle": web.moved("/circle"),
    "/to-private": web.moved("http://10.0.0.1/a.json"),
    "/to-mapped": web.moved("http://[::ffff:169.254.169.254]/latest/meta-data"),
    "/to-file": web.moved("file:///etc/passwd"),
    "/to-half": web.moved("http://[::1/a.json"),
    "/endless": web.endless,
    "/large": web.answer(b"x" * 20_000),
    "/dribbling": web.dribbling,
    "/dribbling-head": web.dribbling_head,
    "/silent": web.silent,
    "/cut": web.cut_short,
    "/page": web.answer(b"<html>", "text/html"),
    "/packed": web.answer(b"x", Content_Encoding="gzip"),
    "/absent": web.answer({}, status=404),
    "/busy": web.answer({}, status=503),
    "/photograph": web.answer(b"jpeg", "image/jpeg"),
    "/svg": web.answer(b"<svg/>", "image/svg+xml"),
}


@pytest.fixture(scope="module")
def server():
    with web.served(PAGES) as (server, address):
        yield server, address


@pytest.fixture
def ask(server):
    server[0].asked.clear()
    with fetching(LIMITS, None, permitted=LOOPBACK) as fetch:
        yield lambda path, kind=JSON: fetch(server[1] + path, kind)


def test_an_answer_is_its_bytes_its_type_and_where_it_came_from(ask, server):
    found = ask("/a.json")
    assert (found.content, found.content_type, found.url) == (b'{"a": 1}', "application/json", server[1] + "/a.json")
    assert ask("/plus.json").content_type == "application/json"
    assert ask("/photograph", PHOTOGRAPH).content == b"jpeg"


def test_redirects_are_followed_to_a_limit(ask, server):
    assert ask("/twice").url == server[1] + "/a.json"
    with pytest.raises(DataError, match=r"at most 3 redirects .*, got more"):
        ask("/circle")
    assert server[0].asked.count("/circle") == 4


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/to-private", r"got 10\.0\.0\.1"),
        ("/to-mapped", r"got ::ffff:a9fe:a9fe|got ::ffff:169\.254\.169\.254"),
        ("/to-file", "a web address: http or https"),
        ("/to-half", "a web address: http or https"),
        ("/endless", "at most 10,000 bytes of a JSON .*, got more"),
        ("/large", "at most 10,000 bytes of a JSON .*, got 20000"),
        ("/cut", "2 times"),
        ("/silent", "2 times"),
        ("/page", "a content type of a JSON: application/json, got text/html"),
        ("/svg", "got image/svg"),
        ("/packed", "an answer that is not packed, got gzip"),
        ("/absent", "got status 404"),
        ("/busy", "got status 503, 2 times"),
    ],
)
def test_any_other_answer_is_a_named_error(ask, path, said):
    with pytest.raises(DataError, match=said):
        ask(path, PHOTOGRAPH if path == "/svg" else JSON)


@pytest.mark.parametrize("path", ["/dribbling", "/dribbling-head"])
def test_a_server_that_sends_a_byte_at_a_time_is_cut_off_and_not_asked_again(ask, server, path):
    begin = time.monotonic()
    with pytest.raises(DataError, match=r"an answer within curate\.fetch\.answer_s"):
        ask(path)
    assert time.monotonic() - begin < 2 * LIMITS.answer_s
    assert server[0].asked == [path]


def test_an_answer_that_fails_is_asked_for_again():
    with web.served({"/": web.failing_once({"a": 1})}) as (server, address):
        with fetching(LIMITS, None, permitted=LOOPBACK) as fetch:
            assert fetch(f"{address}/", JSON).content == b'{"a": 1}'
        assert server.asked == ["/", "/"]


def test_without_permission_the_server_of_a_test_is_refused_and_never_connected_to(server):
    server[0].asked.clear()
    with fetching(LIMITS, None) as fetch, pytest.raises(DataError, match=r"public internet alone, got 127\.0\.0\.1"):
        fetch(server[1] + "/a.json", JSON)
    assert server[0].asked == []


def test_the_connection_goes_to_the_address_that_was_looked_at(server, monkeypatch):
    """A name that is public when it is looked at and this machine a moment later leads nowhere."""
    port, answers = int(server[1].rpartition(":")[2]), iter(["127.0.0.1", "10.9.9.9"])
    asked = []

    def rebinding(host, port, *words, **_):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers) if host == "name.example" else host, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(addresses.public_addresses, "__kwdefaults__", {"permitted": (), "resolve": rebinding})
    with fetching(LIMITS, None, permitted=(ip_network("127.0.0.0/8"),)) as fetch:
        assert fetch(f"http://name.example:{port}/a.json", JSON).content == b'{"a": 1}'
    assert asked.count("name.example") == 1


def test_the_proxy_of_the_environment_is_not_used(ask, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask("/a.json").content == b'{"a": 1}'


def test_a_whole_answer_is_kept_and_no_other(server, tmp_path):
    server[0].asked.clear()
    for _ in range(2):
        with fetching(LIMITS, tmp_path / "cache/answers.sqlite", permitted=LOOPBACK) as fetch:
            assert fetch(server[1] + "/a.json", JSON).content == b'{"a": 1}'
            for path in ("/page", "/large", "/endless"):
                with pytest.raises(DataError):
                    fetch(server[1] + path, JSON)
    assert server[0].asked.count("/a.json") == 1
    assert [server[0].asked.count(path) for path in ("/page", "/large", "/endless")] == [2, 2, 2]


def test_what_is_kept_as_json_is_not_a_photograph(server, tmp_path):
    with fetching(LIMITS, tmp_path / "answers.sqlite", permitted=LOOPBACK) as fetch:
        fetch(server[1] + "/a.json", JSON)
        with pytest.raises(DataError, match="a content type of a photograph"):
            fetch(server[1] + "/a.json", PHOTOGRAPH)


def test_a_cache_that_is_none_is_named(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"no cache of answers at all" * 100)
    with pytest.raises(WorkspaceError, match=r"answers\.sqlite: expected a cache of answers"), fetching(LIMITS, path):
        pass


@pytest.mark.parametrize("url", ["https://example.org/a", "HTTPS://example.org/a"])
def test_https_stays_https_however_it_is_written(monkeypatch, url):
    moved = httpx2.MockTransport(lambda _: httpx2.Response(302, headers={"location": "http://example.org/b"}))
    monkeypatch.setattr("vouch.curation.catalogue.fetching.PinnedTransport", lambda *_: moved)
    with fetching(LIMITS, None) as fetch, pytest.raises(DataError, match="https to the end, got a redirect to http:"):
        fetch(url, JSON)


@pytest.mark.parametrize("url", ["http://\u2603..com/", "http://1.2.3.999/"])
def test_an_address_of_which_no_host_can_be_made_is_refused(url):
    with fetching(LIMITS, None) as fetch, pytest.raises(DataError, match="expected a web address, got Invalid"):
        fetch(url, JSON)
