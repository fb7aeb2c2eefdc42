"""One POST to a stranger: only to an address that is allowed, at most so long, and hardly any of the answer is read.

The name is resolved here, once, and the connection goes to the very address that was checked: a name that
resolves otherwise a moment later (DNS rebinding) leads nowhere else.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from core.reach import Reach

SECONDS = 15.0
"""For everything: finding, connecting, sending, waiting for the answer."""
READ_BYTES = 4096
"""Of the answer's body: enough to see why it was refused."""

LookUp = Callable[[str, int, float], list[str]]
"""Host, port and seconds to the addresses of the host."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    beginning: bytes


class LookupFailedError(httpcore.ConnectError):
    """The name of the host could not be resolved."""


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, reach: Reach, seconds: float = SECONDS
) -> Reply:
    """Send it; httpcore's errors and UnreachableError say why that did not work. Redirects are not followed."""
    deadline = Deadline(seconds)
    guard = Guard(reach, deadline, plain=urlsplit(url).scheme == "http")
    pool = httpcore.ConnectionPool(ssl_context=_trust(), network_backend=guard, max_keepalive_connections=0)
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    with pool, pool.stream("POST", url, headers=sent, content=body) as answer:
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        return Reply(answer.status, told, _beginning(answer.iter_stream()))


def _beginning(chunks: Iterable[bytes]) -> bytes:
    """The status has been told already: how the body ends, or whether it ever does, changes nothing."""
    read = bytearray()
    try:
        for chunk in chunks:
            read += chunk
            if len(read) >= READ_BYTES:
                break
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
        pass
    return bytes(read[:READ_BYTES])


class Deadline:
    """The moment by which everything has to be over; a receiver that drips a byte now and then cannot move it."""

    def __init__(self, seconds: float) -> None:
        """It runs from now."""
        self._end = monotonic() + seconds

    def left(self, over: type[httpcore.TimeoutException]) -> float:
        """Seconds; raises `over` when there are none."""
        left = self._end - monotonic()
        if left <= 0:
            raise over
        return left


class Guard(httpcore.NetworkBackend):
    """Opens connections to allowed addresses only."""

    def __init__(
        self, reach: Reach, deadline: Deadline, *, plain: bool, look_up: LookUp | None = None
    ) -> None:
        """`plain`: without TLS; `look_up` tells the addresses of a host."""
        self._reach, self._deadline, self._plain = reach, deadline, plain
        self._look_up = look_up or addresses_of
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature; our deadline counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """To the first address of the host that answers, once every one of them has been found allowed."""
        found = self._look_up(host, port, self._deadline.left(httpcore.ConnectTimeout))
        for one in found:
            self._reach.check(ip_address(one), plain=self._plain)
        lost: httpcore.ConnectError | httpcore.ConnectTimeout = LookupFailedError(host)
        for others, one in zip(reversed(range(len(found))), found, strict=True):
            # An address that keeps silent (IPv6 that leads nowhere, a dead machine) leaves time for the others.
            share = self._deadline.left(httpcore.ConnectTimeout) / (others + 1)
            try:
                stream = self._inner.connect_tcp(
                    one, port, timeout=share, local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                lost = error
            else:
                return _Bounded(stream, self._deadline)
        raise lost


class _Bounded(httpcore.NetworkStream):
    """A connection that obeys the deadline, whatever its user says."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - httpcore's signature
        return self._inner.read(max_bytes, self._deadline.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - httpcore's signature
        self._inner.write(buffer, self._deadline.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(httpcore.ConnectTimeout)
        return _Bounded(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def addresses_of(host: str, port: int, seconds: float) -> list[str]:
    """What the host's name stands for. The system's own lookup knows no time limit, so it gets a thread of its own."""
    found: list[str] = []
    failed: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            every = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failed.append(error)
        else:
            found.extend(dict.fromkeys(str(one[4][0]) for one in every))

    asking = threading.Thread(target=look_up, name="flakeguard-lookup", daemon=True)
    asking.start()
    asking.join(seconds)
    if failed:
        raise LookupFailedError(host) from failed[0]
    if not found:
        raise httpcore.ConnectTimeout
    return found


@cache
def _trust() -> ssl.SSLContext:
    """The same authorities as for GitHub: SSL_CERT_FILE and SSL_CERT_DIR add a house's own."""
    return httpx.create_ssl_context()
