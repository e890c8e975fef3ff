"""Ctrl-C, a scheduler's SIGTERM and a lost terminal's SIGHUP, as a KeyboardInterrupt that is not lost.

Python raises it wherever the main thread happens to be. In a callback from native code (a library that walks the loaded
shared objects, say) it is printed and dropped, and the program goes on as if nobody had asked. So it is remembered too,
and raised again at the next look.

Nothing of ours may keep a program from its end for long, such as a thread that reads from a file server which is gone:
`insist` gives it some seconds to clean up. That is all it takes, since whatever is kept is kept such that a program may
be killed at any moment.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""The exit code of a program that was asked to end, by any of the three signals."""

GRACE_SECONDS = 15.0
"""From the first signal to the end of the program at the latest; schedulers kill after 30."""

_ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_SHOW_CURSOR = "\x1b[?25h"

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


def insist(grace: float = GRACE_SECONDS) -> None:
    """From now on this process ends within `grace` seconds after the first signal, whatever its threads do.

    The main thread may be anywhere by then, in native code, too, where Python does not hear signals: the system wakes
    a thread of its own.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_await_end, args=(heard, grace), name="interrupts", daemon=True).start()


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


def _await_end(heard: int, grace: float) -> NoReturn:
    while os.read(heard, 1)[0] not in _ENDING:
        pass
    time.sleep(grace)
    try:
        cursor = _SHOW_CURSOR if os.isatty(2) else ""
        os.write(2, f"{cursor}ended without waiting for what did not stop within {grace:g} s\n".encode())
    finally:
        os._exit(INTERRUPTED)
