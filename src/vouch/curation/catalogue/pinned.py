"""Requests over connections that go to an address that was looked at, and end at a deadline."""

import ssl
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from vouch.curation.catalogue.addresses import Network, public_addresses


@dataclass(frozen=True)
class Times:
    """Seconds: to connect, between two pieces of an answer, and for all of it, the connection included."""

    connect_s: float
    silence_s: float
    answer_s: float


class OverdueError(Exception):
    """The whole answer took too long; another try would take as long."""


class PinnedTransport(httpx2.BaseTransport):
    """Sends each request over a connection of its own, to an address that was looked at."""

    def __init__(self, times: Times, permitted: Collection[Network]) -> None:
        self.times = times
        self.permitted = permitted
        self.tls = httpx2.create_ssl_context(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer, whose body is yet to be read."""
        url = request.url
        deadline = time.monotonic() + self.times.answer_s
        backend = _Backend(self.permitted, deadline)
        pool = httpcore2.ConnectionPool(ssl_context=self.tls, max_connections=1, network_backend=backend)
        asked = httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            extensions={"timeout": {"connect": self.times.connect_s, "read": self.times.silence_s}},
        )
        try:
            answer = pool.handle_request(asked)
            response = httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream, pool))
        except BaseException:
            pool.close()
            raise
        return response


class _Body(httpx2.SyncByteStream):
    """The body of an answer, and the connection that goes with it."""

    def __init__(self, stream: Any, pool: httpcore2.ConnectionPool) -> None:
        self.stream: Iterable[bytes] = stream
        self.pool = pool

    def __iter__(self) -> Iterator[bytes]:
        yield from self.stream

    def close(self) -> None:
        self.pool.close()


class _Backend(httpcore2.NetworkBackend):
    """Connects to the public addresses of a host, resolved here and nowhere else, until a deadline."""

    def __init__(self, permitted: Collection[Network], deadline: float) -> None:
        self.permitted = permitted
        self.deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers."""
        addresses = public_addresses(host.strip("[]"), port, permitted=self.permitted)
        for number, address in enumerate(addresses, start=1):
            try:
                stream = httpcore2.SyncBackend().connect_tcp(str(address), port, _left(self.deadline, timeout))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _Stream(stream, self.deadline)
        raise AssertionError("a host without an address was refused")


class _Stream(httpcore2.NetworkStream):
    """A connection that ends at a deadline, whatever dribbles in before."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self.stream = stream
        self.deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self.stream.read(max_bytes, _left(self.deadline, timeout))
        except httpcore2.ReadTimeout:
            _left(self.deadline, None)  # was it the deadline that cut the wait short
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _left(self.deadline, timeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        secured = self.stream.start_tls(ssl_context, server_hostname, _left(self.deadline, timeout))
        return _Stream(secured, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    """Return how long one step may take."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise OverdueError("no end of it")
    return left if timeout is None else min(left, timeout)
