"""Commands that messages propose: pasted into a shell they do what they say, whatever is in the names."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_studies import add_search, write_ledger

from nas.cli.main import main
from nas.command_line import command_line
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord

Capture = pytest.CaptureFixture[str]

NAMES = (
    *("a b", "it's", 'say "x"', "x; touch gone", "$(touch gone)", "`touch gone`", "-dash", "--json", "ünï☃", "a&b"),
    *("#x", "*", "a\\b", "[bold]", "{x}", "100%", "!x", "~x", "tab\tx", "line\nx", "a|b>c"),
)
"""What a file may be called, and a shell or our own parser may misunderstand."""


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "nas.db"
    write_ledger(path)
    with Ledger.open(f"sqlite:///{path}") as ledger:
        definition = ledger.study("mine").definition
        for name in ("empty", "waiting"):
            record = StudyRecord(name=name, kind=StudyKind.SEARCH, definition=definition, created="2025-01-01T00:00:00")
            ledger.create_study(record)
        add_search(ledger, "other", trials=3, seed=5)
    return path


def proposals(text: str) -> list[list[str]]:
    """The commands in a text, split as a shell splits them: each goes on as long as it makes sense to a shell."""
    found = []
    for line in text.splitlines():
        for start in re.finditer(r"(?:^|: |[(`])(?=nas [a-z])", line):
            end = {"`": "`", "(": ")"}.get(line[start.end() - 1], "")
            rest = line[start.end() :]
            ends = [place for place in range(len(rest)) if end and rest[place] == end] or [len(rest)]
            found += [words for words in map(split, (rest[:place] for place in ends)) if words][:1]
    return found


def split(command: str) -> list[str]:
    """The words of a command; none where a quotation is open."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


@pytest.mark.parametrize("name", NAMES)
def test_a_proposed_command_is_read_by_a_shell_as_it_was_meant(name: str, tmp_path: Path) -> None:
    line = command_line("show", "--storage", name, arguments=[name, "second"])
    reading = shutil.which("sh" if name.isprintable() else "bash")
    if reading is None:
        pytest.skip("no shell that knows how to escape what is not printed")
    program = f"nas() {{ printf '%s\\0' \"$@\"; }}\n{line}"
    done = subprocess.run([reading, "-c", program], capture_output=True, text=True, check=True)
    words = done.stdout.split("\0")[:-1]
    ends = ["--"] if name.startswith("-") else []
    assert words == ["show", "--storage", name, *ends, name, "second"]
    assert not (tmp_path / "gone").exists()


PRINTED = [
    name if name == "it's" else pytest.param(name, marks=pytest.mark.slow) for name in NAMES if name.isprintable()
]
"""Those that our own splitting of commands understands, too."""


@pytest.mark.parametrize("name", PRINTED)
def test_commands_name_the_ledger_and_run(name: str, whole: Path, capsys: Capture) -> None:
    """From `pareto` to `show`, whatever the ledger is called."""
    Path(name).mkdir()
    shutil.copy(whole, Path(name) / "x.db")
    storage = f"sqlite:///{name}/x.db"
    assert main(["pareto", "mine", "--storage", storage]) == 0
    shown = proposals(capsys.readouterr().out)
    assert [words[1] for words in shown] == ["pareto", "export", "show"][-len(shown) :]
    for words in shown:
        if words[1] != "export":
            assert main(words[1:]) == 0, words
    assert main(["show", "mine:zzz", "--storage", storage]) == 2
    (words,) = proposals(capsys.readouterr().err)
    assert main(words[1:]) == 0
    assert main(["export", "empty", "--best", "-o", "out", "--storage", storage]) == 2
    (words,) = proposals(capsys.readouterr().err)
    assert main([*words[1:], "--dry-run"]) == 0
    capsys.readouterr()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a b", "-dash", "x; touch gone"])
def test_the_winner_is_taken_by_the_command_that_is_proposed(name: str, whole: Path, capsys: Capture) -> None:
    Path(name).mkdir()
    shutil.copy(whole, Path(name) / "x.db")
    assert main(["pareto", "mine", "--storage", f"sqlite:///{name}/x.db"]) == 0
    export = next(words for words in proposals(capsys.readouterr().out) if words[1] == "export")
    assert main(export[1:]) == 0
    said = capsys.readouterr().out
    assert Path("winner/architecture.yaml").is_file()
    loading = re.search(r"use it: (python .+?)    train", said)
    assert loading is not None
    program = shlex.split(loading[1])
    assert subprocess.run([sys.executable, *program[1:]], check=True, capture_output=True).returncode == 0


@pytest.mark.parametrize("name", PRINTED)
def test_files_of_awkward_names_are_named_in_commands(name: str, capsys: Capture) -> None:
    file = Path(f"{name}.yaml")
    file.write_text("name: these\narchitectures: [{architecture: van_b0}]\ndata: npz:missing.npz\n")
    assert main(["search", f"--study={name}.yaml"]) == 2
    (words,) = proposals(capsys.readouterr().err)
    assert words[:2] == ["nas", "compare"]
    assert main(words[1:]) == 2
    assert "missing.npz: no such file" in capsys.readouterr().err  # it was read, and its data is looked for
    file.write_text(
        "stem: {kind: patchify, patch: {choice: [2, 4]}}\nstages: {depth: 1, width: 8}\nhead: pool_norm_linear\n"
    )
    main(["show", "--", f"{name}.yaml"])
    capsys.readouterr()
    checkpoint = Path(f"{name}.pth")
    checkpoint.write_bytes(b"nothing")
    assert main(["erf", "-o", "x.png", "--", checkpoint.name]) == 2
    (words,) = proposals(capsys.readouterr().err)
    assert words[:2] == ["nas", "import"]
    filled = [{"NAME": "van_b0", "FOLDER": "out"}.get(word, word) for word in words[1:]]
    assert main(filled) == 2
    assert checkpoint.name in capsys.readouterr().err.replace("\n", "")


def test_a_study_that_was_interrupted_is_taken_up_by_the_command_that_is_proposed(
    whole: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("my runs").mkdir()
    shutil.copy(whole, "my runs/x.db")

    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nas.search.launch.run_plan", interrupted)
    words = ["search", "--resume", "--study", "waiting", "--trials", "9", "--time", "1h", "--checkpoints", "it's here"]
    assert main([*words, "--storage", "my runs/x.db"]) == 130
    (proposed,) = proposals(capsys.readouterr().err)
    assert main([*proposed[1:], "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["study"], plan["trials"], plan["seconds"]) == ("waiting", 9, 3600.0)


@pytest.mark.slow
def test_a_ledger_that_holds_a_study_of_this_name_is_named(whole: Path, capsys: Capture) -> None:
    shutil.copy(whole, "a b.db")
    shutil.copy(whole, "nas.db")
    assert main(["studies", "mine", "--copy-to", "sqlite:///a b.db"]) == 2
    (words,) = proposals(capsys.readouterr().err)
    assert main([word.replace("NEW", "theirs") for word in words[1:]]) == 0
    assert main(["studies", "mine", "--copy-to", "sqlite:///a b.db"]) == 0
