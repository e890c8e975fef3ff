"""The local executor against real processes: killed, stopped, crashed, abandoned."""

from __future__ import annotations

import importlib
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from executor_works import SCRIPT_PATH, HoldingLock, job, work

from nas.errors import NasError
from nas.executors import Finished, LocalExecutor, Report, Work
from nas.executors.channel import Channel
from nas.records import Evaluation, Failure, Job

PATIENCE = 30.0  # seconds; only a defect takes this long


def start(workers: int = 2, threads: int = 1, hang_seconds: float = 60.0) -> LocalExecutor:
    return LocalExecutor(work, workers=workers, threads=threads, preload=("executor_works",), hang_seconds=hang_seconds)


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    with start() as executor:
        yield executor


def one(executor: LocalExecutor) -> Finished:
    """The next job that ends, which must be the only one."""
    (finished,) = executor.completed(PATIENCE)
    return finished


def outcome(executor: LocalExecutor, do: str, **details: object) -> Evaluation:
    executor.submit(job("a", do, **details))
    return one(executor).evaluation


def children(pid: int) -> set[int]:
    """The living child processes of a process."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (state := process_state(int(entry.name))) and state[1] == pid and state[0] != "Z":
            found.add(int(entry.name))
    return found


def process_state(pid: int) -> tuple[str, int] | None:
    """State letter and parent of a process, if there is one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1])


def is_alive(pid: int) -> bool:
    state = process_state(pid)
    return state is not None and state[0] != "Z"


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return holds


def server_of(executor: LocalExecutor) -> int:
    return executor._server._process.pid


def unread(channel: Channel) -> bytes:
    """What a worker has sent that the driver has not read."""
    with socket.socket(fileno=os.dup(channel.fileno())) as ours:
        try:
            return ours.recv(1 << 20, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""


def when_ready(executor: LocalExecutor) -> LocalExecutor:
    """The executor once all its workers wait for a job."""
    for i in range(executor.workers):
        executor.submit(job(f"warm-up {i}", seconds=0.05))
    while executor.progress():
        executor.completed(PATIENCE)
    return executor


# A worker that ends.


@pytest.mark.parametrize(
    ("do", "details", "ending"),
    [
        ("die", {}, "killed by SIGKILL"),
        ("die", {"number": signal.SIGTERM}, "killed by SIGTERM"),
        ("segfault", {}, "killed by SIGSEGV"),
        ("say_and_exit", {"text": "oh no", "code": 7}, "exited with code 7"),
        ("send_half", {"number": signal.SIGKILL}, "killed by SIGKILL"),
        ("leave_child", {"seconds": 2.0}, "killed by SIGKILL"),
        ("hang_up", {}, "killed by SIGKILL"),
    ],
)
def test_every_way_to_lose_a_worker_is_named(
    executor: LocalExecutor, do: str, details: dict[str, object], ending: str
) -> None:
    evaluation = outcome(executor, do, **details)
    assert evaluation.failure is Failure.NODE_LOST
    assert ending in evaluation.message
    assert evaluation.worker
    assert outcome(executor, "sleep").succeeded


def test_last_words_of_a_lost_worker_are_kept(executor: LocalExecutor) -> None:
    assert outcome(executor, "say_and_exit", text="oh no", code=7).traceback == "oh no"
    assert "Fatal Python error: Segmentation fault" in outcome(executor, "segfault").traceback


def test_output_of_workers_does_not_reach_the_terminal(
    executor: LocalExecutor, capfd: pytest.CaptureFixture[str]
) -> None:
    assert outcome(executor, "streams").succeeded
    assert capfd.readouterr() == ("", "")


def test_a_stopped_worker_with_half_a_message_sent_holds_nobody_up(executor: LocalExecutor) -> None:
    executor.submit(job("stuck", "send_half", number=signal.SIGSTOP))
    for i in range(5):
        executor.submit(job(f"{i}", seconds=0.02))
        assert one(executor).job_id == f"{i}"
    executor.cancel("stuck")
    executor.submit(job("stuck"))
    assert one(executor).evaluation.succeeded


def test_a_stopped_worker_does_not_hold_up_a_large_job(executor: LocalExecutor) -> None:
    for pid in children(server_of(when_ready(executor))):
        os.kill(pid, signal.SIGSTOP)
    executor.submit(job("a", "measure", text="x" * 5_000_000))
    assert executor.completed(0.05) == []
    for pid in children(server_of(executor)):
        os.kill(pid, signal.SIGKILL)  # with half of the job received
    assert one(executor).evaluation.failure is Failure.NODE_LOST


def test_idle_workers_are_replaced_in_silence(executor: LocalExecutor) -> None:
    before = children(server_of(when_ready(executor)))
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: executor.completed(0.0) == [] and len(children(server_of(executor)) - before) == 2)
    assert outcome(executor, "sleep").succeeded


