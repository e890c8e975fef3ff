from __future__ import annotations

import gc
import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side, and threads of one would take from another

# Also where PYTHONDONTWRITEBYTECODE is set, as in many containers: every worker would compile all tests anew (a third
# of the nine CPU seconds of its collecting), and every program that a test starts all of `nas`.
sys.dont_write_bytecode = False

# No deadline: the first example of a test pays for imports, and machines differ.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", _CALM, max_examples=10)
settings.register_profile("slow", _CALM, max_examples=200)


def pytest_configure(config: pytest.Config) -> None:
    """The slow tests' run takes twenty times as many examples of every property, fast ones included."""
    settings.load_profile("slow" if config.getoption("markexpr") == "slow" else "fast")


def pytest_collection() -> None:
    """What collecting makes lives to the end: looking for garbage in it would cost every process two seconds."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From here on garbage is looked for in what tests make, not in some millions of objects that stay."""
    gc.freeze()
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores, where those are few: a part of the tests waits for processes and servers.

    Not more of them: each collects all tests and imports what they need, which takes ten seconds of processor time.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(cores, min(4, cores + 1))


# A shell starts its background jobs with Ctrl-C ignored, nohup with SIGHUP, and they pass this on to programs that
# tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
