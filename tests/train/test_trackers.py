"""Every tracker writes what it is told, once, and says so where its library is absent."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from nas.errors import UserError
from nas.train.trackers import TrackedRun, Tracker, find_trackers

NAME = "an \"abc\" of 'quotes'"
RUN = TrackedRun(group="study", name=NAME, facts={"flops": 12, "decisions.kernel": 7, "norm": "layernorm"}, mark="m1")
CURVE = {1: {"train_loss": 2.0}, 2: {"train_loss": 1.0, "validation_accuracy": 0.5}}
WANTED = {"loss/train": {1: 2.0, 2: 1.0}, "accuracy/validation": {2: 0.5}}
Curve = Mapping[str, Mapping[int, float]]


def read_tensorboard(folder: Path) -> list[tuple[Curve, Mapping[str, object]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = []
    for place in sorted((folder / "study").iterdir()):
        events = EventAccumulator(str(place)).Reload()
        curve = {tag: {event.step: event.value for event in events.Scalars(tag)} for tag in events.Tags()["scalars"]}
        content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        found.append((curve, {"flops": 12} if b"decisions.kernel" in content else {}))
    return found


def wandb_records(file: Path) -> Iterator[bytes]:
    """The records of a `.wandb` file: a header of 7 bytes, then blocks as of LevelDB's log."""
    data, place, whole = file.read_bytes(), 7, b""
    while place + 7 <= len(data):
        if (left := 32768 - place % 32768) < 7:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield whole
            whole = b""


def read_wandb(folder: Path) -> list[tuple[Curve, Mapping[str, object]]]:
    from wandb.proto.wandb_internal_pb2 import Record

    found = []
    for place in sorted((folder / "wandb").glob("offline-run-*")):
        (file,) = place.glob("run-*.wandb")
        curve: dict[str, dict[int, float]] = {}
        config: dict[str, object] = {}
        for data in wandb_records(file):
            record = Record()
            record.ParseFromString(data)
            config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
            items = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
            for name in items.keys() & WANTED.keys():
                curve.setdefault(name, {})[record.history.step.num] = items[name]
        found.append((curve, {"flops": config["flops"]}))
    return found


def read_mlflow(folder: Path) -> list[tuple[Curve, Mapping[str, object]]]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("study")
    assert experiment is not None
    found = []
    for run in client.search_runs([experiment.experiment_id]):
        curve = {
            tag: {one.step: one.value for one in client.get_metric_history(run.info.run_id, tag)}
            for tag in run.data.metrics
        }
        found.append((curve, {"flops": int(run.data.params["flops"])}))
    return found


KINDS: Mapping[str, tuple[str, Callable[[Path], list[tuple[Curve, Mapping[str, object]]]]]] = {
    "tensorboard": ("tensorboard", read_tensorboard),
    "wandb": ("wandb", read_wandb),
    "mlflow": ("mlflow", read_mlflow),
}


STRACE = shutil.which("strace")
TRACKS = """
import sys
from pathlib import Path
from test_trackers import KINDS, RUN, find_trackers, write
kind, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir()
(tracker,) = find_trackers(**{kind: folder})
write(tracker, RUN)
assert tracker.has(RUN)
"""
CONNECTS = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"


def write(tracker: Tracker, run: TrackedRun, *, close: bool = True) -> None:
    begun = tracker.begin(run)
    for epoch, values in CURVE.items():
        begun.log(epoch, values)
    if close:
        begun.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what the libraries do with theirs
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_there_once_with_its_facts(kind: str, tmp_path: Path) -> None:
    module, read = KINDS[kind]
    pytest.importorskip(module)
    (tracker,) = find_trackers(**{kind: tmp_path})
    assert not tracker.has(RUN)
    write(tracker, RUN)
    assert tracker.has(RUN)
    write(tracker, RUN)
    assert read(tmp_path) == [(WANTED, {"flops": 12})]
    other = TrackedRun(group="study", name=NAME, facts=RUN.facts, mark="m2")
    assert not tracker.has(other)
    write(tracker, TrackedRun(group="study", name="def", facts=RUN.facts))
    assert len(read(tmp_path)) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(STRACE is None, reason="there is no strace here (apt-get install strace)")
@pytest.mark.parametrize("kind", [*KINDS, "a connection"])
def test_no_network_is_asked(kind: str, tmp_path: Path) -> None:
    """Of this process and of those that the libraries start, as the kernel sees them."""
    asks = CONNECTS if kind == "a connection" else TRACKS
    if kind in KINDS:
        pytest.importorskip(KINDS[kind][0])
    trace = [str(STRACE), "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(tmp_path / "trace")]
    child = [sys.executable, "-W", "ignore", "-c", asks, kind, str(tmp_path / "runs")]
    done = subprocess.run([*trace, *child], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    asked = [line for line in (tmp_path / "trace").read_text().splitlines() if "AF_INET" in line]
    assert bool(asked) == (kind == "a connection"), asked


@pytest.mark.parametrize(
    ("kind", "extra"), [("tensorboard", "tensorboard"), ("wandb", "trackers"), ("mlflow", "trackers")]
)
def test_an_absent_library_is_one_message(
    kind: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.train.trackers.base.find_spec", lambda name: None)
    with pytest.raises(UserError, match=rf"--{kind} needs its library, {kind}; .*nas-convnets\[{extra}\]"):
        find_trackers(**{kind: tmp_path})


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(UserError, match=r"--mlflow .*there: this is a file"):
        find_trackers(mlflow=tmp_path / "there")


def test_what_is_not_asked_for_is_not_there() -> None:
    assert find_trackers(tensorboard=None) == []