def test_the_fork_server_is_replaced_with_all_its_workers(executor: LocalExecutor) -> None:
    first = server_of(when_ready(executor))
    workers = children(first)
    executor.submit(job("a", seconds=60))
    executor.submit(job("b", seconds=60))
    os.kill(first, signal.SIGKILL)
    lost = executor.completed(PATIENCE)
    assert {finished.job_id for finished in lost} == {"a", "b"}
    assert {finished.evaluation.failure for finished in lost} == {Failure.NODE_LOST}
    assert outcome(executor, "sleep").succeeded
    assert until(lambda: not any(map(is_alive, workers)))
    assert server_of(executor) != first


def test_a_result_sent_before_the_end_counts(executor: LocalExecutor) -> None:
    workers = children(server_of(when_ready(executor)))
    executor.submit(job("a"))
    executor.submit(job("b"))
    channels = [slot.worker.channel for slot in executor._slots]
    assert until(lambda: all(b'"done"' in unread(channel) for channel in channels))
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: not any(map(is_alive, workers)))
    finished = executor.completed(PATIENCE)
    assert sorted(one.job_id for one in finished) == ["a", "b"]
    assert all(one.evaluation.succeeded for one in finished)


def test_a_worker_stays_for_many_jobs_and_a_cancelled_one_goes() -> None:
    with start(workers=1) as executor:
        first = outcome(executor, "where").images
        assert outcome(executor, "where").images == first
        executor.submit(job("b", seconds=60))
        executor.completed(0.0)
        executor.cancel("b")
        assert until(lambda: not is_alive(first))
        assert outcome(executor, "where").images != first


# A worker that is stuck.


@pytest.mark.parametrize(
    ("do", "words"),
    [
        ("hold_lock", "said nothing for 1.5 s"),
        pytest.param("sleep", "said nothing for 1.5 s", marks=pytest.mark.slow),
        pytest.param("stall", "made no progress for", marks=pytest.mark.slow),
    ],
)
def test_a_stuck_worker_is_noticed_by_its_silence_and_replaced(tmp_path: Path, do: str, words: str) -> None:
    begun = tmp_path / "begun"
    with start(workers=1, hang_seconds=1.5) as executor:
        first = outcome(executor, "where").images
        assert first is not None
        executor.submit(job("b", do, started=str(begun), **({"seconds": 60.0} if do == "sleep" else {})))
        assert until(begun.exists)
        if do == "sleep":
            os.kill(first, signal.SIGSTOP)
        lost = one(executor).evaluation
        assert lost.failure is Failure.NODE_LOST
        assert words in lost.message
        assert lost.worker.endswith(f":{first}")
        assert outcome(executor, "where").images != first
        assert not is_alive(first)


@pytest.mark.slow
def test_a_worker_that_hangs_before_its_first_word_is_replaced(tmp_path: Path) -> None:
    holding = HoldingLock(tmp_path / "first")
    with LocalExecutor(
        partial(work, extra=holding), workers=1, preload=("executor_works",), hang_seconds=1.5
    ) as executor:
        assert outcome(executor, "sleep").weights == str(tmp_path / "first")


def test_a_server_that_never_gets_ready_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "endless.py").write_text(
        "import collections, itertools\ncollections.deque(itertools.repeat(0), maxlen=0)"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("nas.executors.local.LOADING_SECONDS", 1.0)
    with LocalExecutor(work, workers=1, preload=("endless",)) as executor:
        executor.submit(job("a"))
        with pytest.raises(NasError, match="was still importing endless after 1"):
            executor.completed(PATIENCE)


@pytest.mark.parametrize(
    ("do", "details"),
    [
        ("sleep", {"seconds": 8.0}),  # a work that never reports is asked for its pulse only
        ("step_at_a_pace", {"pauses": [8.0]}),  # a first step
        ("step_at_a_pace", {"pauses": [5.0, 5.0, 9.0]}),  # no longer than one may expect
    ],
)
@pytest.mark.slow
def test_a_work_that_is_slow_is_not_stuck(do: str, details: dict[str, object]) -> None:
    with start(workers=1, hang_seconds=3.0) as executor:
        assert outcome(executor, do, **details).succeeded


@pytest.mark.slow
def test_a_driver_that_does_not_listen_finds_nobody_stuck() -> None:
    with start(workers=1, hang_seconds=3.0) as executor:
        executor.submit(job("a", seconds=8.0))
        executor.completed(0.5)
        time.sleep(7.0)
        assert one(executor).evaluation.succeeded


@pytest.mark.slow
def test_a_server_that_is_stopped_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.executors.local._KILL_SECONDS", 1.0)
    with start(workers=1, hang_seconds=1.0) as executor:
        first = outcome(executor, "where").images
        assert first is not None
        executor.submit(job("b", seconds=60.0))
        executor.completed(0.2)
        os.kill(server_of(executor), signal.SIGSTOP)
        os.kill(first, signal.SIGKILL)
        assert one(executor).evaluation.failure is Failure.NODE_LOST
        assert outcome(executor, "sleep").succeeded


# Progress, threads.


def test_reports_never_wait_for_the_driver(executor: LocalExecutor) -> None:
    assert outcome(executor, "chatter", times=200_000).succeeded


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 3])
def test_torch_has_the_threads_it_was_given(threads: int) -> None:
    with LocalExecutor(work, workers=1, threads=threads, preload=("torch",)) as executor:
        assert outcome(executor, "torch_threads").images == threads


