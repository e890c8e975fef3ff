"""All that we ask of Ray: a connection, the room on its nodes, actors, and what came of their calls."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before Ray is imported: nothing is reported to anybody
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else a warning about a change in later versions

import ray
import ray.exceptions
from ray._private.state import actors, available_resources_per_node  # said nowhere else without Ray's dashboard
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from nas.errors import NasError, UserError
from nas.executors.forkserver import worker_variables
from nas.executors.image_transfer import Decoded, ImageTransfer, pack
from nas.executors.ray_actor import CoreActor
from nas.executors.ray_address import AUTO, require_address
from nas.executors.ray_log import RayLog
from nas.executors.ray_measuring import MeasuringActor
from nas.executors.ray_needs import Needs
from nas.executors.ray_nodes import Amounts, Nodes

Call: TypeAlias = "ray.ObjectRef[Any]"
"""What a call of an actor will have returned."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_BESIDE = "beside"  # the concurrency group of `pulse`


class _Handle:
    """The driver's handle on one actor. Its calls do not wait; each returns the `Call` to wait for.

    Attributes:
        id: of the actor, in the cluster's tables.
    """

    def __init__(self, actor: Any) -> None:
        """Take over an actor."""
        self._actor = actor
        self.id: str = actor._actor_id.hex()

    def kill(self) -> None:
        """End its process, whatever it does; one that has ended is no error."""
        ray.kill(self._actor)


class RayWorker(_Handle):
    """The handle on an actor that trains, a `CoreActor`."""

    def greet(self, version: str, images: Sequence[Decoded]) -> Call:
        """See `CoreActor.greet`."""
        call: Call = self._actor.greet.remote(version, images)
        return call

    def receive(self, transfers: Sequence[ImageTransfer]) -> Call:
        """See `CoreActor.receive`."""
        call: Call = self._actor.receive.remote(transfers)
        return call

    def run(self, request: str) -> Call:
        """See `CoreActor.run`."""
        call: Call = self._actor.run.remote(request)
        return call

    def pulse(self, seconds: float) -> Call:
        """See `CoreActor.pulse`."""
        call: Call = self._actor.pulse.options(concurrency_group=_BESIDE).remote(seconds)
        return call


class MeasuringWorker(_Handle):
    """The handle on the actor that measures, a `MeasuringActor`."""

    def greet(self) -> Call:
        """See `MeasuringActor.greet`."""
        call: Call = self._actor.greet.remote()
        return call

    def answer(self, question: str) -> Call:
        """See `MeasuringActor.answer`."""
        call: Call = self._actor.answer.remote(question)
        return call


class CallFailed(Exception):
    """A call that returned nothing: its worker is gone, or it raised; the message is Ray's own."""


