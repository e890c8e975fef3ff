"""Searches that are done, in a file, so that a benchmark that was interrupted goes on and a larger one begins there.

A line of JSON for each. Its key is everything that the outcome follows from: the search, the table's content and the
code; lines of other code or tables are left alone and not used.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nas.errors import UserError
from nas.executors.version import code_version
from nas.search.bench.run import Outcome, Task


class Kept:
    """The outcomes in a file."""

    def __init__(self, path: Path | None, fingerprint_of: Callable[[Path], str]) -> None:
        """Read what is there.

        Args:
            path: the file, which need not be there yet; None for no file.
            fingerprint_of: says the content of the table that a description leads to.

        Raises:
            UserError: the file cannot be read, or is of another kind.
        """
        self._path = path
        self._fingerprint_of = fingerprint_of
        self._found: dict[str, dict[str, Any]] = {}
        if path is None or not path.exists():
            return
        try:
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
            self._found = {line["key"]: line["outcome"] for line in lines}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"{path}: not a file of finished searches ({error}); name another one") from None

    def get(self, task: Task) -> Outcome | None:
        """What a search came to, if it is there."""
        found = self._found.get(self._key(task))
        return None if found is None else Outcome(**{**found, "task": task, "curve": np.array(found["curve"])})

    def add(self, outcome: Outcome) -> None:
        """Write one down.

        Raises:
            UserError: the file cannot be written.
        """
        if self._path is None:
            return
        written = {
            "table": outcome.table,
            "curve": outcome.curve.tolist(),
            "asking_seconds": outcome.asking_seconds,
            "seconds": outcome.seconds,
            "rejected": outcome.rejected,
        }
        line = json.dumps({"key": self._key(outcome.task), "outcome": written})
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"\n{line}\n")  # on a line of its own, whatever an interruption has left
        except OSError as error:
            raise UserError(f"{self._path}: cannot be written: {error.strerror}") from None

    def _key(self, task: Task) -> str:
        fields = {**asdict(task), "table": self._fingerprint_of(task.table)}
        del fields["folder"], fields["label"]
        return json.dumps([code_version(), fields], sort_keys=True)
