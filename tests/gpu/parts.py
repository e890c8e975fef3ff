"""One part of `run.py` in a process of its own: `python parts.py NAME --device cuda [--quick]`.

Prints one line of JSON: {"status": "done" | "skipped", "why": ..., "rows": [...]}.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

TOP = Path(__file__).parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "benchmarks"))

Row = dict[str, Any]
Result = dict[str, Any]


def done(rows: list[Row]) -> Result:
    return {"status": "done", "rows": rows}


def skipped(why: str) -> Result:
    return {"status": "skipped", "why": why, "rows": []}


# --- the tests marked gpu


def tests(device: str, quick: bool) -> Result:
    """All of them; what failed is named."""
    if device == "cpu":
        return skipped("they need an accelerator")
    if importlib.util.find_spec("pytest") is None:
        return skipped("pytest is not installed here")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-c", os.devnull, "--rootdir", str(TOP)]
    command += ["--import-mode=importlib", "-W", "ignore", "-p", "no:cacheprovider", "-r", "f", str(TOP / "tests")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [
        line for line in ran.stdout.splitlines() if line.startswith("FAILED") or " passed" in line or "error" in line
    ]
    return {"status": "failed" if ran.returncode else "done", "rows": [{"pytest": line} for line in lines]}


# --- a search, one worker of which is killed


def synthetic(path: Path, *, images: int, side: int) -> str:
    """Images of ten classes that differ by a faint pattern in noise; the reference of the data set."""
    draw = np.random.default_rng(0)
    patterns = draw.normal(0, 24, (10, side, side, 3))
    labels = draw.integers(0, 10, images)
    noise = draw.normal(128, 48, (images, side, side, 3))
    pixels = np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8)
    cut = images * 3 // 4
    np.savez(path, x_train=pixels[:cut], y_train=labels[:cut], x_test=pixels[cut:], y_test=labels[cut:])
    return f"npz:{path}"


def recipe_file(path: Path, device: str, **fields: Any) -> Path:
    """A recipe for this device: bf16 where that is fast for sure."""
    precision = "bf16" if device == "cuda" else "fp32"
    path.write_text(json.dumps({"precision": precision, "channels_last": True, "init": "fan_in", **fields}))
    return path


def search_command(name: str, data: str, recipe: Path, device: str, *, workers: int, trials: int) -> list[str]:
    return [
        sys.executable, "-m", "nas", "search", "--space", "tiny", "--budget", "30MFLOPs", "--study", name,
        "--data", data, "--recipe", str(recipe), "--trials", str(trials), "--workers", str(workers),
        "--device", device, "--sampler", "random", "--json",
    ]  # fmt: skip


def search(device: str, quick: bool) -> Result:
    """Candidates on synthetic 32x32 images, two at a time; the first worker that trains is killed."""
    trials = 3 if quick else 8
    data = synthetic(Path("images.npz"), images=400 if quick else 20_000, side=32)
    recipe = recipe_file(Path("recipe.yaml"), device, epochs=1 if quick else 2, batch=32 if quick else 256)
    command = search_command("killed", data, recipe, device, workers=2, trials=trials)
    with Path("said").open("w") as said:
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        killed = kill_a_worker(driver)
        code = driver.wait()
    if code:
        raise RuntimeError(Path("said").read_text()[-2000:])
    from nas.ledger import Ledger
    from nas.records import TrialState

    with Ledger.read("sqlite:///nas.db") as ledger:
        trained = [one for one in ledger.trials("killed") if one.state is TrialState.DONE]
    evaluations = [one.evaluation for one in trained if one.evaluation is not None]
    distinct = len({one.architecture_id for one in trained})
    if len(trained) != trials or distinct != trials or not killed:
        raise RuntimeError(f"{len(trained)} trained, {distinct} different, of {trials}; workers killed: {killed}")
    return done(
        [
            {
                "trained": len(trained),
                "trained twice": len(trained) - distinct,
                "workers killed": killed,
                "images/s of a worker": round(statistics.median(one.images_per_second or 0 for one in evaluations)),
                "peak MB": round(max(one.peak_memory for one in evaluations) / 2**20),
                "best accuracy": round(max(one.accuracy or 0 for one in evaluations), 3),
            }
        ]
    )


def kill_a_worker(driver: subprocess.Popen[bytes]) -> int:
    """SIGKILL for the first worker that has worked for a while; how many were killed.

    Workers are the fork server's children, which is the driver's.
    """
    while driver.poll() is None:
        parents = dict(processes())
        for pid, (parent, ticks) in parents.items():
            is_worker = parents.get(parent, (0, 0))[0] == driver.pid
            if is_worker and ticks > 0.5 * os.sysconf("SC_CLK_TCK"):
                os.kill(pid, signal.SIGKILL)
                return 1
        time.sleep(0.1)
    return 0


def processes() -> Iterator[tuple[int, tuple[int, int]]]:
    """Every process with its parent and the clock ticks it has worked for."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            yield int(path.parent.name), (int(fields[1]), int(fields[11]) + int(fields[12]))