class Cluster:
    """A connection to Ray: the one this process has, one to a running cluster, or one to a Ray of our own.

    What Ray has to say goes to a file. `ray stop` is never called: it would end everybody's.
    """

    def __init__(self, address: str | None, *, log: Path | None = None, variables_for: Needs | None = None) -> None:
        """Connect.

        Args:
            address: `auto` for the cluster this machine belongs to, `host:port` for one given by its head; None for the
                connection this process has already, or else for a Ray of our own on this machine.
            log: the file for what Ray has to say; None for a new one in the temporary folder.
            variables_for: what each worker has, where others than `start` start them; a new connection then gives
                their environment to all of them.

        Raises:
            UserError: no cluster is there, or it is of another version of Ray or Python.
            NasError: a Ray of our own does not start.
        """
        if address is not None:
            require_address(address)
        self._log, self._has_log = RayLog(log), True
        self._session: Path | None = None
        self._is_connected = not ray.is_initialized()  # by us, so that it is ours to end
        self.is_own = self._is_connected and address is None
        try:
            if self._is_connected:
                self._connect(address, None if variables_for is None else self._environment(variables_for))
            elif address not in (None, AUTO, ray.get_runtime_context().gcs_address):
                here = ray.get_runtime_context().gcs_address
                raise UserError(f"this process is connected to the Ray at {here} already, and cannot be to {address}")
            self._log.note(f"connected to the Ray at {ray.get_runtime_context().gcs_address}")
        except BaseException:
            self.close(keep_log=False)
            raise

    @staticmethod
    def is_connected() -> bool:
        """Whether this process has a connection to Ray."""
        return bool(ray.is_initialized())

    @property
    def log_path(self) -> Path | None:
        """The file with what Ray has to say; None once it was removed."""
        return self._log.path if self._has_log else None

    def _connect(self, address: str | None, environment: dict[str, Any] | None) -> None:
        try:
            with _own_termination():
                context: Any = ray.init(
                    address=address or "local",
                    include_dashboard=False if address is None else None,
                    log_to_driver=False,
                    runtime_env=environment,
                )
        except Exception as error:  # Ray has no class for it
            self._log.matters = True
            reason = f"{_first_line(error)}\nThere may be more in {self._log.path}"
            if address is None:
                raise NasError(f"Ray cannot start on this machine: {reason}") from error
            raise UserError(f"cannot join the Ray cluster at {address!r}: {reason}") from error
        self._log.matters = False  # warnings up to here, such as that of Ray's tokens, explain a failure to connect
        self._session = Path(context.address_info["session_dir"])
        self._log.note(f"what the workers write is below {self._session}/logs")

    def _environment(self, needs: Needs) -> dict[str, Any]:
        """What Ray is to give to a worker beside its resources."""
        variables = worker_variables(os.environ, threads=needs.threads)
        if self.is_own:  # the same files are here; nodes of a cluster have their own
            variables["PYTHONPATH"] = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        return {"env_vars": variables}

    @property
    def address(self) -> str:
        """Of the head, `host:port`."""
        return str(ray.get_runtime_context().gcs_address)

    def nodes(self, workers: bool) -> Nodes:
        """What every node that lives has, and, if asked for, which workers have a process.

        A head that is gone is waited for without end.
        """
        alive = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        free = available_resources_per_node()  # type: ignore[no-untyped-call]
        return Nodes(
            [one["Resources"] for one in alive],
            [free.get(one["NodeID"], {}) for one in alive],
            self._started() if workers else frozenset(),
            [one["NodeID"] for one in alive],
        )

    def _started(self) -> frozenset[str]:
        """Ids of the actors of this driver that have a process, which may not have got through their constructor."""
        job = ray.JobID(bytes.fromhex(ray.get_runtime_context().get_job_id()))
        # The head enters a process as soon as it gave one to an actor; until then the actor waits for room.
        tables = [actors(job_id=job, actor_state_name=state) for state in ("PENDING_CREATION", "ALIVE")]
        return frozenset(name for table in tables for name, row in table.items() if row["Pid"])

    def start(self, pickled_work: bytes, needs: Needs) -> RayWorker:
        """Have a worker started as soon as a node has room for it; does not wait.

        Ray itself neither restarts it nor repeats its calls (the default): a job that ends its process would end the
        next one as well, unseen and uncounted. Whoever waits for a call learns of the loss and decides.
        """
        options: dict[str, Any] = {
            "num_cpus": needs.cpus,
            "num_gpus": needs.gpus,
            "resources": dict(needs.resources),
            "max_restarts": 0,
            "max_task_retries": 0,
            "concurrency_groups": {_BESIDE: 1},
            "enable_task_events": False,  # pulses are not worth a place in Ray's records
            "runtime_env": self._environment(needs),
        }
        actor = ray.remote(**options)(CoreActor).remote(pickled_work, threads=needs.threads)
        return RayWorker(actor)

    def start_measuring(self, node: str, has: Amounts, resource: str) -> MeasuringWorker:
        """Have a worker started that has all cores and GPUs of a node, and all of one of its resources; does not wait.

        Args:
            node: its id.
            has: what it has.
            resource: one of its custom resources.
        """
        options: dict[str, Any] = {
            "num_cpus": has.get("CPU", 0),
            "num_gpus": has.get("GPU", 0),
            "resources": {resource: has[resource]},
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
            "max_restarts": 0,
            "max_task_retries": 0,
            "enable_task_events": False,
        }
        return MeasuringWorker(ray.remote(**options)(MeasuringActor).remote())

    def transfer(self, content: Decoded) -> ImageTransfer | None:
        """Images from this machine's cache, put into the object store for as long as the transfer is kept."""
        return pack(content, ray.put)

    def ended(self, calls: Collection[Call], timeout: float) -> list[Call]:
        """Those of the calls that have ended; waits for the first one, `timeout` seconds at most."""
        if not calls:
            time.sleep(timeout)
            return []
        if not ray.wait(list(calls), num_returns=1, timeout=timeout)[0]:
            return []
        return ray.wait(list(calls), num_returns=len(calls), timeout=0)[0]

    def outcome(self, call: Call) -> Any:
        """What a call that has ended returned.

        Raises:
            CallFailed: nothing.
        """
        try:
            return ray.get(call)
        except ray.exceptions.RayError as error:
            raise CallFailed(_COLOURS.sub("", str(error))) from None

    def close(self, *, keep_log: bool = True) -> None:
        """Give up the connection, if it was made here, and with it a Ray of our own; may be called twice.

        Args:
            keep_log: whether what was said may still be of use. If not, and Ray has not warned of anything, it goes: a
                file of ours in the temporary folder, and the folder of a Ray of our own.
        """
        was_connected, self._is_connected = self._is_connected, False
        try:
            if was_connected:
                with _undisturbed():
                    ray.shutdown()
        finally:
            self._log.close()
        if self._has_log and not (keep_log or self._log.matters) and self._log.remove():
            self._has_log = False
            if self.is_own and self._session is not None:
                shutil.rmtree(self._session, ignore_errors=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let signals wait: at the next sign of a connection that is half gone, Ray ends this process with exit code 1."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: arrived.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if callable(signal.getsignal(number))
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in arrived:
            signal.raise_signal(late)


@contextmanager
def _own_termination() -> Iterator[None]:
    """Keep what this process does on SIGTERM: Ray would have it end at once, with an exit code of its own."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
