"""What a process that trains is set to: memory that it keeps from step to step, threads that it computes with."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Let this process hold on to what it frees, where the C library can be told to.

    A training frees its maps after every step and asks for the same again. By default glibc gives large blocks back to
    the system, and gets them page by page: a tenth of the time of a small network's step. Workers of a search get this,
    and large pages, from the environment they are started in.
    """
    with suppress(OSError, AttributeError):  # no such function outside glibc
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _NEVER)
        library.mallopt(_M_TRIM_THRESHOLD, _NEVER)


@contextmanager
def one_thread() -> Iterator[None]:
    """One CPU thread inside the block, as a worker of a search has it; as many as before after it.

    The number of threads changes the order of sums, and with it the last bits of what is computed.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
