"""Measurements on a node of a Ray cluster that has a custom resource, such as `device:jetson`.

All of the node is set aside for them, its cores and GPUs included, so that nothing that Ray starts runs beside one. It
is asked for before the workers are, and given back with the connection.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.errors import UserError
from nas.executors.ray_nodes import NodeWatch, no_answer
from nas.executors.version import code_version, other_code
from nas.measure.meter import Alive, MeasuringError

if TYPE_CHECKING:
    from nas.executors.ray_cluster import Call, MeasuringWorker

_POLL = 0.2  # seconds between signs of life
_HEAD_SECONDS = 30.0  # for a look at the nodes
_START_SECONDS = 10.0  # a worker that is not there after so long has no place
_MOST_LOSSES = 3  # workers in a row that ended without an answer


class RayMeter:
    """See `Meter`."""

    def __init__(
        self, resource: str, *, address: str | None, room_seconds: float = 600.0, log: Path | None = None
    ) -> None:
        """Connect to Ray; no node is asked for yet.

        Args:
            resource: of which a node has some if it may measure.
            address: of the cluster, as in `RayExecutor`.
            room_seconds: how long to wait for such a node, while there is none.
            log: file for what Ray has to say; None for a new one in the temporary folder.

        Raises:
            UserError: the cluster cannot be joined, or there is none.
            NasError: its head does not answer.
        """
        from nas.executors.ray_cluster import Cluster  # Ray takes a second to import

        if address is None and not Cluster.is_connected():
            raise UserError(
                f"a Ray of this machine alone has no resource {resource!r} to measure on; join a cluster that has it "
                "(--ray-address)"
            )
        self._resource = resource
        self._room_seconds = room_seconds
        self._worker: MeasuringWorker | None = None
        self._shortage = ""
        self._cluster = Cluster(address, log=log)
        try:
            self._watch = NodeWatch(self._cluster.nodes, patience=_HEAD_SECONDS)
        except BaseException as error:
            head = self._cluster.address
            self.close()
            if isinstance(error, TimeoutError):
                raise no_answer(head, _HEAD_SECONDS) from None
            raise

    def ask(self, question: Mapping[str, Any], alive: Alive) -> dict[str, Any]:
        """See `Meter.ask`; a question whose worker or node is lost is asked again, where there is another one."""
        from nas.executors.ray_cluster import CallFailed

        why = ""
        for _ in range(_MOST_LOSSES):
            try:
                worker = self._ready(alive)
                answer: dict[str, Any] = json.loads(self._wait(worker.answer(json.dumps(question)), alive))
                return answer
            except CallFailed as error:
                why = str(error)
                self._drop()
        raise MeasuringError(
            f"{_MOST_LOSSES} workers in a row that were to measure on a node with {self._resource} have ended; the "
            f"last: {why}"
        )

    def shortage(self) -> str:
        """See `Meter.shortage`."""
        return self._shortage

    def close(self) -> None:
        """See `Meter.close`."""
        self._drop()
        self._cluster.close()

    def _ready(self, alive: Alive) -> MeasuringWorker:
        """A worker with a node of its own, which is waited for.

        Raises:
            CallFailed: it has ended, or its node has.
        """
        if self._worker is None:
            place = self._place(alive)
            worker = self._worker = self._cluster.start_measuring(*place, self._resource)
            name, version = self._wait(worker.greet(), partial(self._see_to_start, worker, time.monotonic(), alive))
            self._shortage = ""
            if version != code_version():
                raise other_code(name, version, code_version())
        return self._worker

    def _place(self, alive: Alive) -> tuple[str, Mapping[str, float]]:
        """A node that has the resource, by its id, and what it has.

        Raises:
            MeasuringError: there was none for too long.
        """
        since = time.monotonic()
        while True:
            if self._watch.refresh(workers=False) > _HEAD_SECONDS:
                raise no_answer(self._cluster.address, _HEAD_SECONDS)
            nodes = self._watch.latest
            found = [one for one in zip(nodes.ids, nodes.whole, strict=True) if one[1].get(self._resource, 0) > 0]
            if found:
                return found[0]
            self._shortage = f"no node has {self._resource} to measure on; {nodes.describe()}"
            if time.monotonic() - since > self._room_seconds:
                raise MeasuringError(
                    f"no node had {self._resource} to measure on for {self._room_seconds:g} s; {nodes.describe()}"
                )
            alive()
            time.sleep(_POLL)

    def _see_to_start(self, worker: MeasuringWorker, since: float, alive: Alive) -> None:
        """Say why a worker that was asked for at this time is not there: others may use its node, if only in part."""
        self._watch.refresh(workers=True)
        nodes = self._watch.latest
        is_late = time.monotonic() - since > _START_SECONDS and worker.id not in nodes.started
        use = f"{self._resource} is on a node that others use, too ({nodes.describe_use()})"
        self._shortage = use if is_late else ""
        alive()

    def _wait(self, call: Call, alive: Alive) -> Any:
        """What a call comes to; raises CallFailed."""
        while not self._cluster.ended([call], _POLL):
            alive()
        return self._cluster.outcome(call)

    def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
