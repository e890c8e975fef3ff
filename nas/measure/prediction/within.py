"""Points of a space within budgets in milliseconds, by prediction: drawn, and counted by a sample. None is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np

from nas.architecture import Architecture
from nas.command_line import command_line
from nas.cost.budget import Bound, Budget
from nas.errors import BudgetError, UserError
from nas.ledger import Ledger
from nas.measure.latencies import task_of
from nas.measure.prediction.calibration import LEAST
from nas.measure.prediction.forecast import Forecast, Interval
from nas.measure.profile import load_profile
from nas.measure.session import key_of
from nas.space.feasible import FeasibleSet
from nas.task import Task

_MOST_DRAWS = 50  # for each point that is asked for


class TooFewMeasuredError(UserError):
    """The ledger knows the latency of too few networks to predict that of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """A point within budget, as far as can be told without measuring it.

    Attributes:
        architecture: the point.
        latency: the predicted one, by profile; its interval reaches into the bound.
    """

    architecture: Architecture
    latency: Mapping[str, Interval]


def latency_of(told: Foretold) -> dict[str, dict[str, float]]:
    """The predicted latency by profile, JSON-ready: `ms`, `low` and `high`."""
    return {name: asdict(one) for name, one in told.latency.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a sample says of the latencies within the other bounds.

    Attributes:
        drawn: points of the sample.
        within: of them, those whose predicted intervals reach into every bound.
        unseen: those that hold something that nobody has measured; a search measures them.
        smallest, median, largest: predicted milliseconds of the sample, by profile.
    """

    drawn: int
    within: int
    unseen: int
    smallest: Mapping[str, float]
    median: Mapping[str, float]
    largest: Mapping[str, float]


class Forecasts:
    """Predictions for every latency of a budget."""

    def __init__(self, limits: Budget, task: Task, ledger: Ledger, *, space: str) -> None:
        """Read what the ledger knows.

        Args:
            limits: the budget.
            task: that networks are priced for.
            ledger: where latencies are.
            space: its reference, for advice.

        Raises:
            UserError: there is no such profile.
            TooFewMeasuredError: too few networks were measured to predict from.
            RuntimeMissingError: a profile cannot be measured here.
        """
        self._bounds: list[tuple[str, Bound, Forecast]] = []
        for bound in limits.measured:
            named = load_profile(str(bound.profile))
            own = task_of(named, task)
            forecast = Forecast(named, key_of(named, own), own, ledger)
            if forecast.n < LEAST:
                measuring = command_line("calibrate", "--space", space, "--profile", named.name, "-n", "100")
                raise TooFewMeasuredError(
                    f"{bound}: {forecast.n} networks were measured on {named.name}, too few to predict the others' "
                    f"latency; first: {measuring}"
                )
            self._bounds.append((named.name, bound, forecast))

    def latency(self, architecture: Architecture) -> dict[str, Interval] | None:
        """The predicted latency by profile; None where the network holds something that nobody has measured."""
        found = {name: forecast.predict(architecture) for name, _, forecast in self._bounds}
        known = {name: one for name, one in found.items() if one is not None}
        return known if len(known) == len(found) else None

    def is_within(self, latency: Mapping[str, Interval]) -> bool:
        """Whether every interval reaches into its bound."""
        return all(
            latency[name].low <= bound.high and latency[name].high >= bound.low for name, bound, _ in self._bounds
        )


@contextmanager
def forecasting(limits: Budget, task: Task, storage: str, *, space: str) -> Iterator[Forecasts]:
    """Predictions by the ledger at an address; see `Forecasts`."""
    with Ledger.open(storage) as ledger:
        yield Forecasts(limits, task, ledger, space=space)


def draw_within(within: FeasibleSet, forecasts: Forecasts, n: int, rng: np.random.Generator) -> list[Foretold]:
    """`n` distinct points within the other bounds whose predicted latencies reach into theirs, in the order drawn.

    Raises:
        BudgetError: so few points are within that they would not be found in 50 draws for each.
    """
    found: list[Foretold] = []
    looked = unseen = 0
    fastest = np.inf
    for architecture in _drawn(within, n, rng):
        looked += 1
        latency = forecasts.latency(architecture)
        if latency is None:
            unseen += 1
            continue
        fastest = min(fastest, *(one.ms for one in latency.values()))
        if forecasts.is_within(latency):
            found.append(Foretold(architecture=architecture, latency=latency))
        if len(found) == n:
            return found
    told = f"; the fastest takes {fastest:.3g} ms" if np.isfinite(fastest) else ""
    told += f"; {unseen} hold what nobody has measured" if unseen else ""
    raise BudgetError(
        f"{len(found)} of {n} architectures found within the latency among {looked} drawn{told}. Ask for fewer, or "
        "widen the budget or the space"
    )


def reach(within: FeasibleSet, forecasts: Forecasts, rng: np.random.Generator, *, draws: int = 200) -> Reach:
    """What part of the points within the other bounds is within the latencies, too, by that many draws at most."""
    architectures = [within.architecture(row) for row in within.draw(_at_most(within, draws), rng)]
    latencies = [forecasts.latency(one) for one in architectures]
    known = [one for one in latencies if one is not None]
    by_profile = {name: sorted(one[name].ms for one in known) for name in (known[0] if known else ())}
    return Reach(
        drawn=len(architectures),
        within=sum(map(forecasts.is_within, known)),
        unseen=len(latencies) - len(known),
        smallest={name: times[0] for name, times in by_profile.items()},
        median={name: times[len(times) // 2] for name, times in by_profile.items()},
        largest={name: times[-1] for name, times in by_profile.items()},
    )


def _drawn(within: FeasibleSet, n: int, rng: np.random.Generator) -> Iterator[Architecture]:
    """Distinct points, more of them at a time the more are wanted."""
    seed, count, given = int(rng.integers(2**63)), 2 * n, 0
    most = _at_most(within, _MOST_DRAWS * n)
    while given < most:
        # The same generator gives the same points first, whatever their number.
        rows: Sequence[np.ndarray] = list(within.draw(min(count, most), np.random.default_rng(seed)))
        yield from map(within.architecture, rows[given:])
        given, count = len(rows), 2 * count


def _at_most(within: FeasibleSet, n: int) -> int:
    return n if within.count is None else min(n, within.count)
