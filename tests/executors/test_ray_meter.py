"""Measurements on the node of a real Ray cluster that has the resource, with trainings on the others."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from executor_works import SCRIPT_PATH, job, work

from nas.cli.main import main
from nas.errors import UserError
from nas.executors import RayExecutor
from nas.executors.ray_meter import RayMeter
from nas.ledger import Ledger
from nas.measure.meter import MeasuringError, ask_key, ask_record
from nas.measure.profile import NamedProfile, load_profile
from nas.measure.session import key_of
from nas.task import Task
from tests.measure.conftest import write_profile
from tests.measure.test_session import SMALL

pytestmark = [pytest.mark.ray, pytest.mark.slow]

JETSON, TASK = "device:jetson", Task(resolution=32, classes=10)
CORES = {"head": 2, JETSON: 3}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without the resource; nobody here is connected to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([SCRIPT_PATH, str(Path(__file__).parents[2])]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # workers are as quick as this process
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": CORES["head"]})
        try:
            yield cluster
        finally:
            cluster.shutdown()


@pytest.fixture
def jetson(cluster: Any) -> Iterator[Any]:
    """A second node, which has it."""
    node = cluster.add_node(num_cpus=CORES[JETSON], resources={JETSON: 1})
    yield node
    with suppress(Exception):  # a test may have ended it
        cluster.remove_node(node)


@pytest.fixture
def start(cluster: Any, tmp_path: Path) -> Iterator[Callable[..., RayMeter]]:
    """Starts a meter on the cluster; it is closed at the end."""
    started: list[RayMeter] = []

    def start(**options: Any) -> RayMeter:
        started.append(RayMeter(JETSON, address=cluster.address, log=tmp_path / "ray.log", **options))
        return started[-1]

    yield start
    for meter in started:
        meter.close()


@pytest.fixture
def named(tmp_path: Path) -> NamedProfile:
    return load_profile(write_profile(tmp_path, "torch", "device: cpu\nthreads: 1\nclock: process"))


class Resting:
    """Uses three cores, and not the resource."""

    def rest(self) -> None:
        """Be there."""


def idle() -> None:
    """Nothing is to be done meanwhile."""


def cores(resource: str | None) -> tuple[float, float]:
    """All cores and the free ones of the node that has a resource, or of the one that does not."""
    from nas.executors.ray_cluster import Cluster

    with closing(Cluster(None)) as here:
        nodes = here.nodes(False)
    ((whole, free),) = [
        (whole["CPU"], free.get("CPU", 0.0))
        for whole, free in zip(nodes.whole, nodes.free, strict=True)
        if (JETSON in whole) == (resource == JETSON)
    ]
    return whole, free


def test_it_measures_on_the_node_with_the_resource_and_trainings_keep_off(
    start: Callable[..., RayMeter], jetson: Any, named: NamedProfile, cluster: Any, tmp_path: Path
) -> None:
    meter = start()
    assert ask_key(meter, named, TASK, idle) == key_of(named, TASK)
    assert cores(JETSON) == (CORES[JETSON], 0)
    assert cores(None) == (CORES["head"], CORES["head"])
    with RayExecutor(work, workers=None, address=cluster.address, log=tmp_path / "trainings.log") as trainings:
        for number in range(2):
            trainings.submit(job(str(number), "meet", folder=str(tmp_path), guests=4))  # two logs are there as well
        record = ask_record(meter, SMALL, named, TASK, idle)
        while trainings.progress():
            trainings.completed(1.0)
        assert cores(None) == (CORES["head"], 0)
        assert cores(JETSON) == (CORES[JETSON], 0)
    assert record.architecture_id == SMALL.id
    assert record.ms is not None
    assert record.key == key_of(named, TASK)


def test_while_no_node_has_it_that_is_said_and_one_that_joins_is_used(
    start: Callable[..., RayMeter], named: NamedProfile, cluster: Any
) -> None:
    meter = start()
    said: list[str] = []
    joined: list[Any] = []

    def alive() -> None:
        said.append(meter.shortage())
        if len(said) == 5:
            joined.append(cluster.add_node(num_cpus=1, resources={JETSON: 1}))

    key = ask_key(meter, named, TASK, alive)
    assert key == key_of(named, TASK)
    assert "no node has device:jetson to measure on; nodes: 2 CPU + 0 GPU" in said[0]
    assert meter.shortage() == ""
    meter.close()
    cluster.remove_node(joined[0])


def test_a_node_that_others_use_in_part_is_waited_for(
    start: Callable[..., RayMeter], jetson: Any, named: NamedProfile
) -> None:
    import ray

    meter = start()
    said: list[str] = []
    other = ray.remote(num_cpus=3)(Resting).remote()
    ray.get(other.rest.remote())

    def alive() -> None:
        if not said and meter.shortage():
            said.append(meter.shortage())
            ray.kill(other)

    ask_key(meter, named, TASK, alive)
    assert said == ["device:jetson is on a node that others use, too (3 of 5 CPU)"]
    assert cores(JETSON) == (3, 0)


def test_where_none_ever_has_it_there_is_one_message(start: Callable[..., RayMeter], named: NamedProfile) -> None:
    with pytest.raises(MeasuringError, match="no node had device:jetson to measure on for 1 s; nodes: 2 CPU"):
        ask_key(start(room_seconds=1.0), named, TASK, idle)


def test_without_a_cluster_nothing_is_started() -> None:
    import ray

    assert not ray.is_initialized()
    with pytest.raises(UserError, match="join a cluster that has it"):
        RayMeter(JETSON, address=None)
    assert not ray.is_initialized()


def test_a_lost_worker_costs_no_answer(start: Callable[..., RayMeter], jetson: Any, named: NamedProfile) -> None:
    meter = start()
    ask_key(meter, named, TASK, idle)
    (victim,) = [one for one in psutil.process_iter(["cmdline"]) if "MeasuringActor" in " ".join(one.cmdline())]
    victim.suspend()  # so that it cannot have answered before it is lost

    def lose() -> None:
        with suppress(psutil.NoSuchProcess):
            victim.kill()

    assert ask_record(meter, SMALL, named, TASK, lose).ms is not None
    assert psutil.wait_procs([victim], timeout=10)[0]


def test_a_profile_that_cannot_be_measured_there_is_one_message(start: Callable[..., RayMeter], jetson: Any) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("it can")
    with pytest.raises(UserError, match=r"profile 'torch-cuda': there is no CUDA device here"):
        ask_key(start(), load_profile("torch-cuda"), TASK, idle)


def test_a_search_measures_there(
    cluster: Any, jetson: Any, named: NamedProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["search", "tiny", "-b", "5MFLOPs", "-b", f"1e3ms@{named.name}", "--epochs", "1", "--data-share", "0.1",
                 "--executor", "ray", "--ray-address", cluster.address, "--measure-on", JETSON]  # fmt: skip
    assert main([*arguments, "--trials", "2", "--workers", "1", "--study", "there", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    with Ledger.read("sqlite:///nas.db") as ledger:
        measured = {one.architecture_id for one in ledger.latencies()}
        assert {one.architecture_id for one in ledger.trials("there")} == measured
    assert len(measured) == 2
    assert main([*arguments[:4], "--trials", "1", *arguments[-6:]]) == 2
    assert "nothing of this study is measured on device:jetson" in capsys.readouterr().err
