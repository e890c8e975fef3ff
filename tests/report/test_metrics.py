from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from nas.errors import UserError
from nas.pulse import Pulse
from nas.report.metrics import MetricsServer, Place, parse_place


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    with MetricsServer(Place("127.0.0.1", 0)) as server:
        yield server


def asked(server: MetricsServer, path: str = "/metrics", method: str = "GET") -> tuple[int, str, str]:
    """Status, type and body of a real request."""
    connection = http.client.HTTPConnection(server.place.host, server.place.port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


def test_the_last_pulse_is_served(server: MetricsServer) -> None:
    assert asked(server)[0] == 503
    server.tell(Pulse(study="mine", front=1))
    server.tell(Pulse(study="mine", front=2))
    status, kind, body = asked(server)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'nas_front_candidates{study="mine"} 2.0\n' in body
    assert asked(server, "/metrics?name=x")[0] == 200


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metrics/../etc/passwd", "/favicon.ico"])
def test_there_is_no_other_page(server: MetricsServer, path: str) -> None:
    server.tell(Pulse(study="mine"))
    assert asked(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_there_is_only_reading(server: MetricsServer, method: str) -> None:
    assert asked(server, method=method)[0] == 501


def test_a_client_that_never_asks_keeps_nobody_waiting(server: MetricsServer) -> None:
    server.tell(Pulse(study="mine"))
    with socket.create_connection((server.place.host, server.place.port)):
        assert asked(server)[0] == 200


def test_nobody_listens_after_the_end() -> None:
    with MetricsServer(Place("127.0.0.1", 0)) as server:
        place = server.place
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place)


def test_a_port_that_is_taken_is_a_helpful_error(server: MetricsServer) -> None:
    with pytest.raises(UserError, match=rf"127\.0\.0\.1 port {server.place.port}: Address already in use; choose"):
        MetricsServer(server.place)


def test_a_host_that_is_not_here_is_a_helpful_error() -> None:
    with pytest.raises(UserError, match=r"cannot be served at 192\.0\.2\.1 port 0"):
        MetricsServer(Place("192.0.2.1", 0))


@pytest.mark.parametrize(("host", "is_local"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)])
def test_only_a_written_host_opens_the_door(host: str, is_local: bool) -> None:
    with MetricsServer(Place(host, 0)) as server:
        assert server.is_local is is_local


@pytest.mark.parametrize(
    ("text", "place", "url"),
    [
        ("9100", ("127.0.0.1", 9100), "http://127.0.0.1:9100/metrics"),
        ("0", ("127.0.0.1", 0), "http://127.0.0.1:0/metrics"),
        ("0.0.0.0:9100", ("0.0.0.0", 9100), "http://0.0.0.0:9100/metrics"),
        ("gpu-07:1", ("gpu-07", 1), "http://gpu-07:1/metrics"),
        ("[::1]:9100", ("::1", 9100), "http://[::1]:9100/metrics"),
    ],
)
def test_a_place_is_a_port_or_a_host_and_a_port(text: str, place: tuple[str, int], url: str) -> None:
    assert parse_place(text) == place
    assert parse_place(text).url == url


@pytest.mark.parametrize("text", ["", ":9100", "host:", "host", "::1:9100", "[]:1", "-1", "1.5", "٣", "[::1]"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="as a place for metrics; write a port such as 9100"):
        parse_place(text)


def test_a_port_has_its_end() -> None:
    with pytest.raises(UserError, match="ports end at 65535"):
        parse_place("65536")


@pytest.mark.slow
def test_clients_are_few_and_none_stays_for_ever(server: MetricsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.report.metrics._LONGEST", 1.0)
    place = (server.place.host, server.place.port)
    slow = [socket.create_connection(place, timeout=60) for _ in range(32)]
    one_too_many = socket.create_connection(place, timeout=60)
    assert one_too_many.recv(1) == b""
    for client in slow:
        with suppress(OSError):
            while True:  # a letter now and then, so that no single wait is long
                client.sendall(b"G")
                client.settimeout(0.05)
                with suppress(TimeoutError):
                    if client.recv(1) == b"":
                        break
    assert asked(server)[0] in (200, 503)
    for client in (*slow, one_too_many):
        client.close()
