"""How far a study is, in words: one line each for counts, the best so far, and time."""

from __future__ import annotations

import math

from nas.search.pulse import Progress
from nas.units import format_seconds


def counts_line(progress: Progress) -> str:
    """How many candidates are where."""
    target = "" if progress.target is None else f"/{progress.target}"
    parts = [f"{progress.done}{target} done", f"{len(progress.running)} running"]
    if progress.waiting:
        parts.append(f"waiting for a worker: {progress.waiting}")
    for name in ("rejected", "reused", "failed"):
        count = getattr(progress, name)
        if count:
            parts.append(f"{count} {name}")
    if len(progress.rungs) > 1:
        parts.append(f"{' > '.join(map(str, progress.rungs))} by rung")
    if progress.lost:
        parts.append(f"{progress.lost} workers lost")
    return ", ".join(parts)


def best_line(progress: Progress) -> str:
    """The best candidate so far, with the part of the budget it uses."""
    if not progress.best_id:
        return "no accuracy yet"
    share = "" if math.isnan(progress.best_share) else f" at {progress.best_share:.0%} of the budget"
    return f"best {progress.best_accuracy:.1%}{share} ({progress.best_id})"


def time_line(progress: Progress) -> str:
    """Time spent and left."""
    left = "" if math.isnan(progress.seconds_left) else f", about {format_seconds(progress.seconds_left)} left"
    return f"{format_seconds(progress.seconds)}{left}"
