"""What a cluster's head knows, looked at beside the driver's loop: a head that is gone never answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from nas.errors import NasError

Amounts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Nodes:
    """The resources of every node that lives, and the workers that have a process there.

    Attributes:
        whole: all resources, in use or not.
        free: those that nobody uses.
        started: ids of this driver's workers that have a process, whether or not it got as far as answering; empty
            where nobody asked for them.
        ids: of the nodes.
    """

    whole: Sequence[Amounts]
    free: Sequence[Amounts]
    started: Set[str] = frozenset()
    ids: Sequence[str] = ()

    def describe(self) -> str:
        """What there is, for people."""
        return f"nodes: {', '.join(map(_describe, self.whole)) or 'none'}"

    def describe_use(self) -> str:
        """What of it is in use, for people: '8 of 8 CPU, 1 of 2 GPU'."""
        parts = []
        for name in ("CPU", "GPU"):
            whole = sum(node.get(name, 0.0) for node in self.whole)
            used = whole - sum(node.get(name, 0.0) for node in self.free)
            if whole:
                parts.append(f"{used:g} of {whole:g} {name}")
        return ", ".join(parts)


def _describe(node: Amounts) -> str:
    """Cores, GPUs and the resources that somebody named; the others are Ray's own."""
    own = {"CPU", "GPU", "memory", "object_store_memory"}
    named = [name for name in sorted(node) if name not in own and not name.startswith(("node:", "accelerator_type:"))]
    return " + ".join(f"{node.get(name, 0):g} {name}" for name in ("CPU", "GPU", *named))


def no_answer(address: str, seconds: float) -> NasError:
    """What is said of a head that is gone."""
    return NasError(
        f"the head of the Ray cluster at {address} has not answered for {seconds:g} s; it has ended, or cannot be "
        "reached any more. What is finished is kept; go on once a head is there"
    )


class NodeWatch:
    """The latest look at the nodes, and for how long the next one has been waited for.

    Attributes:
        latest: what the last look that came back found.
    """

    def __init__(self, look: Callable[[bool], Nodes], *, patience: float) -> None:
        """Look for the first time.

        Args:
            look: asks the cluster, for the workers that have a process too if it is told to; may take for ever.
            patience: seconds to wait for the first answer.

        Raises:
            TimeoutError: there was none.
            ...: what `look` raised.
        """
        self._look = look
        self._error: BaseException | None = None
        self._found: Nodes | None = None
        self._begin(workers=False)
        self._thread.join(patience)
        if self._thread.is_alive():
            raise TimeoutError
        self.latest = Nodes((), ())
        self.refresh(workers=False)

    def refresh(self, *, workers: bool) -> float:
        """Take in the look under way if it is over, and begin the next; seconds that it has been waited for.

        Args:
            workers: whether the next one is to find the workers that have a process, too.

        Raises:
            ...: what the look raised.
        """
        if self._thread.is_alive():
            return time.monotonic() - self._begun
        if self._error is not None:
            raise self._error
        assert self._found is not None
        self.latest = self._found
        self._begin(workers=workers)
        return 0.0

    def _begin(self, *, workers: bool) -> None:
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._ask, args=(workers,), name="nas-nodes", daemon=True)
        self._thread.start()

    def _ask(self, workers: bool) -> None:
        try:
            self._found = self._look(workers)
        except BaseException as error:  # raised by `refresh`, in the driver's thread
            self._error = error
