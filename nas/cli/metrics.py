"""`--metrics`: the page that Prometheus reads while a study runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nas.pulse import Pulse
    from nas.report.metrics import Place


@contextmanager
def serving(place: Place | None) -> Iterator[Callable[[Pulse], None]]:
    """Serve what the function that is given is told, and say where; nothing without a place."""
    if place is None:
        yield lambda pulse: None
        return
    from nas.cli.output import aside
    from nas.report.metrics import MetricsServer

    with MetricsServer(place) as server:
        who = "" if server.is_local else " (to every machine that can connect)"
        aside().print(f"Metrics are served at {server.place.url}{who}", soft_wrap=True)
        yield server.tell
