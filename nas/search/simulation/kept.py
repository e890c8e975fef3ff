"""Finished simulations in a file, so that a table can be made in several goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from nas.data.atomic import new_file
from nas.errors import UserError
from nas.search.simulation.apart import Measured
from nas.search.simulation.run import Cell


class KeptCells:
    """The measurements of a file and those that are added, which go there at once; without a file only in memory."""

    def __init__(self, path: Path | None) -> None:
        """Read what is there.

        Raises:
            UserError: the file holds something else.
        """
        self._path = path
        self.found: list[Measured] = []
        if path is not None and path.exists():
            try:
                self.found = [Measured.from_dict(one) for one in json.loads(path.read_text(encoding="utf-8"))]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{path} holds no simulations of this version ({error}); name another file with --keep"
                ) from error

    def missing(self, cells: Sequence[Cell]) -> list[Cell]:
        """Those that are not there."""
        known = [one.cell for one in self.found]
        return [cell for cell in cells if cell not in known]

    def add(self, measured: Measured) -> None:
        """Keep one."""
        self.found.append(measured)
        if self._path is not None:
            with new_file(self._path) as temporary:
                temporary.write_text(json.dumps([one.to_dict() for one in self.found], indent=1), encoding="utf-8")
