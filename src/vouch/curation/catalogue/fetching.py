"""One document from the web, within limits of time, size, type and place; nothing else is ever connected to.

The host's name is resolved once, every address must be public (`addresses`), and the connection goes to an address
that was looked at: a name that changes its mind in between leads nowhere else. Each redirect is looked at again.
No proxy, no netrc, no certificate bundle of the environment is used. The clock is held against every read, so that a
server that sends one byte a second is cut off like one that sends none.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpcore2
import httpx2
import stamina
from hishel import SqliteStorage
from hishel.httpx2 import CacheTransport

from vouch.curation.catalogue.addresses import Network, joined, url_problem
from vouch.curation.catalogue.limits import Limits
from vouch.curation.catalogue.pinned import OverdueError, PinnedTransport, Times
from vouch.errors import DataError, Problem, WorkspaceError

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # answers that another try may better
MOVED = frozenset({301, 302, 303, 307, 308})
HEADERS = {"User-Agent": "vouch", "Accept-Encoding": "identity"}  # packed answers could unpack to any size
MEGABYTE = 10**6


@dataclass(frozen=True)
class Kind:
    """What is asked for: its name in messages, the content types that it has, and how many bytes at most."""

    name: str
    types: frozenset[str]
    max_bytes: int


@dataclass(frozen=True)
class Fetched:
    """An answer: the address that gave it, after redirects, its content type and its bytes."""

    url: str
    content_type: str
    content: bytes


Fetch = Callable[[str, Kind], Fetched]


class _AgainError(Exception):
    """What another try may better: a connection that failed, an answer of `AGAIN`."""


def json_kind(limits: Limits) -> Kind:
    """Return the kind of a JSON document."""
    return Kind("JSON", frozenset({"application/json"}), int(limits.json_megabytes * MEGABYTE))


def photograph_kind(limits: Limits) -> Kind:
    """Return the kind of a photograph."""
    types = frozenset(f"image/{name}" for name in ("jpeg", "png", "webp", "bmp", "tiff"))
    return Kind("photograph", types, int(limits.photograph_megabytes * MEGABYTE))


@contextmanager
def fetching(limits: Limits, cache: Path | None, *, permitted: Collection[Network] = ()) -> Iterator[Fetch]:
    """Yield a function that returns what stands at a web address.

    Parameters
    ----------
    limits
        Of time, size, redirects and tries.
    cache
        File that keeps answers for `limits.cache_s`; None keeps none.
    permitted
        Networks that are allowed besides the public internet; for a server that a test starts, no command has it.

    Notes
    -----
    The function raises DataError when the address, or one that it leads to, is none or is not public, and when the
    answer takes too long, is too large, is of another type, or is no answer after all tries; WorkspaceError when the
    cache is none.
    """
    stamina.instrumentation.set_on_retry_hooks([])  # else each further try is a line of a log
    transport: httpx2.BaseTransport = PinnedTransport(
        Times(limits.connect_s, limits.silence_s, limits.answer_s), permitted
    )
    if cache is not None:
        transport = CacheTransport(transport, _storage(cache, limits))
    with closing(transport):
        yield lambda url, kind: _fetched(url, kind, limits, transport)


def _storage(cache: Path, limits: Limits) -> SqliteStorage:
    """Open the file that keeps answers; hishel itself would add a .gitignore, and pass over a file that is none."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(cache, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        connection.close()
        raise WorkspaceError([Problem(str(cache), "a cache of answers", str(error), "remove it")]) from error
    return SqliteStorage(connection=connection, default_ttl=limits.cache_s)


def _fetched(url: str, kind: Kind, limits: Limits, transport: httpx2.BaseTransport) -> Fetched:
    """Follow redirects, each of which is a request of its own that is checked like the first."""
    asked = url
    for _ in range(limits.redirects + 1):
        if problem := url_problem(asked, url):
            raise DataError([problem])
        answer = _tried(asked, kind, limits, transport)
        if isinstance(answer, Fetched):
            return answer
        target = joined(asked, answer)
        if asked.lower().startswith("https:") and not target.lower().startswith("https:"):
            raise DataError([Problem(url, "https to the end", f"a redirect to {target}", "name another address")])
        asked = target
    expected = f"at most {limits.redirects} redirects (curate.fetch.redirects)"
    raise DataError([Problem(url, expected, "more", "name the last address itself")])


