"""Ctrl-C, a scheduler's SIGTERM and a lost terminal's SIGHUP, as a KeyboardInterrupt that is not lost.

Python raises it wherever the main thread happens to be. In a callback from native code (a library that walks the loaded
shared objects, say) it is printed and dropped, and the program goes on as if nobody had asked. So it is remembered too,
and raised again at the next look.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import NoReturn

_asked = threading.Event()


def listen() -> None:
    """From now on the three signals are remembered.

    Ctrl-C and SIGHUP stay ignored where they were, as in a shell's background and under `nohup`.
    """
    _asked.clear()
    signal.signal(signal.SIGTERM, _interrupt)
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def end() -> None:
    """The command is over: from now on a Ctrl-C that is given again does not meet what ends the interpreter."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def look() -> None:
    """Raise KeyboardInterrupt if one was asked for and has not arrived."""
    if _asked.is_set():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    _asked.set()
    raise KeyboardInterrupt
