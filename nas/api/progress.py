"""Progress of a study where Python runs it: one line that is drawn again in a terminal, one that changes in a notebook.

In a file, such as a job's log, it is a line now and then.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from nas.report.progress import best_line, counts_line, time_line
from nas.search.pulse import Progress

_WIDTH = 24  # characters of the bar
_LINE_EVERY = 10.0  # seconds between lines in a file
_DRAW_EVERY = 0.2  # seconds between drawings


class ProgressBar:
    """Shows a moment of a study, or says a sentence; silent if it is told to be."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Nothing is shown yet."""
        self._draw: Callable[[str], None] | None = None if quiet else _drawing()
        self._every = _DRAW_EVERY if sys.stderr.isatty() or _notebook() is not None else _LINE_EVERY
        self._drawn = -math.inf
        self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state to be read."""
        if self._draw is not None and self._text:
            self._draw(self._text)
            if sys.stderr.isatty() and _notebook() is None:
                sys.stderr.write("\n")

    def update(self, progress: Progress) -> None:
        """Show how far a study is."""
        bar = "█" * round(progress.fraction * _WIDTH)
        words = "; ".join((counts_line(progress), best_line(progress), time_line(progress)))
        self._show(f"{progress.fraction:4.0%} {bar:░<{_WIDTH}} {words}")

    def count(self, done: int, total: int) -> None:
        """Show that so many of the images are ready."""
        self._show(f"reading the images: {done:,} of {total:,}")

    def fraction(self, label: str, done: float) -> None:
        """Show that a part of something, in [0, 1], is done."""
        self._show(f"{done:4.0%} {label}")

    def say(self, sentence: str) -> None:
        """A sentence that stays."""
        if self._draw is not None:
            sys.stderr.write(f"{sentence}\n")

    def note(self, sentence: str) -> None:
        """What people should know of the images."""
        self.say(f"note: {sentence}")

    def _show(self, text: str) -> None:
        self._text = text
        now = time.monotonic()
        if self._draw is not None and now - self._drawn >= self._every:
            self._draw(text)
            self._drawn = now


def _notebook() -> Any:
    """IPython's display function where a notebook shows what happens, or None; IPython is never loaded for it."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return sys.modules["IPython.display"].display


def _drawing() -> Callable[[str], None]:
    """How a line is drawn here."""
    display = _notebook()
    if display is not None:
        handle = display({"text/plain": " "}, raw=True, display_id=True)
        return lambda text: handle.update({"text/plain": text}, raw=True)
    if sys.stderr.isatty():
        return lambda text: _rewrite(text)
    return lambda text: _write(f"{text}\n")


def _rewrite(text: str) -> None:
    import shutil

    width = shutil.get_terminal_size().columns - 1
    _write(f"\r\x1b[K{text[:width]}")


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
