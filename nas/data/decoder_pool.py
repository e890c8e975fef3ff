"""Processes that decode images for one reader: the reader's end. The other one is `nas.data.decoder_process`.

They are started as programs, not by `multiprocessing`: that would import the reader's main program, or fork a process
that has threads and a GPU. Tasks and answers are JSON on a socket; pixels come back through memory that both sides map
and that has no name, so nothing is left behind however either side ends:

* the reader stops or fails: it kills its decoders;
* the reader is killed: the socket closes, or its pid is no longer their parent -> they end.
"""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Pipe, wait
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nas.errors import DataError, NasError

CHUNK_BYTES = 2**21
"""Pixels that a task is to give, so that a batch is shared by all decoders."""
CHUNK_IMAGES = 32
SHARED_BYTES = 2**28
"""Decoded pixels that wait to be read."""
TASKS = 32
"""Of one decoder at a time: what its socket holds without blocking."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Work(NamedTuple):
    """What decoders decode.

    Attributes:
        reference: of the source.
        channels: of every image.
        side: of every image, in pixels.
    """

    reference: str
    channels: int
    side: int

    @property
    def image_bytes(self) -> int:
        """Of one decoded image."""
        return self.channels * self.side**2


class Batch:
    """Images that are being decoded."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self.images = images
        self.chunks_missing = 0


class _Chunk(NamedTuple):
    batch: Batch
    rows: NDArray[np.intp]
    names: list[str]


class _Decoder:
    """One process."""

    def __init__(self, work: Work, memory: int, chunk_images: int) -> None:
        self.connection, theirs = Pipe()
        self.tasks = 0
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _program(work, theirs.fileno(), memory, chunk_images)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), memory],
                env={**os.environ, **_ONE_THREAD},
                process_group=0,  # out of the reach of Ctrl-C, which is for the reader
            )

    def close(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.wait()


class DecoderPool:
    """Some decoders and the memory they share with the reader. To be used in a `with` block, by one thread."""

    def __init__(self, work: Work, names: Sequence[str], *, decoders: int) -> None:
        """Start the processes; does not wait for them.

        Args:
            work: what to decode.
            names: of the images, in the order of their indices.
            decoders: how many.
        """
        chunk_images = max(1, min(CHUNK_IMAGES, CHUNK_BYTES // work.image_bytes))
        slots = max(2 * decoders, min(TASKS * decoders, SHARED_BYTES // (chunk_images * work.image_bytes)))
        shape = (slots, chunk_images, work.channels, work.side, work.side)
        descriptor = _unnamed_memory(slots * chunk_images * work.image_bytes)
        self._work, self._names = work, names
        self._decoders: list[_Decoder] = []
        try:
            self._pixels = mapped(descriptor).reshape(shape)
            for _ in range(decoders):
                self._decoders.append(_Decoder(work, descriptor, chunk_images))
        except BaseException:
            self._close()
            raise
        finally:
            os.close(descriptor)
        self._free = list(range(slots))
        self._waiting: deque[_Chunk] = deque()
        self._running: dict[int, _Chunk] = {}

    def __enter__(self) -> Self:
        """The pool itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """End the processes, whatever they do."""
        self._close()

    def begin(self, indices: NDArray[np.intp]) -> Batch:
        """Have images decoded, in any order."""
        _, chunk_images, *shape = self._pixels.shape
        batch = Batch(np.empty((len(indices), *shape), dtype=np.uint8))
        order = np.argsort(indices)  # images with neighbouring indices are often neighbours on disk
        for start in range(0, len(indices), chunk_images):
            rows = order[start : start + chunk_images]
            self._waiting.append(_Chunk(batch, rows, [self._names[index] for index in indices[rows].tolist()]))
            batch.chunks_missing += 1
        self._hand_out()
        return batch

    def finish(self, batch: Batch) -> NDArray[np.uint8]:
        """The images of a batch that was begun, once they are all there.

        Raises:
            DataError: one of them is damaged, or the source is gone.
            NasError: a decoder has ended.
        """
        while batch.chunks_missing:
            busy = [decoder.connection for decoder in self._decoders if decoder.tasks]
            for connection in wait(busy):
                self._take(next(decoder for decoder in self._decoders if decoder.connection is connection))
            self._hand_out()
        return batch.images

    def _hand_out(self) -> None:
        while self._waiting and self._free:
            chunk, slot = self._waiting.popleft(), self._free.pop()
            decoder = min(self._decoders, key=lambda one: one.tasks)
            with suppress(ConnectionError):  # it has ended: `_take` will hear why
                decoder.connection.send_bytes(json.dumps({"slot": slot, "names": chunk.names}).encode())
            decoder.tasks += 1
            self._running[slot] = chunk

    def _take(self, decoder: _Decoder) -> None:
        try:
            answer = json.loads(decoder.connection.recv_bytes())
        except (EOFError, ConnectionError):
            raise self._lost(decoder) from None
        if "error" in answer:
            raise DataError(answer["error"])
        slot = answer["slot"]
        chunk = self._running.pop(slot)
        chunk.batch.images[chunk.rows] = self._pixels[slot, : len(chunk.rows)]
        chunk.batch.chunks_missing -= 1
        decoder.tasks -= 1
        self._free.append(slot)

    def _lost(self, decoder: _Decoder) -> NasError:
        code = decoder.process.wait()
        ending = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return NasError(f"{self._work.reference}: a process that decodes images {ending}")

    def _close(self) -> None:
        for decoder in self._decoders:
            decoder.close()


def _unnamed_memory(size: int) -> int:
    """The descriptor of `size` bytes that are gone with the last process that has them."""
    if hasattr(os, "memfd_create"):  # Linux; unlike files in /dev/shm not limited to 64 MB in a container
        descriptor = os.memfd_create("images")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, size)
    return descriptor


def mapped(descriptor: int) -> NDArray[np.uint8]:
    """Shared memory as an array of bytes."""
    return np.frombuffer(mmap.mmap(descriptor, 0), dtype=np.uint8)


def _program(work: Work, connection: int, memory: int, chunk_images: int) -> str:
    """The program of a decoder, given the reader's import path so that it finds the same modules."""
    path = [entry or os.getcwd() for entry in sys.path]
    return (
        f"import sys; sys.path[:] = {path!r}; from nas.data.decoder_process import main; "
        f"main({tuple(work)!r}, {connection}, {memory}, chunk_images={chunk_images}, reader={os.getpid()})"
    )
