"""Plug-ins, from another program's point of view: each test is a process of its own, because what is loaded stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from plugin_texts import ONE, SPACE, STUDY, WAVE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "waves_plugin.py").write_text(WAVE)
    (tmp_path / "waves.yaml").write_text(SPACE)
    (tmp_path / "one.yaml").write_text(ONE)
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


def nas(folder: Path, *arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nas", *arguments]
    env = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def document(folder: Path, *arguments: str) -> Any:
    return json.loads(nas(folder, *arguments, "--json").stdout)


def program(folder: Path, text: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_part_of_a_file_is_priced_and_named_in_the_architecture(folder: Path) -> None:
    shown = document(folder, "show", "one.yaml", "--plugin", "waves_plugin.py")
    mixer = shown["architecture"]["stages"][0]["block"]["mixer"]
    assert mixer == {"kind": "wave", "plugin": "waves_plugin==1.2", "kernel": 5}
    assert json.dumps(shown["architecture"]).count('"plugin"') == 2  # of the mixer in both stages: nothing else
    (tiny,) = document(folder, "cost", "convnext_tiny", "--plugin", "waves_plugin.py")
    assert tiny["id"] == document(folder, "cost", "convnext_tiny")[0]["id"]
    (verified,) = document(folder, "cost", "one.yaml", "--plugin", "waves_plugin.py", "-r", "8", "--verify")
    assert verified["verified"]["agrees"]


@pytest.mark.slow
def test_without_it_the_message_says_what_to_pass(folder: Path) -> None:
    assert "unknown mixer 'wave'" in nas(folder, "cost", "one.yaml", code=2).stderr
    labelled = ONE.replace("kind: wave,", "kind: wave, plugin: waves_plugin==1.2,")
    (folder / "one.yaml").write_text(labelled)
    told = nas(folder, "cost", "one.yaml", code=2).stderr
    assert "needs the plug-in waves_plugin 1.2" in told
    assert "--plugin waves_plugin.py" in told
    (folder / "one.yaml").write_text(labelled.replace("==1.2", "==1.3"))
    told = nas(folder, "cost", "one.yaml", "--plugin", "waves_plugin.py", code=2).stderr
    assert "made with the plug-in waves_plugin 1.3, and 1.2 is loaded" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('wave")', 'depthwise")'), "there is a mixer 'depthwise' already, built in; give yours another name"),
        (("from torch import nn", "import no_such_thing"), "waves_plugin.py:5: ModuleNotFoundError"),
        (("@mixers", "mixers("), "waves_plugin.py:16: SyntaxError"),
        ((WAVE, "X = 1"), "registers nothing"),
    ],
)
def test_a_plug_in_that_cannot_be_loaded_is_refused_whole(folder: Path, change: tuple[str, str], told: str) -> None:
    (folder / "waves_plugin.py").write_text(WAVE.replace(*change, 1))
    done = nas(folder, "grammar", "mixer", "--plugin", "waves_plugin.py", code=2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_check_says_whether_parts_conform(folder: Path) -> None:
    (row,) = document(folder, "grammar", "--check", "--plugin", "waves_plugin.py")
    assert row == {"kind": "mixer", "name": "wave", "problems": []}
    (folder / "waves_plugin.py").write_text(WAVE.replace("self.kernel, site.size_out", "3, site.size_out"))
    done = nas(folder, "grammar", "--check", "--plugin", "waves_plugin.py", code=1)
    assert "mixer wave: does not conform" in done.stdout
    assert "by counting the module" in done.stdout
    assert "there are none: add --plugin" in nas(folder, "grammar", "--check", code=2).stderr


def test_a_missing_file_or_module_is_one_sentence(folder: Path) -> None:
    assert "no such file" in nas(folder, "grammar", "norm", "--plugin", "gone.py", code=2).stderr
    assert "no such module is installed" in nas(folder, "grammar", "norm", "--plugin", "no.such", code=2).stderr


ROLLED_BACK = """
import nas
from nas.errors import UserError
from nas.layers import mixers
text = open("waves_plugin.py").read()
open("waves_plugin.py", "w").write(text + "\\nraise ValueError('no')\\n")
try:
    nas.load_plugin("waves_plugin.py")
except UserError as error:
    print(error)
print("wave" in mixers)
open("waves_plugin.py", "w").write(text)
print(nas.load_plugin("waves_plugin.py").label, "wave" in mixers)
architecture = nas.load_architecture("one.yaml")
print(architecture.plugins, type(architecture).from_dict(architecture.to_dict()) == architecture)
print(type(nas.build(architecture, classes=3, in_channels=1)).__name__)
"""


@pytest.mark.slow
def test_what_a_failed_one_registered_is_taken_back(folder: Path) -> None:
    told, before, after, plugins, built = program(folder, ROLLED_BACK)
    assert told.endswith("ValueError: no")
    assert (before, after) == ("False", "waves_plugin==1.2 True")
    assert plugins == "('waves_plugin==1.2',) True"
    assert built == "Network"


@pytest.mark.slow
def test_an_installed_one_is_found_when_its_part_is_named(folder: Path) -> None:
    site = folder / "site"
    about = site / "wave_parts-3.1.dist-info"
    about.mkdir(parents=True)
    (site / "wave_parts.py").write_text(WAVE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: wave-parts\nVersion: 3.1\n")
    (about / "entry_points.txt").write_text("[nas.parts]\nwaves = wave_parts\n")
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    shown = json.loads(nas(folder, "show", "one.yaml", "--json", PYTHONPATH=path).stdout)
    assert shown["architecture"]["stages"][0]["block"]["mixer"]["plugin"] == "wave_parts==3.1"


@pytest.mark.slow
def test_searched_resumed_exported_and_reloaded_with_local_workers(folder: Path) -> None:
    _search_resume_export_reload(folder, "local")


@pytest.mark.slow
@pytest.mark.ray
def test_searched_resumed_exported_and_reloaded_on_ray(folder: Path) -> None:
    _search_resume_export_reload(folder, "ray")


RELOADED = """
import nas
from nas.errors import UserError
try:
    nas.load_model("winner")
except UserError as error:
    print(error)
print(type(nas.load_model("winner", plugin=["winner/waves_plugin.py"])).__name__)
"""


def _search_resume_export_reload(folder: Path, executor: str) -> None:
    found = document(folder, "search", "--study", "study.yaml", "--start", "one.yaml", "--executor", executor)
    assert found["evaluated"] == 2
    resume = ["search", "--resume", "--study", "waves", "-n", "3", "-w", "1", "--executor", executor]
    told = nas(folder, *resume, code=2).stderr
    assert "--plugin waves_plugin.py" in told
    (folder / "waves_plugin.py").rename(folder / "moved")
    (folder / "elsewhere").mkdir()
    (folder / "moved").rename(folder / "elsewhere" / "waves_plugin.py")  # named again wherever it is now
    again = document(folder, *resume, "--plugin", "elsewhere/waves_plugin.py")
    assert again["evaluated"] == 3
    rows = document(folder, "pareto", "waves")
    assert rows
    one = document(folder, "show", "one.yaml", "--plugin", "elsewhere/waves_plugin.py")["id"]
    nas(folder, "export", "waves", "--id", one, "-o", "winner", "--plugin", "elsewhere/waves_plugin.py")
    assert (folder / "winner" / "waves_plugin.py").read_text() == WAVE
    assert json.loads((folder / "winner" / "model.json").read_text())["plugins"] == ["waves_plugin==1.2"]
    told, network = program(folder, RELOADED)
    assert "needs the plug-in waves_plugin 1.2" in told
    assert "where you trust it" in told
    assert network == "Network"
