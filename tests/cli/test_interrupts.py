from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from option_sweep import ARCHITECTURE_TEXT
from PIL import Image
from small_studies import write_ledger

from nas.cli import interrupts

SECONDS = 60.0  # only a defect takes so long, on the busiest machine

LOST = """
import ctypes, os, signal
from nas.cli import interrupts
from nas.cli.live import StepDisplay

interrupts.listen()

@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def compare(a, b):
    os.kill(os.getpid(), signal.SIGINT)
    return 0

with StepDisplay("sorting") as display:
    display.count(0, 2)
    ctypes.CDLL(None).qsort((ctypes.c_int * 2)(2, 1), 2, 4, compare)
    try:
        display.count(1, 2)
    except KeyboardInterrupt:
        os._exit(7)
"""


def test_an_interrupt_that_native_code_swallows_is_raised_again() -> None:
    assert subprocess.run([sys.executable, "-c", LOST], capture_output=True, check=False).returncode == 7


STUCK = """
import signal, sys, threading, time
from nas.cli import interrupts

interrupts.listen()
interrupts.insist(0.2)
threading.Thread(target=time.sleep, args=(3600,)).start()
try:
    signal.raise_signal(signal.{name})
except KeyboardInterrupt:
    sys.exit(7)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_thread_that_never_comes_back_keeps_no_program(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUCK.format(name=name)], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.returncode, done.stderr) == (130, "ended without waiting for what did not stop within 0.2 s\n")


# Signals in the midst of work, to real programs.

PROGRAM = """
import sys, time
from pathlib import Path
from nas.cli import interrupts
from nas.cli.main import main

def slowly(place, name, seconds):
    import importlib
    owner = importlib.import_module(place[0])
    for step in place[1:]:
        owner = getattr(owner, step)
    quick = getattr(owner, name)
    def slow(*given, **named):
        Path("begun").touch()
        time.sleep(seconds)
        return quick(*given, **named)
    setattr(owner, name, slow)

{slow}
interrupts.insist({grace})
code = main({words!r})
interrupts.end()
sys.exit(code)
"""
READING = ("['nas.data.filesource'], 'look_at'", "['nas.data.images', 'PixelReader'], '__call__'")
"""What threads do for every image: look at it, decode it."""

FOLDER = "folder:images"
READERS = {
    "check": ["check", "tiny", "--budget", "5MFLOPs", "--data", FOLDER],
    "search": ["search", "tiny", "--budget", "5MFLOPs", "--data", FOLDER],
    "train": ["train", "arch.yaml", "--data", FOLDER, "-o", "out"],
    "compare": ["compare", "arch.yaml", "arch.yaml", "--data", FOLDER],
    "trust": ["trust", "tiny", "--budget", "5MFLOPs", "--data", FOLDER],
}
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough of them for threads to be in the midst of."""
    root = tmp_path_factory.mktemp("data") / "images"
    for part in ("train", "val", "test"):
        for name in ("cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for index in range(60):
                pixels = Image.new("L", (8, 8), index)
                pixels.save(root / part / name / f"{index}.png")
    return root


def begun(folder: Path, text: str) -> subprocess.Popen[str]:
    """A program that has come to its work."""
    process = subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "NAS_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 2 * SECONDS
    while process.poll() is None and not (folder / "begun").exists() and time.monotonic() < end:
        time.sleep(0.02)
    if not (folder / "begun").exists():
        process.kill()
        raise AssertionError(process.communicate()[1])
    return process


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, str]:
    """The exit code and the last words of a program that was sent a signal, with whatever it has started."""
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    try:
        _, said = process.communicate(timeout=SECONDS)
        _, alive = psutil.wait_procs(started, timeout=SECONDS)
        assert not alive
    finally:
        process.kill()
    return process.returncode, said


def prepared(folder: Path, images: Path) -> Path:
    (folder / "images").symlink_to(images)
    (folder / "arch.yaml").write_text(ARCHITECTURE_TEXT)
    return folder


def run_while_reading(command: str, place: str, number: int, folder: Path, *, seconds: float, grace: float) -> None:
    """Send a signal while threads read images, each of which takes so long."""
    slow = f"slowly({place}, {seconds})"
    process = begun(folder, PROGRAM.format(slow=slow, grace=grace, words=READERS[command]))
    code, said = ended(process, number)
    assert (code, "Traceback" in said) == (130, False), said
    kept = (".held", ".lock")  # empty files, by which processes tell each other what they use
    assert [one for one in folder.glob("cache/images/.*-v*") if one.suffix not in kept] == []  # nothing half-written
    assert seconds < 60 or "ended without waiting" in said


@pytest.mark.slow
def test_a_signal_ends_the_reading_of_images_in_the_midst_of_a_chunk(images: Path, tmp_path: Path) -> None:
    """A thread takes 60 images and more at a time, which would be two minutes here."""
    folder = prepared(tmp_path, images)
    run_while_reading("check", READING[0], signal.SIGTERM, folder, seconds=2.0, grace=600.0)


