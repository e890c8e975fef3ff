"""Who takes part in a benchmark: a sampler, with as many trainings and workers as it is given."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nas.errors import UserError
from nas.search.samplers import samplers
from nas.units import plural

_FORM = re.compile(r"(?P<name>[^:/]+)(:(?P<trials>[1-9]\d*))?(/(?P<workers>[1-9]\d*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One line of a benchmark's tables.

    Attributes:
        sampler: its name.
        trials: trainings of each search.
        workers: results that a proposal may have to do without, plus one.
        label: what reports call it.
    """

    sampler: str
    trials: int
    workers: int
    label: str

    @classmethod
    def parse(cls, text: str, *, trials: int, workers: int) -> Contestant:
        """Read `NAME[:TRAININGS][/WORKERS]`, such as `tpe`, `gp:50`, `surrogate/8` or `surrogate:100/8`.

        Args:
            text: what the user wrote.
            trials: trainings where the text says nothing of them.
            workers: workers where the text says nothing of them.

        Raises:
            UserError: it has another form.
            UnknownNameError: no such sampler.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise UserError(f"--sampler {text}: write NAME, NAME:TRAININGS, NAME/WORKERS or NAME:TRAININGS/WORKERS")
        samplers[found["name"]]
        own = int(found["workers"] or workers)
        return cls(
            sampler=found["name"],
            trials=int(found["trials"] or trials),
            workers=own,
            label=found["name"] if own == workers else f"{found['name']}, {plural(own, 'worker')}",
        )
