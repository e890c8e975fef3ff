"""What a process of ours wrote to its standard streams: kept without a name on disk, its end read when needed."""

from __future__ import annotations

import fcntl
import os
import tempfile

_TAIL_BYTES = 4000


class Log:
    """A nameless temporary file that other processes append to."""

    def __init__(self) -> None:
        """Make an empty one; needs `close`."""
        self._descriptor, path = tempfile.mkstemp(prefix="nas-")
        os.unlink(path)
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, os.O_APPEND)  # writers go on at the end after `clear`, too

    def fileno(self) -> int:
        """The descriptor to write to."""
        return self._descriptor

    def clear(self) -> None:
        """Forget what was written."""
        os.ftruncate(self._descriptor, 0)

    def tail(self) -> str:
        """The last few thousand bytes, as text."""
        start = max(0, os.fstat(self._descriptor).st_size - _TAIL_BYTES)
        return os.pread(self._descriptor, _TAIL_BYTES, start).decode(errors="replace").strip()

    def close(self) -> None:
        """Give the descriptor back; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