@pytest.mark.slow
def test_images_that_never_come_keep_no_program(images: Path, tmp_path: Path) -> None:
    folder = prepared(tmp_path, images)
    run_while_reading("check", READING[0], signal.SIGTERM, folder, seconds=3600.0, grace=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("number", ENDINGS, ids=lambda number: number.name)
@pytest.mark.parametrize("place", READING)
@pytest.mark.parametrize("command", READERS)
def test_every_reader_of_images_ends(command: str, place: str, number: int, images: Path, tmp_path: Path) -> None:
    folder = prepared(tmp_path, images)
    run_while_reading(command, place, number, folder, seconds=1.0, grace=600.0)


@pytest.mark.slow
@pytest.mark.parametrize("number", ENDINGS, ids=lambda number: number.name)
@pytest.mark.parametrize("words", [["presets", "--json"], ["grammar", "--schema"]], ids=" ".join)
def test_output_that_nobody_reads_keeps_no_program(words: list[str], number: int, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "nas", *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        end = time.monotonic() + SECONDS
        while "pipe" not in Path(f"/proc/{process.pid}/wchan").read_text() and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(SECONDS) == 130


LONG = {
    "search": ["search", "tiny", "--budget", "30MFLOPs", "--trials", "500", "--epochs", "50"],
    "train": ["train", "arch.yaml", "--data", "digits", "--epochs", "9000", "-o", "out"],
    "compare": ["compare", "arch.yaml", "--data", "digits", "--seeds", "900", "--workers", "1"],
    "trust": ["trust", "tiny", "--budget", "30MFLOPs", "-n", "40", "--workers", "2"],
    "refine": ["refine", "mine", "--trials", "900", "--workers", "1"],
    "export": ["export", "mine", "--best", "-o", "out"],
    "sample": ["sample", "modern", "--budget", "4.2..4.5GFLOPs", "-n", "100000"],
    "check": ["check", "modern", "--budget", "4.2..4.5GFLOPs"],
    "latency": ["latency", "convnext_base", "replknet_31b", "--profile", "torch-cpu"],
    "calibrate": ["calibrate", "tiny", "--budget", "30MFLOPs", "--profile", "torch-cpu", "-n", "900"],
    "cost": ["cost", "convnext_xlarge", "replknet_xl", "unireplknet_xl", "--verify"],
    "erf": ["erf", "convnext_base", "-o", "erf.png", "--resolution", "1024"],
    "bench driver": ["bench", "driver", "--space", "tiny", "--budget", "30MFLOPs", "--trials", "50000"],
    "bench table": ["bench", "table", "table.yaml", "--sampler", "surrogate", "--seeds", "200", "--jobs", "2"],
    "pareto --confirm": ["pareto", "mine", "--confirm", "500", "--workers", "1"],
    "shrink --verify": ["shrink", "mine", "-o", "narrow.yaml", "--verify", "500", "--workers", "1"],
    "export openvino": ["export", "convnext_base", "--format", "onnx", "-o", "out"],
}


@pytest.mark.slow
@pytest.mark.parametrize("wait", [1.0, 4.0, 12.0])
@pytest.mark.parametrize("command", LONG)
def test_every_long_command_ends(command: str, wait: float, tmp_path: Path) -> None:
    """At some moment of its life, told by the seconds of processor time that it and its processes have used."""
    write_ledger(tmp_path / "nas.db")
    (tmp_path / "arch.yaml").write_text(ARCHITECTURE_TEXT)
    write_table(tmp_path)
    text = PROGRAM.format(slow="Path('begun').touch()", grace=interrupts.GRACE_SECONDS, words=LONG[command])
    process = begun(tmp_path, text)
    while process.poll() is None and processor_seconds(process.pid) < wait:
        time.sleep(0.05)
    if process.poll() is not None:
        _, said = process.communicate()
        assert process.returncode in (0, 1, 2), said
        return
    code, said = ended(process, signal.SIGTERM)
    leaving = -signal.SIGTERM  # its work is done, and the interpreter hears nothing any more
    assert (code in (0, 130, leaving), "Traceback" in said) == (True, False), f"{code}: {said}"


def processor_seconds(pid: int) -> float:
    """Of a process and those it has started."""
    spent = 0.0
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for one in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                spent += sum(one.cpu_times()[:2])
    return spent


def write_table(folder: Path) -> None:
    """A table of networks with two decisions."""
    rows = [f"{a},{b},{(a * b) % 97 / 97:.4f},{1 + a + 60 * b}" for a in range(60) for b in range(60)]
    (folder / "table.csv").write_text("\n".join(["a,b,acc,flops", *rows]))
    (folder / "table.yaml").write_text(
        "{name: made, file: table.csv, decisions: {a: ordered, b: ordered}, seen: acc, costs: flops}"
    )
