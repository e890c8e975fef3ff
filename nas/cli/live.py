"""Live progress on stderr: a bar where it is a terminal, a line now and then where it is a file."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress as Bar, SpinnerColumn, TaskProgressColumn, TextColumn

from nas.cli import interrupts
from nas.cli.output import LINE_SECONDS, aside
from nas.report.progress import best_line, counts_line, time_line
from nas.search.pulse import Progress
from nas.units import format_seconds


class _Display:
    """A bar that is there inside a `with` statement."""

    _bar: Bar

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


class SearchDisplay(_Display):
    """Shows a search while it runs."""

    def __init__(self) -> None:
        self._console = aside()
        self._bar = Bar(
            SpinnerColumn(),
            BarColumn(bar_width=28),
            TaskProgressColumn(),
            TextColumn("{task.fields[counts]}\n{task.fields[best]}\n{task.fields[time]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("search", total=1.0, counts="starting workers", best="", time="")
        self._last: tuple[float, int] = (-math.inf, -1)
        self._has_warned = False

    def update(self, progress: Progress) -> None:
        """Show this moment; raises a Ctrl-C that got lost."""
        interrupts.look()
        if progress.warnings and not self._has_warned:  # once; how it has ended is said at the end
            self._has_warned = True
            for sentence in progress.warnings:
                self._console.print(f"So far {sentence}", soft_wrap=True, markup=False)
        counts, best, spent = counts_line(progress), best_line(progress), time_line(progress)
        if self._console.is_terminal:
            self._bar.update(self._task, completed=progress.fraction, counts=counts, best=best, time=spent)
            return
        now = time.monotonic()
        since, done = self._last
        if progress.done != done or now - since >= LINE_SECONDS:
            self._console.print(f"{counts}; {best}; {spent}", soft_wrap=True)
            self._last = (now, progress.done)


class StepDisplay(_Display):
    """Shows one long step, such as decoding images or a training, by its fraction."""

    def __init__(self, label: str, *, is_silent: bool = False) -> None:
        self._console = aside()
        self._is_silent = is_silent
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            transient=True,
            disable=is_silent or not self._console.is_terminal,
        )
        self._label = label
        self._task = self._bar.add_task(label, total=1.0, left="", visible=False)
        self._begun = self._last = time.monotonic()

    def fraction(self, done: float, note: str = "") -> None:
        """Show that `done` of it, in [0, 1], is done, and a few words about it; raises a Ctrl-C that got lost."""
        interrupts.look()
        if self._is_silent:
            return
        now = time.monotonic()
        left = f"{format_seconds((now - self._begun) / done * (1 - done))} left" if done > 0.02 else ""
        said = ", ".join(filter(None, (note, left)))
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, left=said, visible=True)
        elif now - self._last >= LINE_SECONDS:
            self._console.print(", ".join(filter(None, (f"{self._label}: {done:.0%}", said))), soft_wrap=True)
            self._last = now

    def count(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        self.fraction(done / total if total else 1.0)
