"""stdout and stderr as a shell has left them: closed, full, without a reader, or unable to write most characters."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TextIO

_PLAIN = str.maketrans(
    {
        **{"…": "...", "·": "-", "→": "->", "←": "<-", "±": "+-", "≤": "<=", "≥": ">=", "≈": "~"},
        **{"•": "*", "●": "*", "○": "o", "✓": "ok", "✗": "x", "“": '"', "”": '"', "\u2019": "'"},
        **{"\u00d7": "x", "\u2212": "-", "\u2013": "-", "\u2014": "-"},
        **dict.fromkeys("─━╌╴╶", "-"),
        **dict.fromkeys("│┃", "|"),
        **dict.fromkeys("├└┌┐┘┤┬┴┼╭╮╯╰", "+"),
        **dict.fromkeys("█▇▆▅▄▃▂▁▓▒░", "#"),
    }
)
_DEGRADE = "nas-degrade"


def prepare() -> None:
    """Make both streams such that nothing which is written is an error of its own.

    A closed one goes nowhere; characters that the terminal's encoding lacks are written as the nearest it has.
    """
    codecs.register_error(_DEGRADE, _nearest)
    sys.stdout = _writable(sys.stdout, 1)
    sys.stderr = _writable(sys.stderr, 2)


def finish() -> None:
    """Write what is left of the results, so that its failure is seen here and not at the interpreter's end.

    Raises:
        OSError: they cannot be written, such as for lack of space.
    """
    sys.stdout.flush()


def drop_rest() -> None:
    """Drop what could not be written; the interpreter would complain of it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


def _writable(stream: TextIO | None, descriptor: int) -> TextIO:
    """The stream, or one that goes nowhere and holds the descriptor, lest a file that is opened later gets it."""
    if stream is None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
        return open(descriptor, "w", encoding="utf-8", errors=_DEGRADE, closefd=False)
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors=_DEGRADE)
    return stream


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """What is written in place of characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].translate(_PLAIN)
    return lacking.encode("ascii", "replace").decode("ascii"), error.end
