"""Stands for `nas`, `ray`, `srun` and `scontrol` in the scripts of `cluster/`; writes down how it was called.

What `NAS_KNOWS` names is a study that `nas pareto` finds. A search waits to be ended where `NAS_WAITS` says so,
and otherwise ends once as many Rays have begun as `RAYS` says.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

NAME, ARGUMENTS = Path(sys.argv[0]).name, sys.argv[1:]


def note(what: str) -> None:
    with Path(os.environ["CALLS"]).open("a") as calls:
        calls.write(json.dumps([what, NAME, ARGUMENTS]) + "\n")


def leave(number: int, frame: object) -> NoReturn:
    note("ended")
    sys.exit(130 if NAME == "nas" else 0)


def wait() -> NoReturn:
    while True:
        time.sleep(60)


def main() -> int:
    signal.signal(signal.SIGTERM, leave)
    note("begun")
    if NAME == "srun":
        program = ARGUMENTS.index("ray")
        os.execvp("ray", ARGUMENTS[program:])
    if NAME == "scontrol":
        print("localhost\nnode-2\nnode-3")
    if NAME == "ray" and "--head" in ARGUMENTS:
        with socket.create_server(("127.0.0.1", int(ARGUMENTS[ARGUMENTS.index("--port") + 1]))):
            wait()
    if NAME == "ray" and "--block" in ARGUMENTS:
        wait()
    if NAME == "nas" and ARGUMENTS[0] == "pareto":
        return 0 if ARGUMENTS[1] == os.environ.get("NAS_KNOWS") else 2
    if NAME == "nas" and "NAS_WAITS" in os.environ:
        wait()
    if NAME == "nas":
        while Path(os.environ["CALLS"]).read_text().count('["begun", "ray"') < int(os.environ.get("RAYS", "0")):
            time.sleep(0.02)
    return 0


sys.exit(main())
