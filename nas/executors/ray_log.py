"""What Ray has to say to the driver goes to a file, not to the terminal."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import ray._private.worker

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class RayLog:
    """Takes Ray's messages until it is closed; of several, the last one made is the first to be closed.

    Attributes:
        path: the file.
        matters: whether somebody may want to read it: Ray has warned of something, or we have.
    """

    def __init__(self, path: Path | None) -> None:
        """Begin to append to `path`; None for a new file in the temporary folder."""
        self.matters = False
        self._is_temporary = path is None
        if path is None:
            descriptor, name = tempfile.mkstemp(prefix="nas-ray-", suffix=".log")
            os.close(descriptor)
            path = Path(name)
        self.path = path
        self._logger = logging.getLogger("ray")
        self._before = list(self._logger.handlers), self._logger.propagate, self._logger.level
        self._handler = logging.FileHandler(path, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter(_FORMAT))
        self._handler.addFilter(self._look)
        # With `log_to_driver=False`, too, Ray prints on stdout that a worker died. It has no other switch.
        self._was_printing = ray._private.worker._worker_logs_enabled
        ray._private.worker._worker_logs_enabled = False
        self._arrange([self._handler], False, logging.INFO)

    def note(self, text: str) -> None:
        """Write a line of our own."""
        self._logger.info(text)

    def remove(self) -> bool:
        """Delete the file, once it is closed, if it is one in the temporary folder; says whether it did."""
        if self._is_temporary:
            self.path.unlink(missing_ok=True)
        return self._is_temporary

    def close(self) -> None:
        """Let Ray talk as before; may be called twice."""
        if self._handler in self._logger.handlers:
            self._arrange(*self._before)
            ray._private.worker._worker_logs_enabled = self._was_printing
            self._handler.close()

    def _look(self, record: logging.LogRecord) -> bool:
        self.matters = self.matters or record.levelno >= logging.WARNING
        return True

    def _arrange(self, handlers: list[logging.Handler], propagate: bool, level: int) -> None:
        self._logger.handlers[:] = handlers
        self._logger.propagate = propagate
        self._logger.setLevel(level)
