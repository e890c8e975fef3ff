from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from nas.cli.main import main
from nas.errors import UserError
from nas.executors import ray_address
from nas.executors.ray_address import require_address

SETTINGS = bytes((0, 0, 6, 4, 0, 0, 0, 0, 0)) + bytes(6)


@contextmanager
def listener(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port of this machine whose first caller is answered so."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as caller:
                caller.recv(1024)
                answer(caller)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def keep(caller: socket.socket) -> None:
    """Say nothing until the caller hangs up."""
    caller.recv(1024)


def test_a_server_that_opens_as_ray_does_is_taken() -> None:
    def in_pieces(caller: socket.socket) -> None:
        with suppress(ConnectionError):  # who has seen enough hangs up
            for byte in SETTINGS:
                caller.sendall(bytes([byte]))

    with listener(in_pieces) as address:
        require_address(address)


@pytest.mark.parametrize(
    ("said", "reason"),
    [(b"HTTP/1.1 505 Version Not Supported\r\n\r\n", "another protocol"), (b"", "hung up"), (b"N", "another protocol")],
)
def test_another_server_is_named(said: bytes, reason: str) -> None:
    with (
        listener(lambda caller: caller.sendall(said)) as address,
        pytest.raises(UserError, match=f"{address} is not the head of a Ray cluster: it .*{reason}"),
    ):
        require_address(address)


def test_a_silent_port_is_given_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(ray_address, "ANSWER_SECONDS", 0.1)
    with listener(lambda caller: keep(caller)) as address:
        command = ["search", "--space", "tiny", "--budget", "10MFLOPs", "--executor", "ray", "--ray-address", address]
        assert main(command) == 2
    said = capsys.readouterr().err
    assert f"Connecting to the Ray cluster at {address}" in said
    assert "said nothing for 0.1 s" in said


def test_nobody_there_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UserError, match=f"nobody answers at 127.0.0.1:{port}"):
        require_address(f"127.0.0.1:{port}")
