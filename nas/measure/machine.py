"""What the machine is and how busy it is: stands in every record."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path


def processor() -> str:
    """The processor's name, without which a time says nothing."""
    return _linux_name() or platform.processor() or platform.machine() or "unknown processor"


def load() -> float | None:
    """Processes that ran or wanted to run during the last minute, over the cores; None where nobody counts them."""
    if not hasattr(os, "getloadavg"):
        return None
    with suppress(OSError):
        return round(os.getloadavg()[0] / (os.cpu_count() or 1), 2)
    return None


def _linux_name(path: Path = Path("/proc/cpuinfo")) -> str | None:
    """Name, family and model: a virtual machine says no more than 'AMD EPYC' of several generations."""
    fields: dict[str, str] = {}
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines():
            key, _, value = line.partition(":")
            fields[key.strip()] = " ".join(value.split())
    if "model name" not in fields:
        return None
    return f"{fields['model name']} (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')})"
