from __future__ import annotations

import subprocess
import sys

LOST = """
import ctypes, os, signal
from nas.cli import interrupts
from nas.cli.live import StepDisplay

interrupts.listen()

@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def compare(a, b):
    os.kill(os.getpid(), signal.SIGINT)
    return 0

with StepDisplay("sorting") as display:
    display.count(0, 2)
    ctypes.CDLL(None).qsort((ctypes.c_int * 2)(2, 1), 2, 4, compare)
    try:
        display.count(1, 2)
    except KeyboardInterrupt:
        os._exit(7)
"""


def test_an_interrupt_that_native_code_swallows_is_raised_again() -> None:
    assert subprocess.run([sys.executable, "-c", LOST], capture_output=True, check=False).returncode == 7
