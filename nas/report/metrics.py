"""A server of one page, `/metrics`: the last pulse of the study this process drives, for Prometheus."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.util import find_spec
from ipaddress import ip_address
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from nas.errors import UserError
from nas.pulse import Pulse

PATH = "/metrics"
LOOPBACK = "127.0.0.1"

_PATIENCE = 5.0  # seconds that a client may take to ask
_LONGEST = 15.0  # seconds from its connection to the end of our answer
_MOST_CLIENTS = 32  # at a time; Prometheus is one, and asks every few seconds
_POLL = 0.1  # seconds until `close` is noticed
_LAST_PORT = 65535


class Place(NamedTuple):
    """Where a server listens; port 0 is any free one."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}{PATH}"


def parse_place(text: str) -> Place:
    """Read `[HOST:]PORT`; without a host, only this machine can connect.

    >>> parse_place("9100"), parse_place("[::]:9100")
    (Place(host='127.0.0.1', port=9100), Place(host='::', port=9100))

    Raises:
        UserError: it is none.
    """
    host, colon, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if is_bracketed else host
    if bool(colon) != bool(bare) or (":" in bare) != is_bracketed or not port.isascii() or not port.isdecimal():
        raise UserError(
            f"cannot read {text!r} as a place for metrics; write a port such as 9100, or HOST:PORT to let other "
            "machines connect (0.0.0.0:9100, [::]:9100)"
        )
    if int(port) > _LAST_PORT:
        raise UserError(f"{text!r}: ports end at {_LAST_PORT}; 0 takes any free one")
    return Place(bare or LOOPBACK, int(port))


def require_prometheus() -> None:
    """Raise UserError where the library that writes Prometheus' format is not installed."""
    if find_spec("prometheus_client") is None:
        raise UserError("--metrics needs prometheus_client; `pip install 'nas-convnets[metrics]'` brings it")


class MetricsServer:
    """Answers `GET /metrics` from threads of its own, until it is closed; everything else is not there.

    It only reads: the one thing it has is the last pulse it was told.
    """

    def __init__(self, place: Place) -> None:
        """Listen.

        Raises:
            UserError: the port is taken, there is no such place on this machine, or prometheus_client is not there.
        """
        require_prometheus()
        try:
            self._server = _Server(place)
        except OSError as error:
            raise UserError(
                f"metrics cannot be served at {place.host} port {place.port}: {error.strerror or error}; choose "
                "another port, or 0 for any free one"
            ) from None
        self.place = Place(place.host, self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _POLL}, name="metrics", daemon=True
        )
        self._thread.start()

    def tell(self, pulse: Pulse) -> None:
        """Serve this pulse from now on."""
        self._server.told = pulse, time.monotonic()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        return ip_address(str(self._server.server_address[0]).partition("%")[0]).is_loopback

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Page(BaseHTTPRequestHandler):
    """One request. Other methods than GET are refused by the base class."""

    timeout = _PATIENCE
    server_version, sys_version = "nas", ""
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        from nas.report.exposition import CONTENT_TYPE, exposition

        told = self.server.told
        if urlsplit(self.path).path != PATH:
            self.send_error(HTTPStatus.NOT_FOUND, explain=f"The only page is {PATH}")
        elif told is None:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, explain="The search has not begun yet")
        else:
            pulse, moment = told
            self._send(exposition(pulse, age=time.monotonic() - moment).encode(), CONTENT_TYPE)

    def _send(self, body: bytes, content_type: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is the search's."""


class _Server(ThreadingMixIn, TCPServer):
    """Not `http.server.HTTPServer`, which asks the name service who we are, and that may take its time."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, place: Place) -> None:
        self._room = threading.BoundedSemaphore(_MOST_CLIENTS)
        self.told: tuple[Pulse, float] | None = None
        family, *_, address = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)[0]
        self.address_family = family
        super().__init__((str(address[0]), int(address[1])), _Page)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer from a thread; who is one too many is hung up on."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, for so long: a client that sends a letter now and then would stay for ever."""
        clock = threading.Timer(_LONGEST, _hang_up, (request,))
        clock.daemon = True
        clock.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            clock.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _hang_up(request: socket.socket) -> None:
    with suppress(OSError):  # it is over already
        request.shutdown(socket.SHUT_RDWR)