def test_the_driver_needs_no_torch() -> None:
    code = "import sys, nas.executors; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=script_environment(), check=False).returncode == 0


# Workers that cannot start.


def test_a_module_that_cannot_be_preloaded_is_reported() -> None:
    with LocalExecutor(work, preload=("no_such_module_anywhere",)) as executor:
        executor.submit(job("a"))
        for _ in range(2):
            with pytest.raises(NasError, match="No module named 'no_such_module_anywhere'"):
                executor.completed(PATIENCE)


def test_work_that_only_the_driver_can_import_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "vanishing_work.py"
    module.write_text("def work(job, *, report):\n    return None\n")
    monkeypatch.syspath_prepend(tmp_path)
    vanishing = importlib.import_module("vanishing_work").work
    module.unlink()
    with LocalExecutor(vanishing, preload=()) as executor:
        executor.submit(job("a"))
        with pytest.raises(NasError, match=r"(?s)[5-9] in a row .* exited with code 1 .*vanishing_work"):
            executor.completed(PATIENCE)
        executor.cancel("a")


@pytest.mark.parametrize("wrap", [lambda work: work, partial])
def test_work_without_an_importable_name_is_refused(wrap: Callable[[Work], Work]) -> None:
    def local(job: Job, /, *, report: Report) -> Evaluation:
        raise NotImplementedError

    with pytest.raises(ValueError, match="top level of a module"):
        LocalExecutor(wrap(local))


