"""The `nas` command on a real PostgreSQL: a server that crashes under a search, a password that nobody may see."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_servers import empty_postgres, postgres, restart

from nas.errors import NasError
from nas.ledger import Ledger
from nas.records import TrialRecord, TrialState

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PASSWORD = "hunter2-kR7"
SPACE = """
name: small
task: {resolution: 16, classes: 10, channels: 1}
stem: {kind: patchify, patch: 4}
stages:
  depth: {int: [1, 5], per: stage}
  width: {base: {int: [8, 24], step: 8}, ratio: [1, 2]}
  block: {kind: mixer_first, mixer: {kind: depthwise, kernel: {choice: [3, 5], per: stage}}, layer_scale: 1e-6}
  downsample: conv
head: pool_norm_linear
"""


@pytest.fixture
def server() -> Iterator[Any]:
    with (
        tempfile.TemporaryDirectory(prefix="nas-pg-", ignore_cleanup_errors=True) as folder,
        postgres(Path(folder)) as server,
    ):
        yield server


def with_password(url: str) -> str:
    assert "postgres:@" in url
    return url.replace("postgres:@", f"postgres:{PASSWORD}@")


def search(folder: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    (folder / "space.yaml").write_text(SPACE)
    command = [sys.executable, "-m", "nas", "search", *arguments, "--storage", url, "--trials", "8", "--workers", "1"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


NEW = (
    "--space", "space.yaml", "--budget", "400kFLOPs", "--data", "digits", "--study", "small",
    "--epochs", "1", "--data-share", "0.2", "--resolution", "16", "--sampler", "tpe", "--json",
)  # fmt: skip


def trials(url: str) -> list[TrialRecord]:
    try:
        with Ledger.read(url, patience=0.0) as ledger:
            return ledger.trials("small")
    except NasError:  # not begun
        return []


def trained(url: str) -> int:
    return sum(one.state is TrialState.DONE for one in trials(url))


def test_a_search_survives_crashes_of_its_server_and_shows_no_password(server: Any, tmp_path: Path) -> None:
    url = with_password(empty_postgres(server))
    driver = search(tmp_path, url, *NEW)
    for target in (1, 4):
        while driver.poll() is None and trained(url) < target:
            time.sleep(0.1)
        assert driver.poll() is None, driver.communicate()[0]
        restart(server, meanwhile=lambda: time.sleep(3.0))
    said, _ = driver.communicate()
    assert driver.returncode == 0, said
    disturbed = trials(url)

    empty_postgres(server)
    alone = search(tmp_path, url, *NEW)
    assert alone.communicate()[0]
    assert essence(disturbed) == essence(trials(url))
    with Ledger.read(url) as ledger:
        counts = Counter(one.key for one in ledger.evaluations())
    assert max(counts.values()) == 1
    assert all(one.attempts <= 1 for one in disturbed)
    assert sum(one.state is TrialState.DONE for one in disturbed) == 8
    assert "waiting up to" in said
    assert "is back after" in said
    assert PASSWORD not in said
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in server.psql("SELECT query_to_xml('SELECT * FROM nas_studies', true, false, '')")


def essence(records: list[TrialRecord]) -> list[tuple[int, str, str, float | None]]:
    return [
        (one.number, one.architecture_id, one.state, one.evaluation.accuracy if one.evaluation else None)
        for one in records
    ]


PLAIN = "postgresql+psycopg://ann:{}@127.0.0.1:1/nas"
COMMANDS = [
    ("search", *NEW),
    ("search", "--resume", "--study", "nothing"),
    ("pareto", "nothing"),
    ("export", "nothing", "--best", "-o", "out"),
]
ADDRESSES = [
    "postgresql://ann@corp:{}@127.0.0.1:1/nas",
    "postgres://ann@127.0.0.1:1/nas?password={}",
    "postgresql://ann:p@{}@127.0.0.1:1/nas",
    "postgresql://ann:{}@127.0.0.1:1/nas?colour=blue",
    "postgresql://ann:{}@127.0.0.1:port/nas",
    "mysql+pymysql://ann:{}@127.0.0.1:1/nas",
    "ann:{}@127.0.0.1:1/nas",
]


@pytest.mark.parametrize(
    ("arguments", "address"),
    [*((command, PLAIN) for command in COMMANDS), *((("studies", "--json"), address) for address in ADDRESSES)],
    ids=str,
)
def test_no_command_shows_a_password(tmp_path: Path, arguments: tuple[str, ...], address: str) -> None:
    (tmp_path / "space.yaml").write_text(SPACE)
    command = [sys.executable, "-m", "nas", *arguments, "--storage", address.format(PASSWORD)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert PASSWORD not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2, done.stderr