# --- ours against the loop that users write


def throughput(device: str, quick: bool) -> Result:
    """Images a second of training, of the same network on the same augmented images."""
    from loops import proxy, recipe
    from plain_training import Images, convnext

    from nas.train.loop import Training
    from nas.train.model import make_model

    depths, widths, batch = ((1, 1), (16, 32), 32) if quick else ((2, 4, 2), (64, 128, 256), 256)
    data = noise(320 if quick else 12_800)
    architecture = proxy(depths, widths, 7)
    images = Images(data.train.images, data.train.labels, data.mean, data.std)
    model = convnext(depths, widths, 7, classes=10).to(device)
    plain = rate(lambda: plain_epoch(model, images, batch=batch, device=device), len(data.train.labels))
    rows = [{"loop": "plain, fp32", "images/s": round(plain), "ratio": 1.0}]
    for precision in ("fp32",) if device == "cpu" else ("fp32", "bf16"):
        chosen = recipe(crop_padding=0.125, mixup=0.8, batch=batch, precision=precision)
        models = [make_model(architecture, data.task, chosen, seed=0) for _ in range(2)]
        waiting = [Training(one, data, chosen, seed=0, device=device) for one in models]
        ours = rate(lambda waiting=waiting: waiting.pop().run(), len(data.train.labels))
        rows.append({"loop": f"ours, {precision}", "images/s": round(ours), "ratio": round(ours / plain, 2)})
    return done(rows)


def noise(images: int) -> Any:
    import loops

    loops.IMAGES = images
    return loops.noise()


def rate(epoch: Callable[[], object], images: int) -> float:
    """Images a second of the second epoch; the first one warms up."""
    epoch()
    synchronise()
    begun = time.perf_counter()
    epoch()
    synchronise()
    return images / (time.perf_counter() - begun)


def synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def plain_epoch(model: nn.Module, images: Any, *, batch: int, device: str) -> None:
    """The tutorial's loop with the workers and pinned memory that it recommends."""
    from torch.nn import functional
    from torch.utils.data import DataLoader

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    workers = min(8, os.cpu_count() or 1) if device == "cuda" else 0
    loader = DataLoader(images, batch_size=batch, shuffle=True, num_workers=workers, pin_memory=device == "cuda")
    for x, y in loader:
        x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
        target = functional.one_hot(y, 10).float() * 0.9 + 0.01
        share = float(np.random.beta(0.8, 0.8))
        loss = functional.cross_entropy(
            model(share * x + (1 - share) * x.flip(0)), share * target + (1 - share) * target.flip(0)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# --- several workers on one device


def sharing(device: str, quick: bool) -> Result:
    """The same search with one worker and with several on the same device, by the time of its trainings."""
    trials = 2 if quick else 8
    data = synthetic(Path("images.npz"), images=400 if quick else 20_000, side=32)
    recipe = recipe_file(Path("recipe.yaml"), device, epochs=1, batch=32 if quick else 256)
    rows: list[Row] = []
    for workers in (1, 2) if quick else (1, 4):
        begun = time.monotonic()
        command = search_command(f"by-{workers}", data, recipe, device, workers=workers, trials=trials)
        called([*command[1:], "--storage", f"sqlite:///{workers}.db"])
        seconds = time.monotonic() - begun
        rows.append({"workers": workers, "trainings": trials, "seconds": round(seconds, 1)})
    for row in rows:
        row["ratio"] = round(rows[0]["seconds"] / row["seconds"], 2)
    return done(rows)


# --- a batch that does not fit


def memory(device: str, quick: bool) -> Result:
    """A training whose batch does not fit goes on with half of it at a time."""
    if device == "cpu":
        return skipped("a CPU's memory has no limit to meet")
    from nas.data import describe
    from nas.evaluate.proxy import evaluate
    from nas.records import EvaluationKey, Job
    from nas.space import load_architecture
    from nas.train.recipe import Recipe

    found = describe(synthetic(Path("images.npz"), images=6000, side=32))
    architecture = load_architecture("convnext_tiny")
    rows: list[Row] = []
    for batch in (512, 1024, 2048, 4096):
        recipe = Recipe.from_dict({"epochs": 1, "batch": batch, "resolution": 64, "precision": "bf16"})
        with device_memory(gibibytes=6):
            job = Job(
                id=str(batch),
                key=EvaluationKey(
                    architecture_id=architecture.id, recipe=recipe.id, fingerprint=found.fingerprint, seed=0
                ),
                architecture=architecture.to_dict(),
                recipe=recipe.to_dict(),
                data=found.reference,
            )
            result = evaluate(job, report=lambda fraction: None, device=device)
        rows.append(
            {
                "batch": batch,
                "outcome": "trained" if result.succeeded else str(result.failure),
                "images at a time": result.micro_batch or (batch if result.succeeded else ""),
                "peak MB": round(result.peak_memory / 2**20),
            }
        )
        if not result.succeeded:
            break
    return done(rows)


@contextmanager
def device_memory(*, gibibytes: float) -> Iterator[None]:
    """As if the device had no more; it is the allocator's own refusal that is met."""
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, gibibytes * 2**30 / whole))
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


