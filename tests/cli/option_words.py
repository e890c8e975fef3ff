"""For every parameter of every command a command line, and the same with the parameter said otherwise.

The words are those of a folder with the files of `option_place.py`; FIRST is the id of a candidate of the study `mine`.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple


class Words(NamedTuple):
    """Two command lines, which have to differ in what they do."""

    without: list[str]
    said: list[str]


def _adding(base: str, added: dict[str, str]) -> dict[str, Words]:
    """Options that are added to one command line."""
    return {option: _pair(base, f"{base} {more}") for option, more in added.items()}


def _pair(without: str, said: str) -> Words:
    return Words(shlex.split(without), shlex.split(said))


_SPACE = "--space tiny --budget 30MFLOPs"
_SMALL = "--space tiny --budget 5MFLOPs"
_CANDIDATE = "mine:FIRST"
_ANY = {"--json": "--json", "--plugin": "--plugin broken.py"}
_ASKED = {"--budget": "--budget 1Mparams", "--resolution": "--resolution 64", "--classes": "--classes 3"}
_WORKERS = {
    "--workers": "--workers 7",
    "--executor": "--executor ray",
    "--hang-time": "--hang-time 5min",
    "--device": "--device gpu",
    "--metrics": "--metrics 0",
}
_TRACKERS = {"--tensorboard": "--tensorboard curves", "--wandb": "--wandb curves", "--mlflow": "--mlflow curves"}
_ON_RAY = {
    "--ray-address": "--ray-address 127.0.0.1:1",
    "--cpus-per-worker": "--cpus-per-worker 2",
    "--gpus-per-worker": "--gpus-per-worker 0.5",
    "--resource": "--resource site=1",
}


def _trained_by_workers(base: str) -> dict[str, Words]:
    return {**_adding(base, _WORKERS), **_adding(f"{base} --executor ray", _ON_RAY)}


def _named(option: str, base: str) -> dict[str, Words]:
    """A candidate of a study, whose ledger is another one."""
    return _adding(f"{base} {_CANDIDATE}".strip(), {option: "--storage other.db"})


_SEARCH = {
    "place": _pair(_SPACE, "other.yaml --budget 30MFLOPs"),
    "--space": _pair(_SPACE, "--space other.yaml --budget 30MFLOPs"),
    "--resume": _pair("--study mine", "--study mine --resume"),
    **_trained_by_workers(_SPACE),
    **_adding(f"{_SPACE} --executor ray", {"--measure-on": "--measure-on device:jetson"}),
    **_adding(f"{_SPACE} --dry-run", {"--json": "--json"}),
    **_adding(
        _SPACE,
        {
            **_ASKED,
            **_TRACKERS,
            "--data": "--data folder:images",
            "--objective": "--objective accuracy,params",
            "--trials": "--trials 5",
            "--time": "--time 1h",
            "--train-time": "--train-time 1h",
            "--patience": "--patience 7",
            "--sampler": "--sampler random",
            "--control": "--control 0.5",
            "--start": "--start mine",
            "--seed": "--seed 5",
            "--study": "--study another",
            "--recipe": "--recipe proxy_fast",
            "--rungs": "--rungs 1,2 --epochs 9",
            "--epochs": "--epochs 11",
            "--data-share": "--data-share 0.5",
            "--evaluate": "--evaluate own.py:score",
            "--checkpoints": "--checkpoints kept",
            "--storage": "--storage other.db",
            "--dry-run": "--dry-run",
            "--plugin": "--plugin broken.py",
        },
    ),
}
_CHECK = {
    "place": _pair(_SPACE, "other.yaml --budget 30MFLOPs"),
    "--space": _pair(_SPACE, "--space other.yaml --budget 30MFLOPs"),
    "--storage": _pair("tiny --budget 1ms@torch-cpu", "tiny --budget 1ms@torch-cpu --storage no.db"),
    **_adding(
        _SPACE,
        {
            **_ANY,
            **_ASKED,
            "--data": "--data folder:images",
            "--trials": "--trials 5",
            "--workers": "--workers 7",
            "--recipe": "--recipe proxy_fast",
            "--epochs": "--epochs 11",
            "--evaluate": "--evaluate own.py:score",
            "--device": "--device gpu",
        },
    ),
}
_SAMPLE = {
    "place": _pair(_SPACE, "other.yaml --budget 30MFLOPs"),
    "--space": _pair(_SPACE, "--space other.yaml --budget 30MFLOPs"),
    "--storage": _pair("tiny --budget 1ms@torch-cpu", "tiny --budget 1ms@torch-cpu --storage no.db"),
    **_adding(_SPACE, {**_ANY, **_ASKED, "--count": "--count 3", "--seed": "--seed 5", "--output": "-o out"}),
}
_CALIBRATE = {
    "place": _pair(f"{_SMALL} -p quick-torch", "other.yaml --budget 5MFLOPs -p quick-torch"),
    "--space": _pair(f"{_SMALL} -p quick-torch", "--space other.yaml --budget 5MFLOPs -p quick-torch"),
    "--profile": _pair(f"{_SMALL} -p quick-torch", f"{_SMALL} -p torch-cpu"),
    "--json": _pair(f"{_SMALL} -p quick-torch -n 20", f"{_SMALL} -p quick-torch -n 20 --json"),
    **_adding(
        f"{_SMALL} -p quick-torch",
        {
            "--budget": "--budget 50kparams",
            "--count": "--count 21",
            "--seed": "--seed 5",
            "--resolution": "--resolution 16",
            "--storage": "--storage mysql://here",
            "--plugin": "--plugin broken.py",
        },
    ),
}
_COMPARE = {
    "architectures": _pair("arch.yaml", "arch.yaml deep.yaml"),
    "--storage": _pair(_CANDIDATE, f"{_CANDIDATE} --storage other.db"),
    **_trained_by_workers("arch.yaml"),
    **_adding(
        "arch.yaml",
        {
            **_ANY,
            "--data": "--data folder:images",
            "--recipe": "--recipe proxy_fast",
            "--study": "--study another",
            "--resolution": "--resolution 64",
            "--classes": "--classes 3",
            "--seeds": "--seeds 2",
            "--test": "--test",
            "--output": "-o out.md",
            "--plot": "--plot out.svg",
        },
    ),
}
_TRUST = {
    "place": _pair(_SMALL, "other.yaml --budget 5MFLOPs"),
    "--space": _pair(_SMALL, "--space other.yaml --budget 5MFLOPs"),
    "--json": _pair(f"{_SMALL} --dry-run", f"{_SMALL} --dry-run --json"),
    **_trained_by_workers(_SMALL),
    **_adding(
        _SMALL,
        {
            **_ASKED,
            "--data": "--data folder:images",
            "--recipe": "--recipe proxy",
            "--reference": "--reference proxy",
            "--architectures": "--architectures 5",
            "--seeds": "--seeds 2",
            "--seed": "--seed 5",
            "--study": "--study another",
            "--checkpoints": "--checkpoints kept",
            "--storage": "--storage other.db",
            "--output": "-o /dev/null/out.md",
            "--dry-run": "--dry-run",
            "--plugin": "--plugin broken.py",
        },
    ),
}
_REFINE = {
    "study": _pair("mine", "searched"),
    "--json": _pair("mine --dry-run", "mine --dry-run --json"),
    **_trained_by_workers("mine"),
    **_adding(
        "mine",
        {
            "--top": "--top 1",
            "--id": "--id FIRST",
            "--trials": "--trials 5",
            "--recipe": "--recipe proxy_fast",
            "--epochs": "--epochs 11",
            "--rungs": "--rungs none",
            "--data": "--data folder:images",
            "--seed": "--seed 5",
            "--output": "-o /dev/null/out",
            "--checkpoints": "--checkpoints kept",
            "--storage": "--storage other.db",
            "--dry-run": "--dry-run",
            "--plugin": "--plugin broken.py",
        },
    ),
}
_SHRINK = {
    "study": _pair("-o out.yaml searched", "-o out.yaml mine"),
    "--force": _pair("searched -o other.yaml", "searched -o other.yaml --force"),
    "--workers": _pair("searched --verify 2", "searched --verify 2 --workers 7"),
    "--device": _pair("searched --verify 2", "searched --verify 2 --device gpu"),
    **_adding(
        "searched -o out.yaml",
        {**_ANY, "--output": "-o another.yaml", "--verify": "--verify 2", "--storage": "--storage other.db"},
    ),
}
_STATUS = {
    "study": _pair("mine", "searched"),
    **_adding("mine", {"--json": "--json", "--watch": "--watch 1", "--storage": "--storage other.db"}),
}
_STUDIES = {
    "studies": _pair("", "mine"),
    "--yes": _pair("--delete mine", "--delete mine --yes"),
    **_adding(
        "",
        {
            "--json": "--json",
            "--rename": "--rename mine yours",
            "--copy-to": "--copy-to copy.db",
            "--delete": "--delete mine --yes",
            "--storage": "--storage other.db",
        },
    ),
}
_PARETO = {
    "studies": _pair("mine", "mine searched"),
    "--top": _pair("mine --all", "mine --all --top 1"),
    "--workers": _pair("mine --confirm 1", "mine --confirm 1 --workers 7"),
    "--device": _pair("mine --confirm 1", "mine --confirm 1 --device gpu"),
    **_adding(
        "mine",
        {
            **_ANY,
            "--all": "--all",
            "--storage": "--storage other.db",
            "--x": "--x params",
            "--y": "--y params",
            "--plot": "--plot out.svg",
            "--presets": "--presets",
            "--confirm": "--confirm 1",
            "--csv": "--csv",
        },
    ),
}
_ANALYZE = {
    "studies": _pair("mine", "searched"),
    "--plot": _pair("searched --by norm", "searched --by norm --plot out.html"),
    **_adding(
        "mine",
        {
            **_ANY,
            "--storage": "--storage other.db",
            "--by": "--by kernel",
            "--from": f"--from {_CANDIDATE}",
            "--rung": "--rung 1",
            "--all": "--all",
            "--optuna": "--optuna",
        },
    ),
}
_REPORT = {
    "studies": _pair("mine", "mine searched"),
    **_adding(
        "mine",
        {**_ANY, "--output": "-o another.html", "--trained": "--trained trained", "--storage": "--storage other.db"},
    ),
}
_TASK = {"--resolution": "--resolution 64", "--classes": "--classes 3"}
_SHOW = {
    "architecture": _pair("arch.yaml", "deep.yaml"),
    **_named("--storage", ""),
    **_adding("arch.yaml", {**_ANY, **_TASK, "--yaml": "--yaml", "--svg": "--svg out.svg", "--png": "--png out.png"}),
}
_COST = {
    "architectures": _pair("arch.yaml", "arch.yaml deep.yaml"),
    **_named("--storage", ""),
    **_adding("arch.yaml", {**_ANY, **_TASK, "--verify": "--verify"}),
}
_DIFF = {
    "architectures": _pair("arch.yaml deep.yaml", "deep.yaml arch.yaml"),
    **_named("--storage", "arch.yaml"),
    **_adding("arch.yaml deep.yaml", {**_ANY, **_TASK}),
}
_LATENCY = {
    "architectures": _pair("arch.yaml -p quick-torch", "arch.yaml deep.yaml -p quick-torch"),
    "--profile": _pair("arch.yaml -p quick-torch", "arch.yaml -p torch-cpu"),
    "--records": _pair("arch.yaml", "arch.yaml --records"),
    "--export": _pair("", "--export out.json"),
    "--import": _pair("--records", "--import records.json"),
    "--profiles": _pair("", "--profiles"),
    "--json": _pair("--records", "--records --json"),
    "--family": _pair("presets -p quick-torch", "presets -p quick-torch --family van"),
    "--storage": _pair("--records", "--records --storage other.db"),
    **_adding("arch.yaml -p quick-torch", {**_TASK, "--fresh": "--fresh", "--plugin": "--plugin broken.py"}),
}
_ERF = {
    "architectures": _pair("arch.yaml -n 1", "deep.yaml -n 1"),
    **_named("--storage", "-n 1"),
    **_adding(
        "arch.yaml -n 1",
        {
            **_ANY,
            "--output": "-o out.svg",
            "--data": "--data folder:images",
            "--images": "-n 2",
            "--resolution": "--resolution 16",
            "--device": "--device gpu",
        },
    ),
    "--seed": _pair("arch.yaml -n 1 --json", "arch.yaml -n 1 --json --seed 5"),
}
_SHAPE_BIAS = {
    "model": _pair("trained --data conflicts", "arch.yaml --data conflicts"),
    "--data": _pair("trained --data conflicts", "trained --data images"),
    "--storage": _pair(f"{_CANDIDATE} --data conflicts", f"{_CANDIDATE} --data conflicts --storage other.db"),
    **_adding("trained --data conflicts", {**_ANY, "--device": "--device gpu"}),
}
_EXPORT = {
    "sources": _pair("-o out arch.yaml", "-o out deep.yaml"),
    "--output": _pair("arch.yaml -o out", "arch.yaml -o another"),
    "--best": _pair("mine -o out", "mine --best -o out"),
    "--id": _pair("mine --best -o out", "mine --id FIRST -o out"),
    "--force": _pair("arch.yaml -o trained", "arch.yaml -o trained --force"),
    "--opset": _pair("arch.yaml -o out -f onnx", "arch.yaml -o out -f onnx --opset 18"),
    "--batch": _pair("arch.yaml -o out -f onnx", "arch.yaml -o out -f onnx --batch 2"),
    "--device": _pair("trained -o out", "trained -o out --device gpu"),
    "--data": _pair("mine --best -o out", "mine --best -o out --data folder:images"),
    **_named("--storage", "-o out"),
    **_adding("arch.yaml -o out", {**_ANY, **_TASK, "--format": "--format python"}),
    "--merged": _pair("branched.yaml -o out", "branched.yaml -o out --merged"),
}
_TRAIN = {
    "architecture": _pair("-o out arch.yaml", "-o out deep.yaml"),
    "--from": _pair("-o out --data folder:images arch.yaml", "-o out --data folder:images --from trained"),
    "--storage": _pair(f"-o out {_CANDIDATE}", f"-o out {_CANDIDATE} --storage other.db"),
    "--force": _pair("arch.yaml -o trained", "arch.yaml -o trained --force"),
    "--json": _pair("arch.yaml -o out", "arch.yaml -o out --json"),
    **_adding(
        "arch.yaml -o out",
        {
            **_TRACKERS,
            "--output": "-o another",
            "--data": "--data folder:images",
            "--recipe": "--recipe proxy_fast",
            "--epochs": "--epochs 11",
            "--resolution": "--resolution 16",
            "--batch": "--batch 7",
            "--learning-rate": "--learning-rate 0.1",
            "--micro-batch": "--micro-batch 2",
            "--seed": "--seed 5",
            "--seeds": "--seeds 2",
            "--device": "--device gpu",
            "--plugin": "--plugin broken.py",
        },
    ),
}
_IMPORT = {
    "checkpoint": _pair("weights.pth -p convnext_atto -o out", "no.pth -p convnext_atto -o out"),
    "--preset": _pair("weights.pth -p convnext_atto -o out", "weights.pth -p convnext_femto -o out"),
    "--force": _pair("weights.pth -p convnext_atto -o trained", "weights.pth -p convnext_atto -o trained --force"),
    **_adding("weights.pth -p convnext_atto -o out", {**_ANY, "--output": "-o another"}),
}
_TABLE = "mine.yaml --trials 6 --seeds 1"
_BENCH_TABLE = {
    "tables": _pair(_TABLE, f"{_TABLE} yours.yaml"),
    **_adding(
        _TABLE,
        {
            "--json": "--json",
            "--sampler": "--sampler evolution",
            "--trials": "--trials 7",
            "--seeds": "--seeds 2",
            "--workers": "--workers 7",
            "--control": "--control 0.5",
            "--only": "--only front",
            "--files": "--files images",
            "--jobs": "--jobs 7",
            "--keep": "--keep kept.json",
            "--output": "-o out.md",
            "--plot": "--plot out.svg",
        },
    ),
}
_BENCH_LEDGERS = {
    "ledgers": _pair("nas.db", "nas.db twin.db"),
    **_adding(
        "nas.db", {"--json": "--json", "--study": "--study mine", "--output": "-o out.md", "--plot": "--plot out.svg"}
    ),
}
_BENCH_DRIVER = {
    "--space": _pair(_SPACE, "--space other.yaml --budget 30MFLOPs"),
    **_adding(
        _SPACE,
        {
            "--json": "--json",
            "--budget": "--budget 1Mparams",
            "--workers": "--workers 7",
            "--trials": "--trials 7",
            "--sampler": "--sampler evolution",
            "--rungs": "--rungs 1,3",
            "--training": "--training 1h",
            "--spread": "--spread 0.5",
            "--lost": "--lost 0.5",
            "--out-of-memory": "--out-of-memory 0.5",
            "--diverged": "--diverged 0.5",
            "--together": "--together 7",
            "--seed": "--seed 5",
            "--storage": "--storage other.db",
            "--keep": "--keep mine.csv",
            "--output": "-o out.md",
        },
    ),
}
WORDS: dict[str, dict[str, Words]] = {
    "search": _SEARCH,
    "check": _CHECK,
    "sample": _SAMPLE,
    "calibrate": _CALIBRATE,
    "compare": _COMPARE,
    "trust": _TRUST,
    "refine": _REFINE,
    "shrink": _SHRINK,
    "status": _STATUS,
    "studies": _STUDIES,
    "pareto": _PARETO,
    "analyze": _ANALYZE,
    "report": _REPORT,
    "show": _SHOW,
    "cost": _COST,
    "diff": _DIFF,
    "latency": _LATENCY,
    "erf": _ERF,
    "shape-bias": _SHAPE_BIAS,
    "grammar": {
        "kind": _pair("norm", "head"),
        **_adding("norm", {**_ANY, "--schema": "--schema", "--check": "--check"}),
        "--schema": _pair("space", "space --schema"),
    },
    "presets": _adding("", {"--json": "--json", "--family": "--family van"}),
    "cache": _adding("", {"--json": "--json", "--limit": "--limit 1GB", "--prune": "--prune"}),
    "recipes": {"recipe": _pair("", "proxy"), **_adding("", {"--json": "--json"})},
    "export": _EXPORT,
    "train": _TRAIN,
    "import": _IMPORT,
    "bench table": _BENCH_TABLE,
    "bench ledgers": _BENCH_LEDGERS,
    "bench driver": _BENCH_DRIVER,
}
