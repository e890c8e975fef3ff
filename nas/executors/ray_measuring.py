"""The life of the worker on Ray that measures: it answers one question after the other, on a node of its own."""

from __future__ import annotations

import json
import os
import socket

from nas.executors.version import code_version


class MeasuringActor:
    """What the driver makes an actor of. Questions and answers cross as JSON."""

    def greet(self) -> tuple[str, str]:
        """Who this is, and which code it has."""
        return f"{socket.gethostname()}:{os.getpid()}", code_version()

    def answer(self, question: str) -> str:
        """See `nas.measure.meter.answer`; both as JSON."""
        from nas.measure.meter import answer  # torch: after the greeting, which says whether this is the right code

        return json.dumps(answer(json.loads(question)))
