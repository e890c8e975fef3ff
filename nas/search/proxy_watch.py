"""Noticing, while a search runs, that its proxy tells little."""

from __future__ import annotations

from nas.analysis.proxy_health import Trained, Yardstick, proxy_health, warnings

_FIRST = 8  # accuracies before anything is said
_GROWTH = 1.25  # from one look to the next, so that all looks together cost no more than a few
_MOST = 2000  # accuracies after which nothing new is to be said, and nothing is kept


class ProxyWatch:
    """The warnings of `proxy_health` for the accuracies so far, looked at now and then."""

    def __init__(self, yardstick: Yardstick | None) -> None:
        """No accuracy yet; `yardstick` is what they will be measured on."""
        self.warnings: tuple[str, ...] = ()
        """What to say, the first thing first."""
        self._yardstick = yardstick
        self._seen: list[Trained] = []
        self._next = _FIRST

    def note(self, trained: Trained) -> None:
        """One more accuracy."""
        if self._yardstick is None or len(self._seen) >= _MOST:
            return
        self._seen.append(trained)
        if len(self._seen) >= self._next:
            self._next = int(len(self._seen) * _GROWTH) + 1
            poor = warnings(proxy_health(self._seen, self._yardstick))
            self.warnings = tuple(f"{row.says}: {row.advice}" for row in poor)
