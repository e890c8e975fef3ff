"""Many searches of tables, in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from nas.search.bench.kept import Kept
from nas.search.bench.run import Outcome, Task, search_table


def search_tables(
    tasks: Sequence[Task], *, kept: Kept, jobs: int, watch: Callable[[int, int], None]
) -> Iterator[Outcome]:
    """Do those searches that are not kept, in `jobs` processes, and keep them.

    Yields all of them, in no order, telling `watch` how many there have been.

    Raises:
        UserError: a table cannot be read, or the kept ones cannot be written.
    """
    done = 0
    watch(done, len(tasks))
    known = {task: kept.get(task) for task in tasks}
    for outcome in known.values():
        if outcome is not None:
            done += 1
            yield outcome
    for outcome in _searched([task for task, outcome in known.items() if outcome is None], jobs):
        kept.add(outcome)
        done += 1
        watch(done, len(tasks))
        yield outcome


def _searched(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from map(search_table, tasks)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(search_table, task) for task in tasks]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():  # else the pool would wait for the searches under way
                child.terminate()
            raise
