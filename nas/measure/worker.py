"""A process that measures, alone on a core: one JSON line in, one JSON line out, until its input ends.

A process of its own, so that whoever drives a search can go on renewing its lease, and because the core a process is
bound to holds for all its threads. Started as `python -m nas.measure.worker`.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout

from nas.measure.meter import answer


def main() -> None:
    """Answer until the input ends; the first argument, if there is one, is the core to stay on."""
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    out = sys.stdout
    for line in sys.stdin:
        with redirect_stdout(sys.stderr):
            found = answer(json.loads(line))
        out.write(json.dumps(found) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
