"""Everything that only an accelerator can show, in one call: `python tests/gpu/run.py -o DIR`.

The parts come in order of importance, each in a process and within a time limit of its own: one that fails, hangs or
runs out of memory takes nothing else along. `DIR/results.json` and `DIR/results.md` are written after every part, so
what was measured before an interruption is there. All in all at most six minutes on one H100.

It needs what `nas` needs without Ray, and no network; the part that runs the tests marked `gpu` is left out where there
is no pytest. `--promise` is `studies/promise` at the size of 1 GFLOPs, ten minutes at most; `--latency` measures twelve
published networks, eager and compiled, and predicts inside a band, six minutes at most. `--device cpu --quick` tries
the script itself: every part that makes sense there, in small. On a machine that others use as well, `--patience 10`
gives every part ten times its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TOP = HERE.parent.parent
LIMITS = {  # seconds, in order of importance; 355 together
    "tests": 80,
    "search": 60,
    "throughput": 60,
    "sharing": 60,
    "memory": 25,
    "depthwise": 40,
    "compile": 30,
}
ALONE = {"promise": 600, "latency": 360}
"""Seconds of the parts that are asked for by themselves."""


def main() -> int:
    """Run the parts; 1 if any failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where the results go")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="default: cuda")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the script itself")
    parser.add_argument(
        "--promise", action="store_true", help="studies/promise at full size instead, in ten minutes at most"
    )
    parser.add_argument("--latency", action="store_true", help="latencies instead, in six minutes at most")
    parser.add_argument("--data", metavar="DATA", help="its images, such as folder:PATH; default: synthetic ones")
    parser.add_argument(
        "--patience", type=float, default=1.0, metavar="FACTOR", help="times the limit of every part; default: 1"
    )
    parser.add_argument("--only", action="append", choices=LIMITS, help="a part to run; repeatable; default: all")
    given = parser.parse_args()
    if given.data is not None and not given.promise:
        parser.error("--data is for --promise")
    if not 0 < given.patience < float("inf"):
        parser.error(f"--patience is a factor above 0, got {given.patience:g}")
    alone = [name for name in ALONE if getattr(given, name)]
    given.output.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": machine(given.device), "quick": given.quick, "parts": {}}
    if given.data is not None:
        os.environ["NAS_PROMISE_DATA"] = given.data
    for name in alone or given.only or LIMITS:
        sys.stderr.write(f"{name} ...\n")
        results["parts"][name] = one_part(name, given.device, quick=given.quick, patience=given.patience)
        (given.output / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        (given.output / "results.md").write_text(as_markdown(results), encoding="utf-8")
    sys.stdout.write(as_markdown(results))
    return int(any(part["status"] == "failed" for part in results["parts"].values()))


def machine(device: str) -> dict[str, str]:
    """What the figures are of."""
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" and torch.cuda.is_available() else platform.processor()
    return {"device": name or device, "torch": torch.__version__, "cuda": str(torch.version.cuda), "date": _today()}


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def one_part(name: str, device: str, *, quick: bool, patience: float) -> dict[str, Any]:
    """The result of a part: its status, its seconds, and rows of figures; `patience` is a factor of its limit."""
    command = [sys.executable, str(HERE / "parts.py"), name, "--device", device, *(["--quick"] if quick else [])]
    limit = {**LIMITS, **ALONE}[name] * patience
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TOP), os.environ.get("PYTHONPATH", "")])}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        environment["XDG_CACHE_HOME"] = folder
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            said = (error.stderr or b"").decode(errors="replace")
            return {"status": "failed", "seconds": limit, "why": f"took longer\n{said[-2000:]}", "rows": []}
    seconds = round(time.monotonic() - begun, 1)
    if done.returncode:
        return {"status": "failed", "seconds": seconds, "why": (done.stdout + done.stderr)[-4000:], "rows": []}
    return {"seconds": seconds, **json.loads(done.stdout.splitlines()[-1])}


def as_markdown(results: dict[str, Any]) -> str:
    """A table a part."""
    about = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    lines = [f"# On an accelerator{', tried in small' if results['quick'] else ''}", "", about, ""]
    for name, part in results["parts"].items():
        lines += [f"## {name}: {part['status']}, {part['seconds']} s", ""]
        if part.get("why"):
            lines += ["```", str(part["why"]).strip(), "```", ""]
        if part["rows"]:
            head = list(part["rows"][0])
            lines += [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
            lines += [f"| {' | '.join(str(row.get(key, '')) for key in head)} |" for row in part["rows"]]
            lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
