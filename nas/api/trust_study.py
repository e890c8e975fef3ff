"""How far a proxy's ranking can be trusted, from Python; `nas trust` is its face on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nas.api.progress import ProgressBar
from nas.api.workers import Local, Ray
from nas.cost import Budget
from nas.data import describe, load_data
from nas.evaluate.zerocost import scores
from nas.evaluate.zerocost.study import study_scores
from nas.executors.settings import RAY, ExecutorSettings
from nas.ledger import DEFAULT_STORAGE, Ledger
from nas.ledger.address import storage_url
from nas.report.trust import TrustReport, trust_report
from nas.search.artifacts import checkpoints_place
from nas.search.definition import DEFAULT_DATA
from nas.search.images import decode_images, images_of
from nas.search.launch import resolve_device
from nas.search.sweeps.run import run_sweep
from nas.search.sweeps.sweep_run import SweepRun
from nas.search.sweeps.trust import TrustPlan, default_name, plan_trust
from nas.space import SearchSpace, load_space
from nas.train.checkpoint import require_place
from nas.train.recipe import Recipe, load_recipe


def trust(
    space: SearchSpace | str,
    *,
    budget: str | list[str] | None = None,
    name: str | None = None,
    data: str = DEFAULT_DATA,
    recipe: Recipe | str = "proxy_fast",
    reference: Recipe | str = "proxy_faithful",
    architectures: int = 24,
    seeds: int = 3,
    seed: int = 0,
    resolution: int | None = None,
    classes: int | None = None,
    storage: str = DEFAULT_STORAGE,
    executor: Local | Ray | None = None,
    checkpoints: str | None = None,
    quiet: bool = False,
) -> TrustReport:
    """Draw architectures, train them by a proxy and by a longer recipe, and compare the rankings.

    The same call goes on after an interruption, and may ask for more architectures or seeds.

    Args:
        space: where architectures are from: a space, its file or name.
        budget: limits such as `30MFLOPs`, one or several.
        name: of the study; None for one from space and budget.
        data: the data set.
        recipe: the proxy to judge, rung by rung: a recipe, its name or file.
        reference: the longer recipe whose end it is judged by.
        architectures: how many to draw.
        seeds: trainings of each by either recipe.
        seed: of the draw.
        resolution: side of the images that costs are for; None for the space's own.
        classes: outputs of the classifier that costs are for; None likewise.
        storage: the ledger, by its file or its address.
        executor: who trains; None for the processes of this machine.
        checkpoints: folder or URL for trainings put aside between rungs, shared by all machines that train.
        quiet: show nothing.

    Returns:
        A row for every rung, zero-cost score and trivial ranking, with Kendall's tau and its interval.

    Raises:
        UserError: something named does not exist, or both recipes are the same.
        BudgetError: nothing, or not enough, in the space is within budget.
        DataError: the data cannot be used.
        StudyError: a study of that name judges something else, or another process drives it.
        NasError: too few architectures have all of their trainings.
    """
    storage = storage_url(storage)
    settings = (executor or Local()).settings()
    with ProgressBar(quiet=quiet) as bar:
        plan = trust_plan(
            space if isinstance(space, SearchSpace) else load_space(space),
            budget,
            name=name,
            data=data,
            recipe=recipe,
            reference=reference,
            architectures=architectures,
            seeds=seeds,
            seed=seed,
            resolution=resolution,
            classes=classes,
            progress=bar.count,
        )
        place = require_aside(checkpoints, storage, plan.name)
        with Ledger.open(storage, notify=bar.say) as ledger:
            sweep = plan.sweep(place)
            for one in images_of(sweep.fingerprint, *sweep.recipes):
                decode_images(sweep.data, one.resolution, expected=sweep.fingerprint, progress=bar.count, note=bar.note)
            source = SweepRun(sweep, ledger)
            run_sweep(source, plan.to_dict(), settings, watch=bar.update, listen=lambda pulse: None, say=bar.say)
            return judged(plan, ledger, settings, watch=lambda done, of: bar.fraction("zero-cost scores", done / of))


def trust_plan(
    space: SearchSpace,
    budget: str | list[str] | None,
    *,
    name: str | None,
    data: str,
    recipe: Recipe | str,
    reference: Recipe | str,
    architectures: int,
    seeds: int,
    seed: int,
    resolution: int | None,
    classes: int | None,
    progress: Callable[[int, int], None],
) -> TrustPlan:
    """What `trust` is going to do, checked before anything is paid for; arguments and errors are its own."""
    limits = Budget.parse(budget)
    said = {"resolution": resolution, "classes": classes}
    return plan_trust(
        space,
        limits,
        name=name or default_name(space, limits),
        task=replace(space.task, **{word: value for word, value in said.items() if value is not None}),
        data=describe(data, progress=progress),
        proxy=recipe if isinstance(recipe, Recipe) else load_recipe(recipe),
        reference=reference if isinstance(reference, Recipe) else load_recipe(reference),
        architectures=architectures,
        seeds=seeds,
        seed=seed,
    )


def require_aside(checkpoints: str | None, storage: str, study: str) -> str:
    """Where a study's trainings are put aside; raises UserError where nothing can be."""
    place = checkpoints_place(checkpoints, storage, study)
    require_place(place)
    return place


def judged(
    plan: TrustPlan, ledger: Ledger, settings: ExecutorSettings, *, watch: Callable[[int, int], None]
) -> TrustReport:
    """The report of a plan whose trainings are done; the zero-cost scores that are missing are computed here.

    Args:
        plan: what was trained.
        ledger: where its study is.
        settings: who trained.
        watch: told how many architectures are scored, of how many.

    Raises:
        NasError: too few architectures have all of their trainings.
    """
    data = load_data(plan.data, resolution=plan.proxy.stored_resolution, expected=plan.fingerprint)
    scored = study_scores(
        plan.name,
        plan.architectures,
        data,
        plan.proxy,
        ledger,
        names=tuple(scores),
        seeds=plan.seeds,
        device=resolve_device("auto") if settings.kind == RAY else settings.device,
        watch=watch,
    )
    return trust_report(plan, ledger.trials(plan.name), scored)
