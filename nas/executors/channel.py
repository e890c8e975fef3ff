"""Messages between the driver and a worker: JSON objects, each behind its length, on a stream socket.

JSON and not pickle: what a worker returns is checked to be plain data where it is made, and reading it imports nothing
into the driver.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from nas.records import EvaluationKey, Job, Plain

Message = dict[str, Plain]

_LENGTH = struct.Struct("!I")
_CHUNK = 65536  # bytes read at a time


def encode(message: Mapping[str, Plain]) -> bytes:
    """The bytes of one message.

    Raises:
        TypeError, ValueError: it is not JSON.
    """
    body = json.dumps(message).encode()
    return _LENGTH.pack(len(body)) + body


def job_to_dict(job: Job) -> Message:
    """A JSON-ready dict; inverse of `job_from_dict`."""
    return {**asdict(job), "key": job.key.to_dict()}


def job_from_dict(data: Mapping[str, Any]) -> Job:
    """Read what `job_to_dict` wrote."""
    return Job(**{**data, "key": EvaluationKey.from_dict(data["key"])})


class Inbox:
    """Bytes in, whole messages out; half a message is kept until its rest arrives."""

    def __init__(self) -> None:
        """Make an empty one."""
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes."""
        self._bytes += data
        while len(self._bytes) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._bytes)[0]
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            yield json.loads(body)


class Channel:
    """The driver's end of a socket to a worker. Never blocks, whatever state the worker is in."""

    def __init__(self, sock: socket.socket) -> None:
        """Take over a connected stream socket."""
        sock.setblocking(False)
        self._socket = sock
        self._inbox = Inbox()
        self._outbox = bytearray()
        self.ended = False  # the other end is closed and everything it sent has been read

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    @property
    def is_sending(self) -> bool:
        """Whether `flush` has to be called once the socket takes more."""
        return bool(self._outbox)

    def send(self, encoded: bytes) -> None:
        """Send an encoded message, or as much of it as the socket takes now."""
        self._outbox += encoded
        self.flush()

    def flush(self) -> None:
        """Send on; what a closed end no longer takes is dropped, and `receive` will say that it ended."""
        try:
            while self._outbox:
                del self._outbox[: self._socket.send(self._outbox)]
        except BlockingIOError:
            return
        except OSError:
            self._outbox.clear()

    def receive(self) -> Iterator[Message]:
        """The whole messages that have arrived."""
        while not self.ended:
            try:
                data = self._socket.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError:  # a reset: the worker died with a message of ours unread
                data = b""
            self.ended = not data
            yield from self._inbox.feed(data)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


def messages_from(sock: socket.socket) -> Iterator[Message]:
    """Every message that arrives on a blocking socket, until its other end is closed."""
    inbox = Inbox()
    while data := sock.recv(_CHUNK):
        yield from inbox.feed(data)