def test_work_may_have_arguments_of_its_own() -> None:
    with LocalExecutor(partial(work, extra=Path("somewhere")), preload=()) as executor:
        assert outcome(executor, "sleep").weights == "somewhere"


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"threads": 0}])
def test_numbers_must_be_positive(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LocalExecutor(work, **wrong)


# Nothing stays behind.


@pytest.mark.slow
def test_nothing_leaks_over_many_lives() -> None:
    def live() -> None:
        with start() as executor:
            executor.submit(job("a", seconds=60))
            executor.submit(job("b"))
            assert one(executor).job_id == "b"
            executor.cancel("a")

    live()
    descriptors, processes = len(os.listdir("/proc/self/fd")), children(os.getpid())
    for _ in range(10):
        live()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert children(os.getpid()) == processes


@pytest.mark.slow
def test_replacing_workers_leaks_nothing(executor: LocalExecutor) -> None:
    when_ready(executor)

    def descriptors() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{server_of(executor)}/fd"))

    before = descriptors()
    for _ in range(20):
        assert outcome(executor, "die").failure is Failure.NODE_LOST
    when_ready(executor)
    assert descriptors() == before
    assert len(children(server_of(executor))) == 2


def test_close_is_not_held_up_by_native_code(executor: LocalExecutor, tmp_path: Path) -> None:
    executor.submit(job("a", "hold_lock", started=str(tmp_path / "started")))
    assert until(lambda: bool(executor.completed(0.0)) or (tmp_path / "started").exists())
    server = server_of(executor)
    everyone = {server, *children(server)}
    executor.close()
    assert not any(map(is_alive, everyone))


def test_close_before_anything_is_loaded() -> None:
    executor = LocalExecutor(work, preload=("torch",))
    server = server_of(executor)
    executor.close()
    assert not is_alive(server)


# The driver as a program of its own.


def script_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": SCRIPT_PATH, "PYTHONWARNINGS": "error"}


def script(body: str) -> str:
    """A main program without a guard that leaves a mark every time it is run."""
    head = """
        import os, signal, sys, time
        with open("mark", "a") as file:
            file.write("x")
        from executor_works import SCRIPT_PATH, HoldingLock, job, work
        from nas.executors import LocalExecutor
    """
    return textwrap.dedent(head) + textwrap.dedent(body)


ONE_JOB = """
    with LocalExecutor(work, workers=2, preload=("executor_works",)) as executor:
        executor.submit(job("a"))
        (finished,) = executor.completed(30)
        print(finished.evaluation.accuracy)
"""


@pytest.mark.parametrize(
    "how", ["file", *(pytest.param(one, marks=pytest.mark.slow) for one in ("stdin", "module", "command"))]
)
def test_the_main_program_is_not_run_in_workers(how: str, tmp_path: Path) -> None:
    program = script(ONE_JOB)
    (tmp_path / "program.py").write_text(program)
    arguments = {"file": ["program.py"], "stdin": ["-"], "module": ["-m", "program"], "command": ["-c", program]}
    done = subprocess.run(
        [sys.executable, *arguments[how]],
        cwd=tmp_path,
        env=script_environment(),
        input=program if how == "stdin" else "",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("1.0\n", "", 0)
    assert (tmp_path / "mark").read_text() == "x"


def test_work_of_the_main_program_is_refused(tmp_path: Path) -> None:
    program = script("def mine(job, *, report): ...\nLocalExecutor(mine)\n")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=script_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ValueError: workers cannot import 'mine' from the main program" in done.stderr


def test_ctrl_c_is_the_drivers_alone(tmp_path: Path) -> None:
    body = """
        interrupts = []
        signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
        with LocalExecutor(work, workers=2, preload=("executor_works",)) as executor:
            os.killpg(0, signal.SIGINT)  # the server is just starting
            executor.submit(job("a", started="started", seconds=0.2))
            while not os.path.exists("started"):
                executor.completed(0.01)
            os.killpg(0, signal.SIGINT)  # at work
            (finished,) = executor.completed(30)
            print(finished.evaluation.accuracy, len(interrupts))
    """
    done = subprocess.run(
        [sys.executable, "-c", script(body)],
        cwd=tmp_path,
        env=script_environment(),
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("1.0 2\n", "", 0)


@pytest.mark.parametrize(
    "moment", ["idle", *(pytest.param(one, marks=pytest.mark.slow) for one in ("loading", "native code", "forked"))]
)
def test_nobody_survives_a_killed_driver(moment: str, tmp_path: Path) -> None:
    waiting = """
        executor = LocalExecutor(work, preload=())
        executor.submit(job("a", "hold_lock", started="on"))
        while not os.path.exists("on"):
            executor.completed(0.01)
    """
    forking = "if os.fork() == 0: time.sleep(10); os._exit(0)"  # holds the driver's ends of all sockets
    bodies = {
        "loading": 'executor = LocalExecutor(work, preload=("torch",))',
        "idle": 'executor = LocalExecutor(work, preload=()); executor.submit(job("a")); executor.completed(30)',
        "native code": textwrap.dedent(waiting),
        "forked": textwrap.dedent(waiting) + forking,
    }
    driver = subprocess.Popen(
        [sys.executable, "-c", script(bodies[moment] + '\nprint("on", flush=True)\ntime.sleep(60)')],
        cwd=tmp_path,
        env=script_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "on\n"
        (server,) = {pid for pid in children(driver.pid) if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()}
        bystanders = children(driver.pid) - {server}
        family = {server, *children(server)}
        assert len(bystanders) == (moment == "forked")
        assert len(family) > (moment != "loading")
        driver.kill()
    # What is being imported is imported to its end.
    gone = until(lambda: not any(map(is_alive, family)), seconds=PATIENCE if moment == "loading" else 3.0)
    for pid in bystanders:
        os.kill(pid, signal.SIGKILL)
    assert gone


@pytest.mark.slow
def test_two_hundred_kills_lose_no_job() -> None:
    """Kill a random worker every few milliseconds, whatever it does, while jobs of a few milliseconds run."""
    rng = random.Random(0)
    total, kills = 400, 0
    waiting, succeeded = [f"job {i}" for i in range(total)], []
    with start() as executor:
        while len(succeeded) < total:
            while waiting and executor.capacity:
                executor.submit(job(waiting.pop(), seconds=rng.uniform(0.0, 0.02)))
            if kills < 200 and (victims := children(server_of(executor))):
                with suppress(ProcessLookupError):  # the one before it was on its way out
                    os.kill(rng.choice(sorted(victims)), signal.SIGKILL)
                    kills += 1
            for finished in executor.completed(rng.uniform(0.0, 0.02)):
                if finished.evaluation.succeeded:
                    succeeded.append(finished.job_id)
                else:
                    assert finished.evaluation.failure is Failure.NODE_LOST
                    waiting.append(finished.job_id)
    assert kills == 200
    assert sorted(succeeded) == sorted(f"job {i}" for i in range(total))
