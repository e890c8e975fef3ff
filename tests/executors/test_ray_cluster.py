from __future__ import annotations

import subprocess
import sys

import pytest

INTERRUPTED = """
import signal, ray
from nas.executors.ray_cluster import Cluster

signal.signal(signal.SIGINT, signal.default_int_handler)
cluster = Cluster(None)
end = ray.shutdown

def interrupted():
    signal.raise_signal(signal.SIGINT)
    end()
    print("ended")

ray.shutdown = interrupted
try:
    cluster.close()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.slow
def test_an_interrupt_waits_until_the_connection_is_gone() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (0, ["ended", "interrupted"]), done.stderr
