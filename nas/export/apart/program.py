"""A converter (`NAME write PROGRAM FILE`) or its runtime (`NAME run FILE IMAGES OUTPUTS`), run by this file."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    try:
        name, what, *words = sys.argv[1:]
        getattr(import_module(f"{name}_program"), what)(*words)
    except Exception as error:  # the converters' errors are of no common type
        sys.exit(f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}")
