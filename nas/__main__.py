"""`python -m nas` is `nas`."""

import sys

from nas.cli.main import program

if __name__ == "__main__":
    sys.exit(program())
