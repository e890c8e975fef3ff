"""A wire to a PostgreSQL server that is cut on the way there, or before the answer comes back."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_FOLDER = re.compile(r"host=([^&]+)")


class Wire:
    """Carries TCP to the server's local socket.

    Attributes:
        url: what a client connects to, with a password that the server does not ask for.
        cuts: what happens to each COMMIT from now on: it is cut `before` it reaches the server, or `after` the server
            has committed and before the client hears of it; None to let it pass, as do all when the list is used up.
    """

    def __init__(self, uri: str, listener: socket.socket) -> None:
        found = _FOLDER.search(uri)
        assert found is not None
        self._server = f"{found[1]}/.s.PGSQL.5432"
        self._listener = listener
        self.url = f"postgresql+psycopg://postgres:s3cret@127.0.0.1:{listener.getsockname()[1]}/postgres"
        self.cuts: list[str | None] = []

    def accept(self) -> None:
        """Serve until the listener is shut down."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(self._server)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if server in ready:
                    if not (answer := server.recv(65536)):
                        return
                    client.sendall(answer)
                if client in ready and not self._forward(client, server):
                    return

    def _forward(self, client: socket.socket, server: socket.socket) -> bool:
        """Whether the connection goes on."""
        said = client.recv(65536)
        cut = self.cuts.pop(0) if b"COMMIT" in said and self.cuts else None
        if not said or cut == "before":
            return False
        server.sendall(said)
        if cut == "after":
            server.recv(65536)
        return cut is None


@contextmanager
def wire_to(uri: str) -> Iterator[Wire]:
    """A wire to the server with this address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(uri, listener)
        accepting = threading.Thread(target=wire.accept)
        accepting.start()
        try:
            yield wire
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
