"""Workers on Ray against real processes: killed, stopped, of other code, and with nodes that come and go."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from executor_works import SCRIPT_PATH, HoldingLock, job, work, work_on_device

import nas
from nas.architecture import Architecture, Stage
from nas.data import fingerprint, load_data
from nas.errors import NasError, UserError
from nas.evaluate.proxy import evaluate
from nas.executors import Executor, LocalExecutor, RayExecutor
from nas.executors.image_transfer import Decoded
from nas.records import Evaluation, EvaluationKey, Failure, Job
from nas.train import Recipe

pytestmark = [pytest.mark.ray, pytest.mark.slow]

PATIENCE = 60.0  # seconds; only a defect takes this long
STARTS = 300.0  # the same where a worker has a minute for its start, and another one starts then
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster whose first node has eight imagined cores and two imagined GPUs; nobody here is connected to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", SCRIPT_PATH)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 8, "num_gpus": 2})
        try:
            yield cluster
        finally:
            cluster.shutdown()


@pytest.fixture
def start(cluster: Any, tmp_path: Path) -> Iterator[Callable[..., RayExecutor]]:
    """Starts an executor on the cluster; it is closed at the end."""
    started: list[RayExecutor] = []

    def start(workers: int = 2, given: Any = work, **options: Any) -> RayExecutor:
        options = {"cpus_per_worker": 0.5, "log": tmp_path / "ray.log", **options}
        started.append(RayExecutor(given, workers=workers, address=cluster.address, **options))
        return started[-1]

    yield start
    for executor in started:
        executor.close()


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return holds


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def outcome(executor: Executor, do: str, patience: float = PATIENCE, **details: object) -> Evaluation:
    """What comes of the only job under way."""
    executor.submit(job("a", do, **details))
    (finished,) = executor.completed(patience)
    return finished.evaluation


def worker_of(executor: Executor) -> int:
    """The process that does the next job."""
    evaluation = outcome(executor, "where")
    assert evaluation.succeeded, evaluation
    return evaluation.images


def finish_all(executor: Executor) -> dict[str, Evaluation]:
    """The evaluations of all that is under way, by job id."""
    found: dict[str, Evaluation] = {}
    while executor.progress():
        for finished in executor.completed(PATIENCE):
            assert finished.job_id not in found
            found[finished.job_id] = finished.evaluation
    return found


def begin(executor: Executor, name: str, mark: Path, seconds: float = 60.0, do: str = "sleep") -> None:
    """Submit a job and wait until its worker is at it."""
    details = {"seconds": seconds} if do == "sleep" else {}
    executor.submit(job(name, do, started=str(mark), **details))
    assert until(lambda: bool(executor.completed(0.0)) or mark.exists())


# A worker that ends or hangs.


def test_a_worker_killed_at_work_costs_its_job_and_is_replaced(
    start: Callable[..., RayExecutor], tmp_path: Path
) -> None:
    executor = start(workers=1)
    pid = worker_of(executor)
    assert worker_of(executor) == pid  # a worker stays for many jobs
    begin(executor, "b", tmp_path / "begun")
    os.kill(pid, signal.SIGKILL)
    lost = finish_all(executor)["b"]
    assert (lost.failure, lost.key) == (Failure.NODE_LOST, job("b").key)
    assert lost.worker.endswith(f":{pid}")
    assert "process has died" in lost.traceback
    assert worker_of(executor) != pid


def test_an_idle_worker_is_replaced_in_silence(start: Callable[..., RayExecutor]) -> None:
    executor = start(workers=1)
    pid = worker_of(executor)
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not is_alive(pid))
    assert until(lambda: executor.completed(0.0) == [] and not executor._idle)
    assert outcome(executor, "sleep").succeeded


def test_a_result_sent_before_the_end_counts(start: Callable[..., RayExecutor]) -> None:
    executor = start(workers=1)
    pid = worker_of(executor)
    executor.submit(job("b"))
    time.sleep(1.0)  # the result has arrived, unread
    os.kill(pid, signal.SIGKILL)
    time.sleep(1.0)  # so has the news of the end
    assert finish_all(executor)["b"].succeeded


@pytest.mark.parametrize(
    ("do", "words"),
    [("stop", "said nothing for 3.0 s"), ("hold_lock", "said nothing for 3.0 s"), ("stall", "made no progress for")],
)
def test_a_worker_that_hangs_is_replaced(
    start: Callable[..., RayExecutor], tmp_path: Path, do: str, words: str
) -> None:
    executor = start(workers=1, hang_seconds=3.0)
    pid = worker_of(executor)
    begin(executor, "b", tmp_path / "begun", do="sleep" if do == "stop" else do)
    if do == "stop":
        os.kill(pid, signal.SIGSTOP)
    lost = finish_all(executor)["b"]
    assert lost.failure is Failure.NODE_LOST
    assert words in lost.message
    assert worker_of(executor) != pid
    assert until(lambda: not is_alive(pid))  # Ray waits five seconds before it uses force


def test_a_worker_that_hangs_before_its_first_word_is_replaced(
    start: Callable[..., RayExecutor], tmp_path: Path
) -> None:
    holding = HoldingLock(tmp_path / "first")
    executor = start(workers=1, given=partial(work, extra=holding), hang_seconds=3.0)
    assert outcome(executor, "sleep", STARTS).weights == str(tmp_path / "first")


@pytest.fixture
def first_born(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], Path]:
    """Has the first worker do something in its constructor, before it can be heard of; its process id is in a file."""
    from nas.executors import ray_cluster

    def have(do: Callable[[], object]) -> Path:
        mark = tmp_path / "first born"

        class FirstBorn(ray_cluster.CoreActor):
            def __init__(self, pickled_work: bytes, *, threads: int) -> None:
                if not mark.exists():
                    mark.write_text(str(os.getpid()))
                    do()
                super().__init__(pickled_work, threads=threads)

        monkeypatch.setattr(ray_cluster, "CoreActor", FirstBorn)
        return mark

    return have


def test_a_worker_that_is_stopped_in_its_constructor_is_replaced(
    start: Callable[..., RayExecutor], first_born: Callable[[Callable[[], object]], Path]
) -> None:
    mark = first_born(lambda: os.kill(os.getpid(), signal.SIGSTOP))
    found = outcome(start(workers=1, hang_seconds=1.0), "where", STARTS)
    stopped = int(mark.read_text())
    assert found.succeeded
    assert found.images != stopped
    assert until(lambda: not is_alive(stopped))


def test_a_worker_that_takes_its_time_to_start_is_no_hang(
    start: Callable[..., RayExecutor], first_born: Callable[[Callable[[], object]], Path]
) -> None:
    mark = first_born(lambda: time.sleep(8.0))
    assert outcome(start(workers=1, hang_seconds=1.0), "where", STARTS).images == int(mark.read_text())


def test_a_long_job_and_a_driver_that_does_not_listen_are_no_hang(
    start: Callable[..., RayExecutor], tmp_path: Path
) -> None:
    executor = start(workers=1, hang_seconds=3.0)
    begin(executor, "a", tmp_path / "begun", seconds=12.0)
    executor.completed(1.0)
    time.sleep(7.0)
    assert finish_all(executor)["a"].succeeded


def test_many_kills_lose_no_job(start: Callable[..., RayExecutor]) -> None:
    waiting, succeeded, kills = [f"job {i}" for i in range(40)], [], 0
    executor = start()
    while len(succeeded) < 40:
        while waiting and executor.capacity:
            executor.submit(job(waiting.pop(), "where"))
        for finished in executor.completed(PATIENCE):
            if finished.evaluation.succeeded:
                succeeded.append(finished.job_id)
                if len(succeeded) % 5 == 0:
                    kills += 1
                    os.kill(finished.evaluation.images, signal.SIGKILL)  # it may have its next job by now
            else:
                assert finished.evaluation.failure is Failure.NODE_LOST
                waiting.append(finished.job_id)
    assert kills == 8
    assert sorted(succeeded) == sorted(f"job {i}" for i in range(40))


def test_workers_that_cannot_start_are_an_error_with_their_words(
    start: Callable[..., RayExecutor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drivers_own_work.py").write_text("def work(job, *, report):\n    return None\n")
    monkeypatch.syspath_prepend(tmp_path)
    from drivers_own_work import work as own  # type: ignore[import-not-found]

    executor = start(workers=1, given=own)
    executor.submit(job("a"))
    with pytest.raises(NasError, match=r"(?s)5 in a row .*No module named 'drivers_own_work'"):
        executor.completed(PATIENCE)


# Nodes.


def test_workers_come_and_go_with_the_nodes(start: Callable[..., RayExecutor], cluster: Any, tmp_path: Path) -> None:
    nodes = [cluster.add_node(num_cpus=1, resources={"site": 1}) for _ in range(2)]
    executor = start(workers=4, resources={"site": 1})
    assert executor.workers == executor.capacity == 2
    places = {}
    for name in ("a", "b"):
        begin(executor, name, tmp_path / name, seconds=600.0)  # nodes may take a minute to come
    places = {flight.job.id: flight.worker for flight in executor._flights.values()}
    cluster.remove_node(nodes.pop(), allow_graceful=False)
    lost: list[str] = []
    assert until(lambda: bool(lost.extend(one.job_id for one in executor.completed(0.5)) or lost))
    assert len(lost) == 1
    assert until(lambda: executor.completed(0.1) == [] and executor.workers == 1)
    assert executor.capacity == 0
    nodes.append(cluster.add_node(num_cpus=1, resources={"site": 1}))
    assert until(lambda: executor.completed(0.1) == [] and executor.capacity == 1)
    begin(executor, lost[0], tmp_path / "again")
    assert set(executor.progress()) == set(places)
    for name in places:
        executor.cancel(name)
    for node in nodes:
        cluster.remove_node(node, allow_graceful=False)


def test_as_many_workers_as_there_is_room_for(start: Callable[..., RayExecutor], cluster: Any) -> None:
    nodes = [cluster.add_node(num_cpus=1, resources={"field": 1})]
    executor = start(workers=None, most=2, resources={"field": 1})
    assert executor.workers == len(executor._workers) == 1
    nodes += [cluster.add_node(num_cpus=1, resources={"field": 1}) for _ in range(2)]
    assert until(lambda: executor.completed(0.1) == [] and executor.workers == 2)
    assert len(executor._workers) == 2
    for node in nodes:
        cluster.remove_node(node, allow_graceful=False)


def test_images_travel_to_a_node_that_lacks_them(
    start: Callable[..., RayExecutor], cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for home in ("driver", "elsewhere"):
        (tmp_path / home).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "driver"))
    pixels = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=pixels, labels=np.arange(60) % 3)
    data = load_data(f"npz:{tmp_path}/images.npz", resolution=16)
    (tmp_path / "images.npz").unlink()  # the node does not have it either
    node = cluster.add_node(num_cpus=2, resources={"away": 2}, env_vars={"HOME": str(tmp_path / "elsewhere")})
    recipe = Recipe(resolution=16, epochs=1, batch=8)

    def found(name: str, images: Sequence[Decoded]) -> Evaluation:
        executor = start(workers=2, given=evaluate, resources={"away": 1}, images=images)
        architecture = Architecture(stages=(Stage(depth=1, width=8),))
        key = EvaluationKey(architecture_id=architecture.id, recipe=recipe.id, fingerprint=data.fingerprint, seed=0)
        source = f"npz:{tmp_path}/images.npz"
        form, way = architecture.to_dict(), recipe.to_dict()
        executor.submit(Job(id=name, key=key, architecture=form, recipe=way, data=source))
        evaluation = finish_all(executor)[name]
        executor.close()
        return evaluation

    lost = found("a", ())
    assert lost.failure is Failure.DATA
    assert re.search(rf"{tmp_path}/images.npz.*\(on the machine \S+\)", lost.message)
    evaluation = found("b", [Decoded(fingerprint=data.fingerprint, resolution=16)])
    assert evaluation.succeeded, evaluation.traceback
    cluster.remove_node(node, allow_graceful=False)


def test_a_cluster_without_room_is_waited_for_and_then_an_error(start: Callable[..., RayExecutor]) -> None:
    executor = start(resources={"unheard of": 2}, room_seconds=2.0)
    assert (executor.workers, executor.capacity) == (1, 1)
    executor.submit(job("a"))
    assert executor.completed(0.1) == []
    with pytest.raises(NasError, match=r"no node had room for a worker of 0.5 CPU \+ 2 unheard of .* 8 CPU \+ 2 GPU"):
        executor.completed(PATIENCE)


@pytest.fixture
def other(cluster: Any) -> Iterator[Callable[[], None]]:
    """Somebody else who uses the only place of a node; the call ends that."""
    script = """
        import sys, ray
        ray.init(address=sys.argv[1], log_to_driver=False)
        @ray.remote(num_cpus=1, resources={"seat": 1})
        class Other:
            def sit(self): pass
        other = Other.remote()
        ray.get(other.sit.remote())
        print("seated", flush=True)
        sys.stdin.read()
    """
    node = cluster.add_node(num_cpus=1, resources={"seat": 1})
    command = [sys.executable, "-c", textwrap.dedent(script), cluster.address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "seated\n"
        yield lambda: process.communicate() and None
        process.kill()
    cluster.remove_node(node, allow_graceful=False)


def test_who_has_the_room_is_said_until_it_is_free(
    start: Callable[..., RayExecutor], other: Callable[[], None]
) -> None:
    executor = start(workers=1, cpus_per_worker=1.0, resources={"seat": 1}, hang_seconds=1.0)
    (worker,) = executor._workers
    executor.submit(job("a", "where"))
    assert until(lambda: executor.completed(0.1) == [] and bool(executor.shortage()))
    assert "all room for one of 1 CPU + 1 seat is in use by others (" in executor.shortage()
    other()
    assert [one.job_id for one in executor.completed(PATIENCE)] == ["a"]
    assert executor._workers == {worker}  # one that waits for room is not ended for its silence
    assert executor.shortage() == ""


def test_a_worker_without_a_job_gives_its_place_back(start: Callable[..., RayExecutor], cluster: Any) -> None:
    node = cluster.add_node(num_cpus=1, resources={"bench": 1})
    one, two = (start(workers=1, resources={"bench": 1}, idle_seconds=2.0) for _ in range(2))
    first = worker_of(one)
    two.submit(job("b", "where"))  # it has no place before the other one's worker has gone
    assert until(lambda: one.completed(0.1) == [] and not one._workers)
    assert (one.workers, one.capacity, one.shortage()) == (1, 1, "")
    assert [found.job_id for found in two.completed(PATIENCE)] == ["b"]
    assert until(lambda: two.completed(0.1) == [] and not two._workers)
    assert worker_of(one) != first
    cluster.remove_node(node, allow_graceful=False)


def test_a_head_that_is_gone_ends_it_with_one_message(tmp_path: Path) -> None:
    script = """
        import os, signal
        from executor_works import job, work
        from ray.cluster_utils import Cluster
        from nas.errors import NasError
        from nas.executors import RayExecutor
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        (head,) = cluster.head_node.all_processes["gcs_server"]
        executor = RayExecutor(work, workers=1, address=cluster.address)
        executor.submit(job("a", "where"))
        (finished,) = executor.completed(60)
        executor.submit(job("b", "sleep", seconds=600))
        head.process.kill()
        try:
            executor.completed(55)
        except NasError as error:
            print(error)
        executor.close()
        print("closed")
        os._exit(0)  # the cluster's own processes end with it
    """
    done = run(script, folder=tmp_path)
    assert "has not answered for 30 s; it has ended, or cannot be reached any more" in done.stdout, done.stderr
    assert done.stdout.endswith("closed\n")


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_worker_that_nobody_asks_for_ends(tmp_path: Path, is_asked: bool) -> None:
    script = f"""
        import time
        from nas.executors import ray_actor
        ray_actor.ORPHANED_SECONDS, ray_actor._LOOK_SECONDS = 1.0, 0.1
        actor = ray_actor.CoreActor(b"", threads=1)
        for _ in range(20):
            actor.pulse(0.1) if {is_asked} else time.sleep(0.1)
        print("there")
    """
    done = run(script, folder=tmp_path)
    assert (done.returncode, done.stdout) == ((0, "there\n") if is_asked else (1, "")), done.stderr


def test_eight_workers_share_two_gpus(start: Callable[..., RayExecutor], tmp_path: Path) -> None:
    executor = start(workers=8, gpus_per_worker=0.25)
    for i in range(8):
        executor.submit(job(str(i), "meet", folder=str(tmp_path), guests=9))  # `ray.log` is there as well
    found = finish_all(executor).values()
    assert len({evaluation.images for evaluation in found}) == 8
    assert Counter(evaluation.message for evaluation in found) == {"0": 4, "1": 4}


def test_a_ninth_worker_has_to_wait_for_a_gpu(start: Callable[..., RayExecutor], tmp_path: Path) -> None:
    executor = start(workers=9, gpus_per_worker=0.25, cpus_per_worker=0.1)
    assert executor.workers == executor.capacity == 8
    for i in range(8):
        executor.submit(job(str(i), "meet", folder=str(tmp_path), guests=9))
    found = finish_all(executor).values()
    assert len({evaluation.images for evaluation in found}) == 8
    assert sum(worker.is_placed for worker in executor._workers) == 8


# What a worker is given.


@pytest.mark.parametrize(("gpus", "device"), [(0.0, "cpu"), (0.5, "cuda")])
def test_work_is_told_the_device(start: Callable[..., RayExecutor], gpus: float, device: str) -> None:
    assert outcome(start(workers=1, given=work_on_device, gpus_per_worker=gpus), "sleep").message == device


def test_work_that_wants_another_device_is_refused() -> None:
    with pytest.raises(UserError, match="on 'cuda', but with this gpus_per_worker its workers have 'cpu'"):
        RayExecutor(partial(work_on_device, device="cuda"))


def test_workers_have_their_threads_and_large_pages(start: Callable[..., RayExecutor]) -> None:
    executor = start(workers=1, cpus_per_worker=2)
    found = outcome(executor, "environment", names=["OMP_NUM_THREADS", "MKL_NUM_THREADS", "GLIBC_TUNABLES"])
    assert found.message == "2 2 glibc.malloc.hugetlb=1"
    assert found.images == 2


def test_a_training_is_the_same_as_in_a_local_process(start: Callable[..., RayExecutor], tmp_path: Path) -> None:
    architecture = Architecture(stages=(Stage(depth=1, width=8), Stage(depth=1, width=16)))
    recipe = Recipe(resolution=16, epochs=1, batch=32, data_share=0.2)
    data = fingerprint("digits", cache=tmp_path)
    key = EvaluationKey(architecture_id=architecture.id, recipe=recipe.id, fingerprint=data, seed=4)
    training = Job(id="a", key=key, architecture=architecture.to_dict(), recipe=recipe.to_dict(), data="digits")
    own = partial(evaluate, cache=tmp_path)

    def result(executor: Executor) -> tuple[object, ...]:
        executor.submit(training)
        found = finish_all(executor)["a"]
        assert found.succeeded, found.traceback
        return found.accuracy, found.loss, found.curve, found.images

    with LocalExecutor(own, workers=1) as local:
        expected = result(local)
    assert result(start(workers=1, given=own, cpus_per_worker=1)) == expected


# Code and addresses.


def script_environment(path: str = SCRIPT_PATH) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": path}


def run(script: str, *arguments: str, path: str = SCRIPT_PATH, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments],
        cwd=folder,
        env=script_environment(path)
        | {"TMPDIR": str(folder), "RAY_TMPDIR": tempfile.gettempdir()},  # short for sockets
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_a_worker_of_other_code_refuses_to_work(cluster: Any, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(Path(nas.__file__).parent, copy / "nas", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "nas" / "units.py").write_text("# edited\n" + (copy / "nas" / "units.py").read_text())
    script = """
        import sys
        from executor_works import SCRIPT_PATH, job, work
        from nas.executors import RayExecutor
        from nas.executors.version import code_version
        from nas.errors import UserError
        print(code_version())
        with RayExecutor(work, address=sys.argv[1]) as executor:
            executor.submit(job("a"))
            try:
                executor.completed(60)
            except UserError as error:
                print(error)
    """
    done = run(script, cluster.address, path=os.pathsep.join([str(copy), str(HERE)]), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    ours, _, message = done.stdout.partition("\n")
    found = re.search(r"the worker \S+ has nas (\S+), this program (\S+); .*same code on every node", message)
    assert found is not None, message
    assert found[2] == ours
    assert found[1] != ours
    assert found[1].startswith(f"{nas.__version__}+")


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "", "a b:1"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="write 'auto' or 'host:port'"):
        RayExecutor(work, address=address)


def test_an_address_where_nobody_listens_is_said_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UserError, match=f"nobody answers at {address}"):
            RayExecutor(work, address=address)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"hang_seconds": 0.0}])
def test_numbers_must_be_positive(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        RayExecutor(work, **wrong)


# The driver as a program of its own.


def test_a_joined_cluster_stays_and_nothing_reaches_the_terminal(
    start: Callable[..., RayExecutor], cluster: Any, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    executor = start(workers=1)
    pid = worker_of(executor)
    assert outcome(executor, "streams").succeeded
    assert outcome(executor, "die").failure is Failure.NODE_LOST
    time.sleep(1.0)  # for Ray to say so
    executor.close()
    assert not is_alive(pid)
    assert capfd.readouterr() == ("", "")
    assert "what the workers write is below" in (tmp_path / "ray.log").read_text()
    assert executor.log_path == tmp_path / "ray.log"
    assert outcome(start(workers=1), "sleep").succeeded  # on the same cluster


@pytest.mark.parametrize("ending", ["well", "a worker lost", "raised"])
def test_what_ray_said_is_kept_if_it_may_matter(
    ending: str, start: Callable[..., RayExecutor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    executor = start(workers=1, log=None)
    (log,) = tmp_path.glob("nas-ray-*.log")
    assert executor.log_path == log
    with suppress(ZeroDivisionError), executor:
        assert outcome(executor, "fail").failure is Failure.BUG  # which is the work's own, and told with its traceback
        if ending == "a worker lost":
            assert outcome(executor, "die").failure is Failure.NODE_LOST
        if ending == "raised":
            raise ZeroDivisionError
    assert executor.log_path == (None if ending == "well" else log)
    assert log.exists() == (ending != "well")


OWN_RAY = """
    import os, signal, sys
    from pathlib import Path
    from executor_works import SCRIPT_PATH, job, work
    from nas.executors import RayExecutor
    interrupts = []
    signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
    with RayExecutor(work, workers=1, cpus_per_worker=0.5, log=Path("log")) as executor:
        executor.submit(job("a", started="begun", seconds=float(sys.argv[1])))
        while not os.path.exists("begun"):
            executor.completed(0.05)
        os.killpg(0, signal.SIGINT)
        (finished,) = executor.completed(60)
        print(finished.evaluation.accuracy, len(interrupts), os.environ["RAY_USAGE_STATS_ENABLED"])
