"""A process that decodes images for one reader: the other end of `nas.data.decoder_pool`."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.decoder_pool import Work, mapped
from nas.data.images import ImageError, PixelReader
from nas.data.source import open_source
from nas.errors import DataError

_READER_CHECK_SECONDS = 1.0


def main(work: tuple[str, int, int], connection: int, memory: int, *, chunk_images: int, reader: int) -> None:
    """Do the tasks that arrive until the reader is gone.

    Args:
        work: the fields of a `Work`.
        connection: descriptor of the socket.
        memory: descriptor of the memory for pixels.
        chunk_images: images in a slot of that memory, at most.
        reader: process id.
    """
    warnings.simplefilter("ignore")  # of odd metadata; what matters of it is an error
    what = Work(*work)
    slots = mapped(memory).reshape(-1, chunk_images, what.channels, what.side, what.side)
    with Connection(connection) as to_reader:
        try:
            for answer in _answers(what, slots, _tasks(to_reader, reader)):
                to_reader.send_bytes(json.dumps(answer).encode())
        except (EOFError, ConnectionError):
            return  # the reader is gone


def _answers(work: Work, slots: NDArray[np.uint8], tasks: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What to tell the reader, task by task; the first error is the last answer."""
    try:
        read = PixelReader(open_source(work.reference).opener(), side=work.side, channels=work.channels)
        for task in tasks:
            for row, name in enumerate(task["names"]):
                slots[task["slot"], row] = read(name)
            yield {"slot": task["slot"]}
    except ImageError as error:
        advice = "Repair it, or have such images left out with the option '?corrupt=skip'"
        yield {"error": f"{work.reference}: an image cannot be used: {error}. {advice}"}
    except DataError as error:
        yield {"error": str(error)}


def _tasks(to_reader: Connection, reader: int) -> Iterator[dict[str, Any]]:
    """Tasks as they arrive, until the reader is gone.

    A process that the reader forked can hold the other end of the socket open beyond the reader's life.
    """
    while True:
        while not to_reader.poll(_READER_CHECK_SECONDS):
            if os.getppid() != reader:
                return
        yield json.loads(to_reader.recv_bytes())
