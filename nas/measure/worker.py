"""A process that measures, alone on a core: one JSON line in, one JSON line out, until its input ends.

A process of its own, so that whoever drives a search can go on renewing its lease, and because the core a process is
bound to holds for all its threads. Started as `python -m nas.measure.worker`.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout
from typing import Any

from nas.architecture import Architecture
from nas.errors import NasError
from nas.measure.profile import NamedProfile, Profile
from nas.measure.session import measure
from nas.task import Task


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """The record of one network, or `error` where the profile cannot be measured.

    Args:
        question: `name` and `protocol` of the profile, canonical `architecture`, `task` with its three numbers.
    """
    named = NamedProfile(name=question["name"], profile=Profile.model_validate(question["protocol"]))
    try:
        (record,) = measure([Architecture.from_dict(question["architecture"])], named, Task(**question["task"]))
    except NasError as error:
        return {"error": str(error)}
    return {"record": record.to_dict()}


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