"""


def family_of(pid: int) -> set[int]:
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


def test_a_ray_of_our_own_is_quiet_survives_ctrl_c_and_ends_with_the_executor(tmp_path: Path) -> None:
    done = run(OWN_RAY, "0.5", folder=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("1.0 1 0\n", "", 0)
    folder = re.search(r"below (\S+)/logs", (tmp_path / "log").read_text())
    assert folder is not None
    left = [process for process in psutil.process_iter(["cmdline"]) if folder[1] in " ".join(process.info["cmdline"])]
    assert left == []


def test_a_ray_of_our_own_leaves_nothing_behind(tmp_path: Path) -> None:
    script = """
        import re
        from pathlib import Path
        from executor_works import SCRIPT_PATH, job, work
        from nas.executors import RayExecutor
        with RayExecutor(work, workers=1, cpus_per_worker=0.5) as executor:
            executor.submit(job("a"))
            executor.completed(60)
            log = executor.log_path
            session = Path(re.search(r"below (\\S+)/logs", log.read_text())[1])
            print(log.exists(), session.exists())
        print(log.exists(), session.exists())
    """
    done = run(script, folder=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("True True\nFalse False\n", "", 0)
    assert [*tmp_path.glob("nas-*")] == []


def test_a_machine_without_room_says_so_at_once(tmp_path: Path) -> None:
    script = """
        from executor_works import work
        from nas.errors import UserError
        from nas.executors import RayExecutor
        try:
            RayExecutor(work, cpus_per_worker=100_000)
        except UserError as error:
            print(error)
    """
    done = run(script, folder=tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.startswith("this machine has no room for a worker of 100000 CPU; nodes: ")
    assert [*tmp_path.glob("nas-ray-*")] == []


@pytest.mark.parametrize(("where", "do"), [("own", "hold_lock"), ("joined", "sleep"), ("joined", "hold_lock")])
def test_nobody_survives_a_killed_driver(where: str, do: str, cluster: Any, tmp_path: Path) -> None:
    script = """
        import os, sys
        from executor_works import SCRIPT_PATH, job, work
        from nas.executors import RayExecutor
        address, do = sys.argv[1] or None, sys.argv[2]
        executor = RayExecutor(work, workers=1, cpus_per_worker=0.5, address=address)
        executor.submit(job("a", "where"))
        (finished,) = executor.completed(60)
        assert finished.evaluation.succeeded
        print(finished.evaluation.images, flush=True)
        details = {"seconds": 60} if do == "sleep" else {}
        executor.submit(job("b", do, started=os.path.abspath("begun"), **details))
        executor.completed(60)
    """
    address = cluster.address if where == "joined" else ""
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), address, do],
        cwd=tmp_path,
        env=script_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with driver:
        assert driver.stdout is not None
        worker = int(driver.stdout.readline())
        assert until((tmp_path / "begun").exists)
        family = family_of(driver.pid) | {worker}
        assert len(family) > 3 if where == "own" else len(family) == 1
        driver.kill()
    assert until(lambda: not is_alive(worker))
    assert until(lambda: not any(map(is_alive, family)), seconds=150.0)  # Ray's agents miss their node after a minute
