"""Optuna's memory of a study, of which its samplers see a bounded part."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Container, Mapping, Sequence

from optuna.distributions import BaseDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from nas.analysis.running_front import RunningFront
from nas.space.dimension import Value


class Memory(InMemoryStorage):
    """Optuna's memory, where the answers of a trial can be exchanged for those that it was led to."""

    def answer(self, trial_id: int, choices: Mapping[str, Value], asked: Mapping[str, BaseDistribution]) -> None:
        """Give a running trial these answers, and no others."""
        with self._lock:
            trial = copy.copy(self._get_trial(trial_id))
            trial.params = dict(choices)
            trial.distributions = dict(asked)
            self._set_trial(trial_id, trial)


class WindowedStorage(Memory):
    """Shows a sampler what is under way, the front, and the latest of the other finished trials.

    Samplers of Optuna walk through all trials at every ask, so that a study of n trials would take time of the order of
    n^2. Trials keep their numbers, and each can still be had by its number.
    """

    def __init__(self, latest: int, maximise: Sequence[bool]) -> None:
        """Show the `latest` finished trials besides the front."""
        super().__init__()
        self._maximise = tuple(maximise)
        self._latest: deque[int] = deque(maxlen=latest)
        self._under_way: set[int] = set()
        self._front: RunningFront[int] = RunningFront(maximise)

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """As in Optuna."""
        identity = super().create_new_trial(study_id, template_trial)
        self._note(identity)
        return identity

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """As in Optuna."""
        is_set = super().set_trial_state_values(trial_id, state, values)
        self._note(trial_id)
        return is_set

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """The trials in the window, by number."""
        if states == (TrialState.WAITING,):
            return []  # nothing is ever enqueued; Optuna looks for it at every ask
        shown = sorted({*self._latest, *self._under_way, *self._front.items})
        trials = [self.get_trial(identity) for identity in shown]
        found = [trial for trial in trials if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def _note(self, identity: int) -> None:
        trial = self.get_trial(identity)
        if not trial.state.is_finished():
            self._under_way.add(identity)
            return
        self._under_way.discard(identity)
        self._latest.append(identity)
        if trial.state is TrialState.COMPLETE:
            self._front.add(trial.values, identity)
