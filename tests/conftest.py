from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side, and threads of one would take from another

# No deadline: the first example of a test pays for imports, and machines differ.
settings.register_profile("nas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nas")

# A shell starts its background jobs with Ctrl-C ignored, and they pass this on to programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