def _tried(url: str, kind: Kind, limits: Limits, transport: httpx2.BaseTransport) -> Fetched | str:
    try:
        for attempt in stamina.retry_context(
            on=_AgainError, attempts=limits.tries, timeout=None, wait_initial=limits.wait_s, wait_jitter=0
        ):
            with attempt:
                return _once(url, kind, transport)
    except _AgainError as error:
        got, remedy = f"{error}, {limits.tries} times", "try later, or leave it out"
        raise DataError([Problem(url, f"a {kind.name}", got, remedy)]) from error
    raise AssertionError("a try ends in an answer or an error")


def _once(url: str, kind: Kind, transport: httpx2.BaseTransport) -> Fetched | str:
    """Return the answer to one request, or where it leads.

    The cache keeps an answer only when its body was read to the end: what is refused here is not kept.
    """
    with _named(url, kind), closing(transport.handle_request(_request(url))) as response:
        _check_head(url, kind, response)
        if _is_redirect(response):
            return str(response.headers["location"])
        parts, size = [], 0
        for part in response.iter_raw():
            parts.append(part)
            size += len(part)
            if size > kind.max_bytes:
                raise _too_large(url, kind, "more")
        return Fetched(url, _content_type(response), b"".join(parts))


def _request(url: str) -> httpx2.Request:
    """Return the request for an address; one that only looks like one, say with an empty label in its host, is refused.

    Raises
    ------
    DataError
        When no host can be made of it.
    """
    try:
        return httpx2.Request("GET", url, headers=HEADERS)
    except httpx2.InvalidURL as error:
        raise DataError([Problem(url, "a web address", str(error), "correct it")]) from error


def _check_head(url: str, kind: Kind, response: httpx2.Response) -> None:
    """Refuse an answer by its head, before anything of its body is read or kept."""
    if _is_redirect(response):
        return
    if response.status_code in AGAIN:
        raise _AgainError(f"status {response.status_code}")
    if response.status_code != 200:
        got = f"status {response.status_code}"
        raise DataError([Problem(url, f"a {kind.name}", got, "correct the address, or leave it out")])
    if (found := _content_type(response)) not in kind.types:
        expected = f"a content type of a {kind.name}: {', '.join(sorted(kind.types))}"
        raise DataError([Problem(url, expected, found or "none", "name the address of the thing itself")])
    if (packed := response.headers.get("content-encoding", "identity")) != "identity":
        raise DataError([Problem(url, "an answer that is not packed", packed, "name another address")])
    length = response.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > kind.max_bytes:
        raise _too_large(url, kind, length[:20])


def _is_redirect(response: httpx2.Response) -> bool:
    return response.status_code in MOVED and "location" in response.headers


def _content_type(response: httpx2.Response) -> str:
    """Return the content type without its parameters; `application/geo+json` is JSON, too."""
    found: str = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return "application/json" if found.startswith("application/") and found.endswith("+json") else found


def _too_large(url: str, kind: Kind, got: str) -> DataError:
    expected = f"at most {kind.max_bytes:,} bytes of a {kind.name} (curate.fetch)"
    return DataError([Problem(url, expected, got, "raise the limit, or leave it out")])


@contextmanager
def _named(url: str, kind: Kind) -> Iterator[None]:
    """Say what failed in our words: what another try may better, and what it may not."""
    try:
        yield
    except OverdueError as error:
        expected, remedy = "an answer within curate.fetch.answer_s", "raise the limit, or leave it out"
        raise DataError([Problem(url, expected, f"{error}", remedy)]) from error
    except (httpcore2.UnsupportedProtocol, httpcore2.LocalProtocolError) as error:
        raise DataError([Problem(url, f"a {kind.name}", str(error), "correct the address")]) from error
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        got = type(error.__cause__ or error).__name__ if not str(error) else str(error)
        raise _AgainError(got) from error
