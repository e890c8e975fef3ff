"""Addresses of Ray clusters, checked without Ray: it would try for minutes, and talk to the terminal meanwhile."""

from __future__ import annotations

import os
import re
import socket
import time

from nas.errors import UserError

AUTO = "auto"

ANSWER_SECONDS = 30.0
"""How long the head of a cluster may take to answer."""

_ADDRESS = re.compile(r"auto|[^\s/:]+:\d+")
_LISTENER_SECONDS = 10.0

# Ray's head speaks gRPC, which is HTTP/2: both sides open with a SETTINGS frame (RFC 9113, sections 3.4 and 6.5).
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_HEADER_BYTES = 9
_SETTINGS = 4


def require_address(address: str) -> None:
    """Raise UserError for what is no address, and for one where nobody listens or something that cannot be Ray."""
    if not _ADDRESS.fullmatch(address):
        raise UserError(f"{address!r} is no address of a Ray cluster; write 'auto' or 'host:port'")
    if address == AUTO:
        return
    host, _, port = address.rpartition(":")
    try:
        connection = socket.create_connection((host, int(port)), timeout=_LISTENER_SECONDS)
    except (OSError, OverflowError) as error:
        raise UserError(f"nobody answers at {address}, where a Ray cluster was to be joined: {error}") from None
    with connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):  # else it answers to certificates alone
            _require_greeting(connection, address)


def _require_greeting(connection: socket.socket, address: str) -> None:
    try:
        connection.sendall(_GREETING)
        header = _received(connection, _HEADER_BYTES)
    except TimeoutError:
        reason = f"it has said nothing for {ANSWER_SECONDS:g} s"
    except OSError as error:
        reason = str(error)
    else:
        if len(header) == _HEADER_BYTES and header[3] == _SETTINGS and not any(header[5:]):
            return
        reason = "it speaks another protocol" if header else "it hung up"
    raise UserError(
        f"what listens at {address} is not the head of a Ray cluster: {reason}; give the address that `ray start "
        "--head` printed (its port is 6379 unless told otherwise)"
    )


def _received(connection: socket.socket, count: int) -> bytes:
    """So many bytes, or fewer where the other side hangs up; raises TimeoutError."""
    deadline = time.monotonic() + ANSWER_SECONDS
    received = b""
    while len(received) < count:
        connection.settimeout(max(1e-3, deadline - time.monotonic()))
        more = connection.recv(count - len(received))
        if not more:
            break
        received += more
    return received
