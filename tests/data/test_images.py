from __future__ import annotations

import threading

from nas.data.images import CHUNK, in_threads


def test_what_nobody_wants_any_more_is_not_done() -> None:
    """A thread stops in the midst of its chunk: the rest of that may take minutes."""
    done, second = [], threading.Event()

    def slow(name: str) -> str:
        done.append(name)
        if len(done) > CHUNK:  # of the second chunk
            second.set()
            threading.Event().wait(0.01)
        return name

    results = in_threads(slow, [str(number) for number in range(3 * CHUNK)], lambda done, total: None, threads=1)
    assert next(results) == "0"
    assert second.wait(30)
    results.close()
    assert CHUNK < len(done) < 2 * CHUNK
