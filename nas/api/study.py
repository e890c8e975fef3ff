"""A search from Python: the same study, ledger and rules as `nas search`."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any, Self

from nas.analysis.front import evaluated_rows, front_rows
from nas.api.progress import ProgressBar
from nas.api.rows import Row, Rows, rows_of, trial_row
from nas.api.workers import Local, Ray
from nas.errors import StudyError
from nas.evaluate.function import Evaluate
from nas.executors.settings import ExecutorSettings
from nas.export.winner import choose
from nas.ledger import DEFAULT_STORAGE, Ledger, StudyStatus, redacted
from nas.ledger.address import storage_url
from nas.notebook import heading, table
from nas.records import StudyKind, TrialState
from nas.search import told
from nas.search.artifacts import checkpoints_place
from nas.search.definition import StudyDefinition, searched_study
from nas.search.images import decode_images
from nas.search.launch import begin, leaving_a_core, resumed_plan, run_plan
from nas.search.resolve import Asked, limits_of, planned
from nas.space import SearchSpace
from nas.train.checkpoint import require_place
from nas.train.recipe import Recipe
from nas.train.trackers import find_trackers


class Study:
    """A search that is in a ledger, begun here or anywhere else.

    Attributes:
        name: of the study.
        storage: address of the ledger.
    """

    def __init__(self, name: str, storage: str, *, workers: int | None = None) -> None:
        """A study that exists; `Study.create` begins one, `Study.open` makes sure that it is there."""
        self.name = name
        self.storage = storage
        self._workers = workers
        self._open: set[str] = set()  # candidates that `ask` has returned and `tell` has not heard of

    def __repr__(self) -> str:
        return f"Study({self.name!r}, storage={redacted(self.storage)!r})"

    def _repr_html_(self) -> str:
        """What it searches, how far it is and its front, for a notebook."""
        definition, pulse = self.definition, self.status().pulse
        own = definition.evaluate
        trained = f"by {own.function}" if own is not None else f"on {definition.data} by recipe {definition.recipe.id}"
        counts = ", ".join(f"{count:,} {state.value}" for state, count in pulse.trials.items()) or "none yet"
        facts = [
            ["space", f"{definition.space.name} within {definition.budget}"],
            ["search", f"{definition.objectives} by {definition.sampler}, seed {definition.seed}"],
            ["trained", trained],
            ["trials", counts],
        ]
        return heading(f"Study {self.name}") + table((), facts) + self.front._repr_html_()

    @classmethod
    def create(
        cls,
        name: str | None = None,
        *,
        space: str | SearchSpace,
        budget: str | list[str] | None = None,
        task: Mapping[str, int] | None = None,
        data: str | None = None,
        recipe: str | Mapping[str, Any] | Recipe | None = None,
        objective: str | None = None,
        sampler: str | None = None,
        seed: int | None = None,
        control: float | None = None,
        start: str | list[str] | None = None,
        trials: int | None = None,
        time: str | None = None,
        train_time: str | None = None,
        patience: int | None = None,
        workers: int | None = None,
        plugins: str | list[str] | None = None,
        evaluate: Evaluate | None = None,
        about: str | None = None,
        storage: str = DEFAULT_STORAGE,
    ) -> Self:
        """Begin a study; nothing is trained yet. The arguments are the fields of a study file.

        Args:
            name: of the study; None for one from space and budget.
            space: a space, a space file or the name of a packaged space.
            budget: limits such as `30MFLOPs`, `25Mparams` or `4.2..4.5GFLOPs`, one or several.
            task: what to price for, instead of the space's own: `resolution`, `classes`, `channels`.
            data: the data set, such as `folder:PATH`; default `digits`.
            recipe: how candidates are trained: a recipe, its name or file, or its fields; None for one that is chosen
                by the networks and the images.
            objective: `accuracy,flops` unless given.
            sampler: how candidates are chosen; default `surrogate`.
            seed: of sampler and trainings.
            control: share of the candidates that are drawn at random, in [0, 1].
            start: presets, files or studies whose architectures come first.
            trials: candidates after which a search ends that is not told otherwise; without any limit 16.
            time: begin no training after this time of a run, such as `2h`.
            train_time: the same for the time of all trainings together.
            patience: stop after so many candidates by which the front hardly grew.
            workers: trainings at a time of an executor that does not say.
            plugins: files or modules that register parts; their code is run.
            evaluate: your own training in place of the proxy, a function or its name, as `search` takes it; there is no
                data then, and of the recipe only `epochs` and `rungs`.
            about: a sentence for people.
            storage: the ledger, by its file or its address.

        Raises:
            StudyError: the name is taken.
            UserError: anything else that is wrong; nothing has been made then.
        """
        storage = storage_url(storage)
        given = {
            "space": space.name if isinstance(space, SearchSpace) else space, "budget": budget, "task": task,
            "data": data, "recipe": recipe, "objective": objective, "sampler": sampler, "seed": seed,
            "control": control, "start": start, "trials": trials, "time": time, "train_time": train_time,
            "patience": patience, "workers": workers, "plugins": plugins, "about": about,
        }  # fmt: skip
        asked = Asked(
            given=given,
            space=space if isinstance(space, SearchSpace) else None,
            function=evaluate,
            measures_here=False,  # only `search` says who measures
        )
        plan = planned(asked, name, storage, lambda done, total: None)
        with Ledger.open(storage) as ledger:
            begin(plan, ledger, Local().settings(workers))
        return cls(plan.name, storage, workers=workers)

    @classmethod
    def open(cls, name: str | None = None, *, storage: str = DEFAULT_STORAGE) -> Self:
        """A search by its name, or the latest one of the ledger.

        Raises:
            StudyError: there is none, or it is a study of another kind.
            LedgerError: there is no ledger.
        """
        storage = storage_url(storage)
        with Ledger.read(storage) as ledger:
            name = name or ledger.latest_study(StudyKind.SEARCH)
            ledger.study(name, StudyKind.SEARCH)
        return cls(name, storage)

    @property
    def definition(self) -> StudyDefinition:
        """Everything that identifies the study."""
        with Ledger.read(self.storage) as ledger:
            return searched_study(ledger, self.name)[1]

    def search(
        self,
        *,
        trials: int | None = None,
        time: str | None = None,
        train_time: str | None = None,
        patience: int | None = None,
        evaluate: Evaluate | None = None,
        executor: Local | Ray | None = None,
        checkpoints: str | None = None,
        tensorboard: str | PathLike[str] | None = None,
        wandb: str | PathLike[str] | None = None,
        mlflow: str | PathLike[str] | None = None,
        quiet: bool = False,
    ) -> Rows:
        """Search until a limit is met; again, or after an interruption, it goes on where it was.

        Args:
            trials: candidates of the study to have an evaluation of, those of earlier runs counted.
            time: begin no training after this time of the run, such as `2h`.
            train_time: the same for the time of all trainings together, earlier runs counted.
            patience: stop after so many candidates by which the front hardly grew.
            evaluate: your own training in place of the proxy, for a study that has no evaluation yet; it goes on with
                it by itself. A function `(architecture, *, job, report) -> accuracy`, a `functools.partial` of one, or
                its name, `my_package.train:score` or `train.py:score?lr=0.1`; see `nas.evaluate.function`.
            executor: who trains; default `Local()`.
            checkpoints: folder or URL for trainings put aside between rungs, shared by all machines that train.
            tensorboard: folder to write a run for each candidate into, for TensorBoard.
            wandb: the same for Weights & Biases, offline.
            mlflow: the same for MLflow.
            quiet: show no progress.

        Returns:
            The front.

        Raises:
            StudyError: another process drives the study, its accuracies were told, or are another training's.
            UserError, NasError: evaluate cannot be found or called, there are no workers to be had, the images cannot
                be read, or nothing can be trained.
            KeyboardInterrupt: passed on; what is finished is kept, and the next `search` goes on.
        """
        trackers = find_trackers(tensorboard=tensorboard, wandb=wandb, mlflow=mlflow)
        limits = limits_of({"trials": trials, "time": time, "train_time": train_time, "patience": patience})
        settings = (executor or Local()).settings(self._workers)
        place = checkpoints_place(checkpoints, self.storage, self.name)
        if checkpoints is not None:
            require_place(place)
        with Ledger.open(self.storage, create=False) as ledger, ProgressBar(quiet=quiet) as bar:
            plan = resumed_plan(ledger, self.name, limits=limits, given={}, evaluate=evaluate)
            if (executor is None or executor.workers is None) and self._workers is None:
                settings = leaving_a_core(settings, plan.definition)
            if plan.definition.evaluate is None:
                decode_images(
                    plan.definition.data,
                    plan.definition.recipe.stored_resolution,
                    expected=plan.definition.fingerprint,
                    progress=bar.count,
                    note=bar.note,
                )
            try:
                run_plan(
                    plan,
                    ledger,
                    storage=self.storage,
                    settings=settings,
                    watch=bar.update,
                    say=bar.say,
                    checkpoints=place,
                    trackers=trackers,
                )
            except KeyboardInterrupt:
                bar.say("Interrupted; what is finished is kept, and the next search goes on.")
                raise
        return self.front

    def ask(self) -> Row:
        """The next candidate to evaluate elsewhere; `tell` takes what came of it.

        The rules are those of a search: what is over budget is told so to the sampler and never returned, and no
        architecture is returned twice by one `Study`. Several may be open at a time. A `Study` opened anew, after a
        crash or in another process, returns the open ones first. It is for who asks to decide how often: the limits of
        the study are those of `search`.

        Raises:
            BudgetError: no new candidate within budget was found for too long.
            StudyError: another process drives the study, or its candidates are trained by `search`.
        """
        with Ledger.open(self.storage, create=False) as ledger:
            number = told.ask(ledger, self.storage, self.name, settings=self._here, but=self._open)
            trial = next(one for one in ledger.trials(self.name, [TrialState.QUEUED]) if one.number == number)
        self._open.add(trial.architecture_id)
        return trial_row(trial, self.name, self.storage)

    def tell(self, candidate: Row, *, accuracy: float | None = None, failure: str | None = None) -> None:
        """What came of a candidate: its accuracy, or why it has none.

        Args:
            candidate: as `ask` returned it.
            accuracy: in [0, 1].
            failure: instead: `diverged`, `out_of_memory`, `data` or `bug`.

        Raises:
            UserError: there is neither or both, or it is no accuracy or failure.
            StudyError: the candidate is not open, another process drives the study, or its candidates are trained.
        """
        if candidate.study != self.name or candidate.storage != self.storage:
            raise StudyError(f"candidate {candidate.id} is of study {candidate.study!r}, not of {self.name!r} here")
        with Ledger.open(self.storage, create=False) as ledger:
            told.tell(
                ledger,
                self.storage,
                self.name,
                candidate.id,
                settings=self._here,
                accuracy=accuracy,
                failure=failure,
            )
        self._open.discard(candidate.id)

    @property
    def _here(self) -> ExecutorSettings:
        return Local().settings(self._workers)

    @property
    def front(self) -> Rows:
        """The candidates that no other beats, by FLOPs; of the highest rung that any has reached."""
        with Ledger.read(self.storage) as ledger:
            definition, trials = searched_study(ledger, self.name)[1], ledger.trials(self.name)
        rows = evaluated_rows(trials, definition.budget)
        return rows_of(front_rows(rows, definition.objectives.costs), trials, self.name, self.storage)

    @property
    def trials(self) -> Rows:
        """Every trial by its number, with those that were over budget or failed."""
        with Ledger.read(self.storage) as ledger:
            return Rows([trial_row(one, self.name, self.storage) for one in ledger.trials(self.name)])

    @property
    def best(self) -> Row:
        """The most accurate candidate of the highest rung, the cheaper of two equals.

        Raises:
            StudyError: none has an accuracy yet.
        """
        with Ledger.read(self.storage) as ledger:
            definition, trials = searched_study(ledger, self.name)[1], ledger.trials(self.name)
        row = choose(evaluated_rows(trials, definition.budget), self.name, None)
        return rows_of([row], trials, self.name, self.storage)[0]

    def status(self) -> StudyStatus:
        """Who drives the study and how far it is."""
        with Ledger.read(self.storage) as ledger:
            return ledger.status(self.name)
