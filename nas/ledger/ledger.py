"""The ledger: one object for everything that is kept. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import count
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from nas.errors import StudyError
from nas.ledger import (
    architectures,
    candidate_history,
    evaluations,
    latencies,
    moving,
    paces,
    pulses,
    reports,
    status_query,
    studies,
    trials,
)
from nas.ledger.architectures import store as store_architectures
from nas.ledger.candidate_history import CandidateHistory
from nas.ledger.database import Database
from nas.ledger.engine import Mode, size_of
from nas.ledger.leases import Lease
from nas.ledger.patience import PATIENCE_SECONDS, Notify
from nas.ledger.status import StudyStatus
from nas.ledger.summary import StudySummary
from nas.ledger.trials import Times
from nas.pulse import Pace, Pulse
from nas.records import (
    Ending,
    Evaluation,
    EvaluationKey,
    Failure,
    LatencyRecord,
    Plain,
    StudyKind,
    StudyRecord,
    TrialRecord,
    TrialState,
)


class Ledger:
    """The durable truth of every search in one database, SQLite or PostgreSQL.

    Open it with `Ledger.open` to drive a search, with `Ledger.read` to look, and close it by `with` or `close`. What a
    writing method has returned from survives the death of the process.

    A method whose server is away (restarted, out of reach) waits for it with growing pauses and then does what it was
    asked, once: also when the connection was lost after the server had stored something and before it could say so.
    Opening does not wait. Every method raises `LedgerError` if the database fails it for good (wrong password, full
    disk) or for longer than its patience.

    A ledger that holds a lease writes only while it has it: every writing method then raises `StudyError`, and writes
    nothing, after another driver has taken the study over.
    """

    def __init__(self, database: Database, notify: Notify) -> None:
        self._database = database
        self.notify = notify

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        patience: float = PATIENCE_SECONDS,
        notify: Notify = lambda message: None,
    ) -> Self:
        """Open a ledger for writing, bringing its tables to the newest revision.

        Args:
            url: `sqlite:///FILE` or `postgresql+psycopg://user:password@host/database`.
            create: make the file and the tables if there are none.
            patience: seconds that a method waits for a server that is away.
            notify: told when such a wait has begun and when it is over.

        Raises:
            LedgerError: the address cannot be read, the database cannot be used, was written by a newer program, or
                holds no ledger while `create` is False.
        """
        return cls._open(url, Mode.CREATE if create else Mode.WRITE, patience, notify)

    @classmethod
    def read(cls, url: str, *, patience: float = PATIENCE_SECONDS, notify: Notify = lambda message: None) -> Self:
        """Open an existing ledger for reading only, also while a driver writes it or where we may not write.

        One of an older program is brought to the newest revision first: so every command is the first that an old
        ledger may meet.

        Raises:
            LedgerError: as `open` does, or if it was written by an older program and may not be changed.
        """
        return cls._open(url, Mode.READ, patience, notify)

    @classmethod
    def _open(cls, url: str, mode: Mode, patience: float, notify: Notify) -> Self:
        return cls(Database.open(url, mode, patience=patience, notify=notify), notify)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def as_option(self) -> list[str]:
        """What names this ledger in a command line; nothing for the one that commands use by themselves.

        A password in its address is left out.
        """
        return self._database.as_option

    def __repr__(self) -> str:
        return f"Ledger({self._database.where!r})"

    # --- studies

    def create_study(self, record: StudyRecord) -> None:
        """Add a study.

        Raises:
            StudyError: the name is taken.
        """
        turns = count()
        self._database.write(lambda connection: studies.create(connection, record, is_repeated=next(turns) > 0))

    def study(self, name: str, kind: StudyKind | None = None) -> StudyRecord:
        """One study, which has to be of a kind if one is given.

        Raises:
            StudyError: there is none of this name (the message lists those there are), or it is of another kind.
        """
        found = self._database.read(lambda connection: studies.read(connection, name))
        if kind not in (None, found.kind):
            raise StudyError(
                f"study {name!r} {found.kind.purpose} (`nas {found.kind}` shows it and goes on with it); name one that "
                f"{kind.purpose} (`nas studies` shows what each does)"
            )
        return found

    def studies(self) -> list[StudySummary]:
        """Every study with its progress, the most recently active one first; damaged ones last."""
        return self._database.read(
            lambda connection: status_query.with_states(connection, studies.summaries(connection))
        )

    def redefine_study(self, name: str, definition: Mapping[str, Plain]) -> None:
        """Put another definition in the place of a study's that has no evaluation yet.

        Raises:
            StudyError: it has one.
        """
        self._database.write(lambda connection: studies.redefine(connection, name, definition))

    def recipe_of(self, study: str) -> str | None:
        """The recipe that evaluations of a study's trials have; None where there are none yet."""
        return self._database.read(lambda connection: studies.recipe_of(connection, study))

    def recipes(self) -> list[Mapping[str, Plain]]:
        """What the studies say of their recipes, whatever it is."""
        return self._database.read(studies.recipes)

    def latest_study(self, kind: StudyKind | None = None) -> str:
        """The name of the most recently active study, of a kind if one is given.

        Raises:
            StudyError: there is none.
        """
        for found in self.studies():
            if kind in (None, found.kind):
                return found.name
        wanted = "study" if kind is None else f"study that {kind.purpose}"
        raise StudyError(
            f"the ledger {self._database.where} holds no {wanted}; run `nas {kind or StudyKind.SEARCH}` first"
        )

    def lease(self, study: str, *, holder: str) -> AbstractContextManager[Lease]:
        """Be the only driver of a study, for as long as the lease is renewed.

        Args:
            study: its name.
            holder: `host:pid` of the driver.

        Raises:
            StudyError: no such study, or a living driver has it.
        """
        return self._database.lease(study, holder)

    # --- studies as a whole: each is done once, and a database that goes away meanwhile is an error

    def rename_study(self, old: str, new: str, *, relocate: moving.Relocate) -> None:
        """Give a study, whose lease is held here and ends with this, another name.

        Args:
            old: its name.
            new: its next one.
            relocate: where weights are then, by the path they had.

        Raises:
            StudyError: there is no such study, the lease was lost, or the new name is taken.
        """
        self._database.write_once(lambda connection: moving.rename(connection, old, new, relocate))

    def delete_study(self, study: str, *, hand_over: moving.HandOver) -> int:
        """Remove a study, whose lease is held here and ends with this; what other studies use stays, as theirs.

        Args:
            study: its name.
            hand_over: where weights are then, by the path they had and the study that has them now.

        Returns:
            The number of evaluations that were handed over.

        Raises:
            StudyError: there is no such study, or the lease was lost.
        """
        return self._database.write_once(lambda connection: moving.delete(connection, study, hand_over))

    def copy_study(
        self, study: str, other: Ledger, *, relocate: moving.Relocate, watch: Callable[[int, int], None]
    ) -> moving.Copied:
        """Add a study to another ledger as well.

        Args:
            study: its name in both.
            other: where to; open for writing.
            relocate: where weights are there, by the path they have here.
            watch: told how many trials are copied, of how many.

        Raises:
            StudyError: there is no such study, or the other ledger has one of this name.
        """
        with self._database.snapshot() as connection:
            return other._database.write_once(lambda target: moving.copy(connection, target, study, relocate, watch))

    def weights_of(self, study: str) -> list[str]:
        """Paths of the weights of all evaluations of a study, also of those it took over from others."""
        return self._database.read(lambda connection: moving.weights_of(connection, study))

    def bytes(self) -> int:
        """What the whole database takes up, other people's tables in it included."""
        return self._database.read(size_of)

    # --- watching a study

    def save_pulse(self, pulse: Pulse) -> None:
        """Keep what the driver of a study says of it, in the place of what it said before."""
        self._database.write(lambda connection: pulses.save(connection, pulse))

    def status(self, study: str) -> StudyStatus:
        """Who drives a study and how far it is.

        Raises:
            StudyError: no such study.
        """
        return self._database.read(lambda connection: status_query.read(connection, study))

    def paces(self, study: str) -> dict[str, Pace]:
        """What one worker does, by the host it is on, going by the latest trainings of a study."""
        return self._database.read(lambda connection: paces.by_node(connection, study))

    def failures(self, study: str) -> dict[Failure, int]:
        """How many trainings of a study failed, by type; lost workers included, whose trainings were repeated."""
        return self._database.read(lambda connection: paces.failures(connection, study))

    def candidate_history(self, study: str, architecture_id: str) -> CandidateHistory:
        """Everything that is known of an architecture of a study, by its whole id."""
        return self._database.read(lambda connection: candidate_history.read(connection, study, architecture_id))

    # --- trials

    def write_trials(
        self,
        study: str,
        records: Sequence[TrialRecord],
        *,
        architectures: Mapping[str, Mapping[str, Plain]],
        attempts: Mapping[int, int] | None = None,
    ) -> None:
        """Store trials together: all of them or none.

        Writing the same again changes nothing. A record with a known number brings a QUEUED or FAILED trial to what the
        record says (a FAILED one can be queued again) and leaves a REJECTED, DONE or REUSED one, and the count of
        attempts, as they are. The evaluation of a record, if it has one, is stored or found as `finish` does.

        Args:
            study: its name.
            records: in any order.
            architectures: the canonical dict of every architecture that may be new to the ledger, by id.
            attempts: how often trials were submitted, for those that are about to be, by number; they need not be among
                the records.

        Raises:
            StudyError: no such study or trial, or a number already stands for another architecture.
        """

        def store(connection: sa.Connection) -> None:
            now = studies.timestamp()
            store_architectures(connection, architectures)
            trials.write(connection, study, records, now)
            trials.set_attempts(connection, study, attempts or {}, now)

        self._database.write(store)

    def finish(self, study: str, number: int, evaluation: Evaluation, state: TrialState) -> Evaluation:
        """Store an evaluation and close its trial.

        There is never a second success for one key: the first stands, and the trial gets that one. Failures are all
        kept. Repeating the call changes nothing, and a trial that is REJECTED, DONE or REUSED stays so.

        Args:
            study: its name.
            number: of the trial.
            evaluation: of the trial's architecture.
            state: DONE or REUSED for a success; FAILED for a failure, or QUEUED if it will be tried again.

        Returns:
            The evaluation that stands for the key.

        Raises:
            StudyError: no such trial.
            ValueError: the evaluation is of another architecture, or does not fit the state.
        """
        return self._database.write(
            lambda connection: trials.finish(connection, study, number, evaluation, state, studies.timestamp())
        )

    def finish_all(self, study: str, endings: Sequence[Ending]) -> list[Evaluation]:
        """`finish` for each of several trials together, in their order: all of them or none.

        Returns:
            The evaluation that stands for the key of each.
        """
        return self._database.write(
            lambda connection: trials.finish_all(connection, study, endings, studies.timestamp())
        )

    def pages(self, study: str, *, size: int = 1000) -> Iterator[list[TrialRecord]]:
        """The trials of a study by number, `size` at a time, so that they need not be in memory together.

        Raises:
            StudyError: no such study.
        """
        first = 0

        def query(connection: sa.Connection) -> list[TrialRecord]:
            return trials.page(connection, study, first, size)

        while found := self._database.read(query):
            yield found
            first = found[-1].number + 1

    def trials(self, study: str, states: Collection[TrialState] | None = None) -> list[TrialRecord]:
        """The trials of a study by number, with their evaluations; of some states only, or of all for None.

        Raises:
            StudyError: no such study.
        """
        return self._database.read(lambda connection: trials.read(connection, study, states))

    def trial_times(self, study: str, numbers: Collection[int]) -> dict[int, Times]:
        """When trials were asked for and finished, by number; those that are not written yet are not in it."""
        return self._database.read(lambda connection: trials.times(connection, study, numbers))

    # --- evaluations

    def find(self, key: EvaluationKey) -> Evaluation | None:
        """The successful evaluation of a key, whichever study made it."""
        return self._database.read(lambda connection: evaluations.find(connection, key))

    def find_all(self, keys: Collection[EvaluationKey]) -> dict[EvaluationKey, Evaluation]:
        """The successful evaluations of some hundreds of keys, those that there are."""
        return self._database.read(lambda connection: evaluations.find_all(connection, keys))

    def evaluations(self, study: str | None = None) -> list[Evaluation]:
        """The evaluations that a study made or reused, failed ones included, oldest first; all of them for None.

        Raises:
            StudyError: no such study.
        """

        def query(connection: sa.Connection) -> list[Evaluation]:
            if study is not None:
                studies.require(connection, study)
            return evaluations.of_study(connection, study)

        return self._database.read(query)

    def accuracies(self, study: str) -> list[tuple[EvaluationKey, float]]:
        """The accuracies that a study made or reused, oldest first: quick, whatever else its evaluations hold."""
        return self._database.read(lambda connection: evaluations.accuracies(connection, study))

    def record_loss(self, study: str, evaluation: Evaluation) -> None:
        """Keep a failure whose training is done again, such as a lost worker; no trial is touched.

        Raises:
            StudyError: no such study.
        """

        def store(connection: sa.Connection) -> None:
            studies.require(connection, study)
            evaluations.keep(connection, study, evaluation, studies.timestamp())

        self._database.write(store)

    def set_weights(self, key: EvaluationKey, path: str | None) -> None:
        """Say where the weights of a successful evaluation are, or that they are gone.

        Raises:
            LedgerError: nothing succeeded under this key.
        """
        self._database.write(lambda connection: evaluations.set_weights(connection, key, path))

    # --- architectures and what is known about them

    def architecture(self, identity: str) -> dict[str, Plain]:
        """The canonical dict of an architecture, by its whole id.

        Raises:
            LedgerError: there is none of this id.
        """
        return self._database.read(lambda connection: architectures.read(connection, identity))

    def architectures_of(self, study: str) -> dict[str, dict[str, Plain]]:
        """The canonical dicts of all architectures that a study has asked for, by id.

        Raises:
            StudyError: no such study.
        """
        return self._database.read(lambda connection: architectures.of_study(connection, study))

    def architecture_id(self, study: str, prefix: str) -> str:
        """The id of the one architecture of a study that begins with `prefix`; a whole id is always found.

        Raises:
            StudyError: no such study, none of its architectures begins so, or several do.
        """
        return self._database.read(
            lambda connection: architectures.resolve(connection, study, prefix, ledger=self.as_option)
        )

    def save_latencies(self, records: Sequence[LatencyRecord], canonical: Mapping[str, Mapping[str, Plain]]) -> int:
        """Keep latency records and the architectures they are about.

        Args:
            records: some.
            canonical: the canonical dict of each of their architectures, by id.

        Returns:
            How many were new.
        """
        return self._database.write(lambda connection: latencies.save(connection, records, canonical))

    def latencies(
        self, architectures: Collection[str] | None = None, profile: str | None = None
    ) -> list[LatencyRecord]:
        """The latency records of some architectures and of one profile id, oldest first; None stands for all."""
        return self._database.read(lambda connection: latencies.read(connection, architectures, profile))

    def measured_architectures(self) -> dict[str, dict[str, Plain]]:
        """The canonical dicts of all architectures that have a latency record, by id."""
        return self._database.read(latencies.measured_architectures)

    def save_report(
        self, study: str, architecture_id: str, kind: str, content: Mapping[str, Plain]
    ) -> dict[str, Plain]:
        """Keep a note about an architecture of a study, such as its test accuracy. It is made once.

        Returns:
            The report that stands: the first one of its kind.

        Raises:
            StudyError: no such study.
        """
        return self._database.write(
            lambda connection: reports.save(connection, study, architecture_id, kind, content, studies.timestamp())
        )

    def report(self, study: str, architecture_id: str, kind: str) -> dict[str, Plain] | None:
        """The report of this kind about an architecture of a study, if there is one."""
        return self._database.read(lambda connection: reports.read(connection, study, architecture_id, kind))
