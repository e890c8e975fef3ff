"""Output: results go to stdout, as a document or drawn; everything said on the way goes to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_PIPED_WIDTH = 120  # where no terminal says how wide it is
_WIDEST = 10_000

LINE_SECONDS = 10.0
"""Between lines about progress where there is no terminal."""


def console() -> Console:
    """For results; text is printed as it is, since names of files and studies may look like markup."""
    return Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def aside() -> Console:
    """For progress, hints and warnings, on stderr."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def notice(message: str) -> None:
    """A sentence on stderr about something that happens meanwhile, such as a wait for the database."""
    aside().print(message, soft_wrap=True)


@contextmanager
def working(start: str) -> Iterator[Callable[[str], None]]:
    """A line on stderr that says what is going on, until the block ends; the function given changes it.

    Where there is no terminal, it is a line now and then.
    """
    out = aside()
    if not out.is_terminal:
        yield _seldom(out)
        return
    with out.status(start) as line:
        yield lambda message: line.update(message)


def _seldom(out: Console) -> Callable[[str], None]:
    """Prints what it is told, but not more often than every so many seconds, and nothing in the first ones."""
    last = time.monotonic()

    def say(message: str) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            out.print(message, soft_wrap=True)

    return say


def beginning(words: str, say: Callable[[str], None]) -> Callable[[str], None]:
    """Says what it is told after some words."""
    return lambda message: say(words + message)


def strong(text: str, style: str = "bold") -> Text:
    """Text in a style, to which more can be added without one."""
    return Text.assemble((text, style))


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False, default=str) + "\n")


def print_text(text: str) -> None:
    """A file's text on stdout."""
    sys.stdout.write(text)


def draw(*renderables: RenderableType) -> None:
    """Something for people on stdout."""
    out = console()
    if not sys.stdout.isatty():  # a table in a pipe is read by a program or kept: it is never cut
        wide = Console(width=_WIDEST)
        out.width = max(out.width, *(wide.measure(one).maximum for one in renderables if isinstance(one, Table)), 0)
    for one in renderables:
        out.print(one, soft_wrap=isinstance(one, str | Text))
