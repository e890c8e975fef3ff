"""A simulated evaluator with known effects: what every value, pair and unit of cost is worth, and noise on top."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nas.analysis.outcomes import Origin, Outcome, outcomes
from nas.architecture import estimate
from nas.cost import Budget
from nas.ledger import Ledger
from nas.records import Ending, Evaluation, EvaluationKey, StudyKind, StudyRecord, TrialRecord, TrialState
from nas.search.definition import StudyDefinition
from nas.search.proposer import Proposer
from nas.space import SearchSpace, load_space
from nas.space.askers import replaying
from nas.space.feasible import Codes, FeasibleSet
from nas.train.recipe import Recipe

WORKERS = 4


@dataclass(frozen=True, kw_only=True)
class World:
    """Accuracy = 0.6 + slope ln(FLOPs / typical) + marginals + interactions + noise.

    Attributes:
        slope: accuracy by e-fold of FLOPs.
        marginals: by decision, what each value is worth; the sum over the values of a decision is 0.
        interactions: by pair of decisions of two values, what equal positions are worth (and unequal ones lose).
        noise: standard deviation.
    """

    slope: float = 0.05
    marginals: Mapping[str, Mapping[object, float]] = field(default_factory=dict)
    interactions: Mapping[tuple[str, str], float] = field(default_factory=dict)
    noise: float = 0.01

    def mean(self, decisions: Mapping[str, object], flops: float) -> float:
        """Accuracy without noise."""
        worth = sum(values.get(decisions[name], 0.0) for name, values in self.marginals.items() if name in decisions)
        worth += sum(
            size * (1 if _place(decisions[one]) == _place(decisions[other]) else -1)
            for (one, other), size in self.interactions.items()
            if one in decisions and other in decisions
        )
        return 0.6 + self.slope * math.log(flops / 1e7) + worth

    def effect(self, decision: str, value: object) -> float:
        """What a table should say."""
        return self.marginals.get(decision, {}).get(value, 0.0)


def _place(value: object) -> bool:
    """One of two positions of a value."""
    return value in ("layernorm", "gelu", "between_pointwise", 2, None)


@cache
def within(space: str, budget: str) -> tuple[SearchSpace, FeasibleSet]:
    """A packaged space within a budget."""
    loaded = load_space(space)
    return loaded, loaded.within(budget)


def drawn(world: World, count: int, seed: int, *, space: str = "tiny", budget: str = "30MFLOPs") -> list[Outcome]:
    """Random candidates of a space, evaluated."""
    feasible = within(space, budget)[1]
    rng = np.random.default_rng(seed)
    codes = feasible.random(count, rng)
    flops = feasible.costs(codes)["flops"]
    return [
        Outcome(
            id=str(place),
            accuracy=world.mean(decisions := feasible.decode(row), float(flops[place])) + world.noise * rng.normal(),
            rung=0,
            seed=0,
            cost={"flops": float(flops[place])},
            decisions=decisions,
            origin=Origin.RANDOM,
        )
        for place, row in enumerate(codes)
    ]


TINY = World(
    marginals={
        "stages.1.block.mixer.kernel": {3: -0.01, 5: 0.0, 7: 0.01},
        "stages.block.norm": {"layernorm": 0.006, "batchnorm": -0.006},
        "stages.0.depth": {1: -0.012, 2: 0.0, 3: 0.004, 4: 0.008},
    },
    interactions={("stages.block.act", "stages.block.ratio"): 0.006},
)
"""Three decisions that matter, two that matter together, five that do not."""


def put_study(
    ledger: Ledger, name: str, world: World, *, count: int, seed: int, sampler: str = "random", rungs: int = 1
) -> None:
    """A search in a ledger, as if it had run: the same candidates whatever the sampler is said to be.

    Every tenth is of the random control of a sampler. With two rungs the best third goes on.
    """
    space = within("tiny", "30MFLOPs")[0]
    recipe = Recipe.model_validate({"rungs": [{"epochs": 1}], "epochs": 3}) if rungs > 1 else Recipe()
    definition = StudyDefinition(
        space=space, budget=Budget.parse("30MFLOPs"), task=space.task, data="digits", fingerprint="0" * 16,
        recipe=recipe, sampler=sampler, seed=seed,
    )  # fmt: skip
    ledger.create_study(
        StudyRecord(name=name, kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00")
    )
    rows = drawn(world, count, seed)
    best = sorted(range(count), key=lambda place: -rows[place].accuracy)[: count // 3] if rungs > 1 else []
    trials, endings, forms = [], [], {}
    for number, row in enumerate(rows):
        architecture = space.build(replaying(row.decisions, space.dimensions()))
        forms[architecture.id] = architecture.to_dict()
        control = sampler != "random" and number % 10 == 9
        trials.append(
            TrialRecord(
                number=number, architecture_id=architecture.id, choices=row.decisions,
                cost=asdict(estimate(architecture, space.task)), overrun={"flops": -0.1}, state=TrialState.QUEUED,
                sampler={"control": True} if control else {},
            )
        )  # fmt: skip
        key = EvaluationKey(architecture_id=architecture.id, recipe=recipe.id, fingerprint="0" * 16, seed=seed)
        state = TrialState.STOPPED if rungs > 1 else TrialState.DONE
        endings.append(Ending(number=number, evaluation=Evaluation(key=key, accuracy=row.accuracy), state=state))
        if number in best:
            higher = Evaluation(key=replace(key, rung=1), accuracy=row.accuracy + 0.1)
            endings.append(Ending(number=number, evaluation=higher, state=TrialState.DONE))
    ledger.write_trials(name, trials, architectures=forms)
    ledger.finish_all(name, endings)


def pursued(world: World, count: int, seed: int) -> list[Outcome]:
    """Candidates that a greedy sampler chose by what it had seen, and a random control of one in ten.

    In steps of ten: the nine of 400 random ones by which a ridge regression on the decisions, from all accuracies so
    far, expects the most at equal FLOPs. It ends up in a corner of the space, as samplers do.
    """
    feasible = within("tiny", "30MFLOPs")[1]
    rng = np.random.default_rng(seed)
    sizes = [len(one) for one in feasible.dimensions.values()]

    def columns(codes: Codes, flops: NDArray[np.float64]) -> NDArray[np.float64]:
        hot = [codes[:, place, None] == np.arange(size) for place, size in enumerate(sizes)]
        return np.hstack([np.ones((len(codes), 1)), np.log(flops)[:, None], *hot]).astype(float)

    seen, accuracies, found = np.zeros((0, 2 + sum(sizes))), np.zeros(0), []
    while len(found) < count:
        pool = feasible.random(400, rng)
        flops = feasible.costs(pool)["flops"].astype(float)
        inputs = columns(pool, flops)
        picked = np.arange(10)
        if len(found) >= 20:
            ridge = seen.T @ seen + np.eye(seen.shape[1])
            weights = np.linalg.solve(ridge, seen.T @ (accuracies - accuracies.mean()))
            expected = inputs @ weights - inputs[:, 1] * weights[1]
            picked = np.array([0, *(np.argsort(-expected[1:])[:9] + 1)])
        for place, index in enumerate(picked):
            decisions = feasible.decode(pool[index])
            is_control = place == 0
            found.append(
                Outcome(
                    id=str(len(found)),
                    accuracy=world.mean(decisions, flops[index]) + world.noise * rng.normal(),
                    rung=0,
                    seed=0,
                    cost={"flops": flops[index]},
                    decisions=decisions,
                    origin=Origin.RANDOM if is_control else Origin.CHOSEN,
                )
            )
        seen = np.vstack([seen, inputs[picked]])
        accuracies = np.append(accuracies, [one.accuracy for one in found[-10:]])
    return found


def searched(
    world: World, count: int, seed: int, *, sampler: str = "surrogate", space: str = "tiny", budget: str = "30MFLOPs"
) -> list[Outcome]:
    """What a search by one of the real samplers has seen, its random control of one in ten included.

    The samplers are asked and told as the engine does it, with four trainings under way at any time.
    """
    loaded = within(space, budget)[0]
    definition = StudyDefinition(
        space=loaded, budget=Budget.parse(budget), task=loaded.task, data="none", fingerprint="0" * 16,
        recipe=Recipe(), sampler=sampler, seed=seed,
    )  # fmt: skip
    problem = definition.problem()
    proposer, rng = Proposer(problem), np.random.default_rng(seed)
    known: dict[str, Evaluation] = {}
    trials: list[TrialRecord] = []
    under_way: deque[TrialRecord] = deque()
    while len(known) < count:
        proposal = proposer.ask()
        one = proposal.candidate
        mean = world.mean(one.choices, one.cost["flops"])
        evaluation = Evaluation(key=problem.proxy.key(one.id, 0), accuracy=mean + world.noise * rng.normal())
        trial = TrialRecord(
            number=proposal.number, architecture_id=one.id, choices=one.choices, cost=one.cost, overrun=one.overrun,
            state=TrialState.REUSED if one.id in known else TrialState.DONE, sampler=proposal.notes,
            evaluation=known.setdefault(one.id, evaluation),
        )  # fmt: skip
        trials.append(trial)
        under_way.append(trial)
        if len(under_way) == WORKERS:
            proposer.tell(under_way.popleft())
    return outcomes(trials, [], definition.to_dict())


NESTED = World(
    slope=0.03,
    marginals={
        "stages.block.mixer.ratio": {1: 0.006, 1.5: -0.006},
        "stages.1.block.mixer.mixer.small": {None: -0.012, 3: 0.0, 5: 0.012},
    },
)
"""Of `replknet`, where the small kernel exists beside a large one only."""
