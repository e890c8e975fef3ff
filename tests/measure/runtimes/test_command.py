from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest

from nas.errors import UserError
from nas.measure.profile import Command, load_profile
from nas.measure.runtimes import RuntimeMissingError
from nas.measure.runtimes.command import CommandError, ask
from nas.measure.session import measure
from tests.measure.conftest import command_profile
from tests.measure.test_session import SMALL, TASK

pytest.importorskip("onnx")


def figure_of(folder: Path, body: str, **options: float) -> float:
    command = load_profile(command_profile(folder, body, **options)).profile.command
    assert command is not None
    return ask(command, folder / "model.onnx")


def test_another_program_measures_the_exported_network(tmp_path: Path) -> None:
    """It sees a real ONNX file: the figure here is its size."""
    body = "import os\nprint('latency:', os.path.getsize(sys.argv[1]), 'ms')"
    (one,) = measure([SMALL], load_profile(command_profile(tmp_path, body)), TASK)
    assert one.ms is not None
    assert one.ms > 1000
    assert one.ms == one.low == one.high
    assert one.key.device == "my board"
    assert one.peak_memory is None


def test_a_second_group_is_the_unit() -> None:
    argv = [sys.executable, "-c", "print('Median: 24.0 us')", "{model}"]
    command = Command(argv=argv, figure=r"Median: ([\d.]+) (\w+)", seconds=20)
    assert ask(command, Path("model.onnx")) == pytest.approx(0.024)
    with pytest.raises(CommandError, match="'Median' as the unit, not s, ms or us"):
        ask(command.model_copy(update={"figure": r"(?=.*?([\d.]+))(\w+)"}), Path("model.onnx"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("benchmark_app") is None, reason="OpenVINO's tools are not installed here")
def test_openvinos_own_program_measures_it() -> None:
    file = Path(__file__).parents[3] / "studies" / "latency" / "benchmark_app.yaml"
    (one,) = measure([SMALL], load_profile(str(file)), TASK)
    assert one.failure == ""
    assert one.ms is not None
    assert 0 < one.ms < 1000
    assert one.runs == 6
    assert one.key.runtime == "command benchmark_app"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit('no such device')", "ended with exit code 1; it said: 'no such device'"),
        ("print('done')", "printed nothing that"),
        ("print('0 ms')", "which is no time above 0"),
        ("print('1.2.3 ms')", "which is no time above 0"),
        ("", "it said nothing"),
    ],
)
def test_what_a_command_can_do_wrong_is_said(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(UserError, match="the command") as caught:
        figure_of(tmp_path, body)
    assert message in str(caught.value)


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    body = (
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    with pytest.raises(UserError, match="did not end within 3 s"):
        figure_of(tmp_path, body, seconds=3)
    child = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    for _ in range(50):
        if not child.exists() or child.read_text().split(")")[1].split()[0] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the command's child still runs")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = Path(command_profile(tmp_path, ""))
    file.write_text(file.read_text().replace("argv: [", 'argv: ["no-such-program", '))
    with pytest.raises(RuntimeMissingError, match="no program 'no-such-program'"):
        measure([SMALL], load_profile(str(file)), TASK)


def test_nothing_is_seen_by_a_shell(tmp_path: Path) -> None:
    file = Path(command_profile(tmp_path, "print(len(sys.argv), 'ms')"))
    file.write_text(file.read_text().replace('"{model}"]', '"{model}", "; touch x", "$(touch y)"]'))
    command = load_profile(str(file)).profile.command
    assert command is not None
    assert ask(command, tmp_path / "model.onnx") == 4.0
    assert not (tmp_path / "x").exists()