# --- torch.compile


def compile(device: str, quick: bool) -> Result:
    """Steps of a training with and without, and the seconds that compiling took."""
    if device == "cpu":
        return skipped("Inductor on a CPU needs a compiler and minutes")
    from loops import proxy, recipe

    from nas.train.loop import Training
    from nas.train.model import make_model

    data, architecture = noise(6400), proxy((2, 4, 2), (64, 128, 256), 7)
    rows: list[Row] = []
    for is_compiled in (False, True):
        chosen = recipe(batch=256, precision="bf16", compile=is_compiled, epochs=4)
        training = Training(make_model(architecture, data.task, chosen, seed=0), data, chosen, seed=0, device=device)
        stamps: list[float] = []

        def stamp(stamps: list[float] = stamps) -> None:
            synchronise()
            stamps.append(time.perf_counter())

        begun = time.perf_counter()
        training.run(after_step=stamp)
        steps = np.diff(stamps)
        rows.append(
            {
                "compiled": is_compiled,
                "first step s": round(stamps[0] - begun, 1),
                "ms a step": round(float(np.median(steps[len(steps) // 2 :])) * 1e3, 2),
            }
        )
    rows[1]["ratio"] = round(rows[0]["ms a step"] / rows[1]["ms a step"], 2)
    return done(rows)


# --- depthwise kernels


def depthwise(device: str, quick: bool) -> Result:
    """Ours against stock in both memory formats, forward and backward."""
    from nas.layers.depthwise import DepthwiseConv

    width, side, batch = (8, 14, 2) if quick else (128, 56, 32)
    precisions = [torch.float32] if device == "cpu" else [torch.float32, torch.bfloat16]
    rows: list[Row] = []
    for kernel in (3, 7) if quick else (3, 5, 7, 9, 11, 13, 17, 21, 25, 31):
        for dtype in precisions:
            times = {}
            for name, layout in (("NCHW", torch.contiguous_format), ("NHWC", torch.channels_last)):
                x = torch.randn(batch, width, side, side, device=device, dtype=dtype).to(memory_format=layout)
                stock = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
                times[f"stock {name}"] = milliseconds(stock.to(device, dtype, memory_format=layout), x)
            ours = DepthwiseConv(width, kernel).to(device, dtype, memory_format=torch.channels_last)
            times["ours"] = milliseconds(ours, x)
            best = min(times["stock NCHW"], times["stock NHWC"])
            shown = {name: round(value, 3) for name, value in times.items()}
            rows.append({"kernel": kernel, "dtype": str(dtype)[6:], **shown, "ratio": round(best / times["ours"], 2)})
    return done(rows)


def milliseconds(module: nn.Module, x: torch.Tensor) -> float:
    """Median of forward and backward."""
    x = x.clone().requires_grad_()

    def step() -> None:
        module(x).sum().backward()

    times = []
    for _ in range(10):
        synchronise()
        begun = time.perf_counter()
        step()
        synchronise()
        times.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(times[3:])


# --- the promise, at full size


PROMISED = TOP / "studies" / "promise"


def promise(device: str, quick: bool) -> Result:
    """Families at one budget, the winner of a search at the same budget, and both trained with several seeds.

    `studies/promise` at the size of 1 GFLOPs; on the images of NAS_PROMISE_DATA, such as `folder:cifar10`, or else on
    synthetic ones, which say that everything works and nothing about networks.
    """
    import yaml

    budget, seeds = (2_000_000, 2) if quick else (1_000_000_000, 3)
    images = os.environ.get("NAS_PROMISE_DATA") or synthetic(
        Path("images.npz"), images=400 if quick else 20_000, side=32
    )
    only = ["--only", "convnext", "--only", "fasternet"] if quick else []
    called([str(PROMISED / "families.py"), "-o", "families", "--budget", str(budget), *only])
    space = yaml.safe_load((PROMISED / "joined.yaml").read_text())
    del space["x-kept"]  # its anchors are written out by now
    factor = (budget / 8e6) ** 0.5  # FLOPs go by the square of the widths
    files = sorted(str(path) for path in Path("families").iterdir())
    known = [yaml.safe_load(Path(file).read_text())["stages"]["width"] for file in files]
    columns = zip(space["stages"]["width"], zip(*known, strict=True), strict=True)
    space["stages"]["width"] = [{"choice": stretched(column["choice"], factor, own)} for column, own in columns]
    Path("joined.yaml").write_text(yaml.safe_dump(space))
    fields = {"learning_rate": 4e-3, "ema_decay": 0.98, "layer_scale_init": 1.0}
    batch = {"epochs": 2, "batch": 32} if quick else {"epochs": 6, "batch": 256}
    recipe = recipe_file(Path("recipe.yaml"), device, **fields, **batch)
    shared = [
        "--data",
        images,
        "--recipe",
        str(recipe),
        "--workers",
        "1" if quick else "4",
        "--device",
        device,
        "--json",
    ]
    until = ["--trials", "3"] if quick else ["--time", "4min", "--trials", "300"]
    within = f"{0.97 * budget / 1e6:g}..{1.03 * budget / 1e6:g}MFLOPs"
    search = ["search", "--space", "joined.yaml", "--budget", within, "--study", "promise", "--objective", "accuracy"]
    start = [word for file in files for word in ("--start", file)]
    called(["-m", "nas", *search, *until, *start, *shared])
    (best,) = json.loads(called(["-m", "nas", "pareto", "promise", "--json"]))
    compare = ["compare", *files, f"promise:{best['id']}", "--study", "both", "--seeds", str(seeds), "--test"]
    sizes = ["--resolution", "32", "--classes", "10"]
    rows = json.loads(called(["-m", "nas", *compare, *sizes, *shared]))
    return done([promised(row) for row in sorted(rows, key=lambda row: -(row["test_accuracy"] or 0))])


def stretched(widths: Sequence[int], factor: float, own: Sequence[int]) -> list[int]:
    """Widths times a factor, in steps of 8, and those of the families, which are points of the space by them."""
    return sorted({max(1, round(width * factor / 8)) * 8 for width in widths} | set(own))


def promised(row: Row) -> Row:
    """What the table says of a network."""
    half = row["test_half_width"]
    return {
        "network": Path(row["label"]).stem,
        "MFLOPs": round(row["flops"] / 1e6, 1),
        "params": row["params"],
        "validation": row["accuracy"] and round(row["accuracy"], 4),
        "test": row["test_accuracy"] and round(row["test_accuracy"], 4),
        "± 95%": half and round(half, 4),
        "seeds": row["seeds"],
    }


def called(command: list[str]) -> str:
    """What a command of ours prints; its last words where it fails."""
    ran = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ran.stderr[-2000:]}")
    return ran.stdout


# --- latencies


def latency(device: str, quick: bool) -> Result:
    """Published networks eager and compiled, in fp32 and bf16, repeatability, and in-band prediction."""
    from latencies import measured

    return done(measured(device, quick=quick))


PARTS: dict[str, Callable[[str, bool], Result]] = {
    one.__name__: one for one in (tests, search, throughput, sharing, memory, compile, depthwise, promise, latency)
}


def main() -> None:
    """Run one part and print its result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no accelerator here; try --device cpu --quick")
    print(json.dumps(PARTS[given.part](given.device, given.quick)))


if __name__ == "__main__":
    main()
