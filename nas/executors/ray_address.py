"""Addresses of Ray clusters, checked without Ray: it would try for minutes, and talk to the terminal meanwhile."""

from __future__ import annotations

import re
import socket

from nas.errors import UserError

AUTO = "auto"

_ADDRESS = re.compile(r"auto|[^\s/:]+:\d+")
_LISTENER_SECONDS = 10.0


def require_address(address: str) -> None:
    """Raise UserError for what is no address, or one where nobody listens."""
    if not _ADDRESS.fullmatch(address):
        raise UserError(f"{address!r} is no address of a Ray cluster; write 'auto' or 'host:port'")
    if address == AUTO:
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_LISTENER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"nobody answers at {address}, where a Ray cluster was to be joined: {error}") from None
