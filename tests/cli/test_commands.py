from __future__ import annotations

from pathlib import Path

import pytest
from answers import Capture, complaint, document

from nas.cli.main import main


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_cost_gives_the_papers_integers(capsys: Capture) -> None:
    tiny, xlarge = document(capsys, "cost", "convnext_tiny", "convnext_xlarge")
    assert (tiny["params"], tiny["flops"]) == (28589128, 4455531264)
    assert (xlarge["params"], xlarge["train_params"]) == (350196968, 350196968)
    assert tiny.keys() == {
        "name", "id", "resolution", "params", "flops", "activations", "train_params", "train_flops",
    }  # fmt: skip


def test_cost_at_another_resolution_and_number_of_classes(capsys: Capture) -> None:
    (at_384,) = document(capsys, "cost", "convnext_tiny", "--resolution", "384")
    assert (at_384["params"], at_384["flops"]) == (28589128, 13092317184)
    (ten,) = document(capsys, "cost", "convnext_tiny", "--classes", "10")
    assert ten["params"] == 28589128 - 990 * 769


@pytest.mark.slow
def test_verify_counts_the_built_network(capsys: Capture) -> None:
    (row,) = document(capsys, "cost", "convnext_tiny", "--resolution", "64", "--verify")
    assert row["verified"]["agrees"]
    assert row["verified"]["flops"] == row["train_flops"]
    assert main(["cost", "convnext_tiny", "--resolution", "64", "--verify"]) == 0
    assert "agrees with the closed form" in capsys.readouterr().out.replace("\n", " ")


def test_presets_are_named_as_promised(capsys: Capture) -> None:
    assert {f"convnext_{size}" for size in ("tiny", "small", "base", "large", "xlarge")} <= set(
        document(capsys, "presets")
    )


def test_show_draws_every_part_and_its_numbers_add_up(capsys: Capture) -> None:
    shown = document(capsys, "show", "convnext_tiny")
    assert sum(part["flops"] for part in shown["parts"]) == shown["flops"] == 4455531264
    assert sum(part["params"] for part in shown["parts"]) == shown["params"]
    assert main(["show", "convnext_tiny"]) == 0
    drawn = capsys.readouterr().out
    assert "stage 3 · blocks 1-9" in drawn
    assert "14x14" in drawn
    assert "mixer: {kind: depthwise, kernel: 7, bias: true," in drawn  # defaults, too
    assert "norm_placement: before_pointwise" in drawn


@pytest.mark.slow
def test_show_draws_into_files(capsys: Capture) -> None:
    assert main(["show", "convnext_atto", "--svg", "new/a.svg", "--png", "a.png"]) == 0
    assert Path("new/a.svg").read_text().startswith("<svg")
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert "with --svg an architecture can be drawn as .svg" in complaint(
        capsys, "show", "convnext_atto", "--svg", "a.png"
    )
    assert "can be drawn as .png" in complaint(capsys, "show", "convnext_atto", "--png", "a.pdf")


def test_sample_is_distinct_within_budget_and_repeatable(capsys: Capture) -> None:
    arguments = ("sample", "--space", "convnext.yaml", "--budget", "4.2..4.5GFLOPs", "-n", "5", "--seed", "3")
    drawn = document(capsys, *arguments)
    assert len({one["id"] for one in drawn}) == 5
    assert all(4.2e9 <= one["flops"] <= 4.5e9 for one in drawn)
    assert drawn == document(capsys, *arguments)


@pytest.mark.slow
def test_check_says_what_a_run_would_do(capsys: Capture) -> None:
    checked = document(capsys, "check", "--space", "tiny", "--budget", "3MFLOPs", "--trials", "4", "--workers", "2")
    assert checked["size"] == 193536
    assert checked["is_exact"]
    assert 0 < checked["points"] == checked["feasible"] * checked["size"] < checked["size"]
    assert checked["plan"]["run_seconds"] > 0
    assert checked["plan"]["chosen_by"]["images"] == checked["plan"]["images"]["train"]
    assert checked["plan"]["recipe"]["init"] == "fan_in"
    assert [row["measure"] for row in checked["plan"]["proxy_health"]] == [
        "near chance",
        "at the ceiling",
        "told apart",
    ]
    assert any("width.base" in sentence for sentence in checked["dead"])


def test_impossible_budget_says_what_can_be_reached(capsys: Capture) -> None:
    said = complaint(capsys, "search", "--space", "convnext", "--budget", "10MFLOPs")
    assert "the smallest it can reach is 198.347136MFLOPs" in said
    assert not Path("nas.db").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["search"], "which space"),
        (["search", "--space", "convnex"], "did you mean 'convnext'"),
        (["search", "--space", "tiny", "--budget", "4.5G"], "G of what?"),
        (["search", "--space", "tiny", "--sampler", "tpee"], "did you mean 'tpe'"),
        (["search", "--space", "tiny", "--data", "digit"], "did you mean 'digits'"),
        (["search", "--space", "tiny", "--data", "folder:missing"], "missing"),
        (["search", "--space", "tiny", "--executor", "locale"], "did you mean 'local'"),
        (["search", "--space", "tiny", "--study", "a/../b"], "cannot name a study"),
        (["search", "--space", "tiny", "--trials", "0"], "trials"),
        (["search", "--space", "tiny", "--time", "soon"], "write it like '2h'"),
        (["search", "--space", "tiny", "--objective", "accuracy,flop"], "did you mean 'flops'"),
        (["search", "--space", "tiny", "--start", "convnext_tiny"], "no point of the space tiny"),
        (["search", "--spac", "tiny"], "--space"),
        (["search", "--resume"], "nas search"),
        (["search", "--study", "missing.yaml"], "no such file"),
        (["cost", "convnext_tinny"], "did you mean 'convnext_tiny'"),
        (["cost", "tiny.yaml"], "no such file"),
        (["show", "study:abc"], "no ledger"),
        (["pareto"], "no ledger"),
        (["studies", "--storage", "nonsense"], "nonsense"),
        (["export", "-o", "out"], "either --best or --id"),
        (["pareto", "--csv", "--json"], "give one of them"),
        (["train", "convnext_tiny", "--device", "tpu", "-o", "out"], "unknown device"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_gets_one_clear_message(arguments: list[str], says: str, capsys: Capture) -> None:
    assert says in complaint(capsys, *arguments)


def test_study_file_with_mistakes_lists_all_of_them(capsys: Capture) -> None:
    Path("mine.yaml").write_text("space: tiny.yaml\nbudgett: 30MFLOPs\ntrials: many\nrecipe: {epochs: 0}\n")
    said = complaint(capsys, "search", "--study", "mine.yaml")
    assert "mine.yaml:2:1: unknown key 'budgett'; did you mean 'budget'?" in said
    assert "mine.yaml:3:9: trials" in said
    assert "mine.yaml:4:18: recipe.epochs" in said


def test_password_is_never_printed(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.ledger.database.OPENING_SECONDS", 0.1)
    url = "postgresql+psycopg://someone:topsecret@127.0.0.1:1/nothing"
    said = complaint(capsys, "search", "--space", "tiny", "--budget", "30MFLOPs", "--storage", url)
    assert "topsecret" not in said
    assert "someone:***@" in said


def test_recipes_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    listed = document(capsys, "recipes")
    assert {"convnext_300e", "convnext_finetune", "replknet_120e", "proxy_fast", "proxy_faithful"} <= {
        one["name"] for one in listed
    }
    assert all("arXiv" in one["about"] for one in listed if one["name"].startswith(("convnext", "replknet")))
    assert document(capsys, "recipes", "convnext_300e")["epochs"] == 300
    assert main(["recipes", "proxy_fast"]) == 0
    assert "passes over the training images" in capsys.readouterr().out
    words = document(capsys, "recipes", "replknet_120e")["about"]
    assert "0.5 in every preset whose kernels are compared, RepLKNet-3 to 31B, so that nothing but the kernel" in words
    (family,) = {one["source"]["drop_path"] for one in document(capsys, "presets", "--family", "van")}
    assert family == "train.sh; none published for B4 to B6"
    assert main(["recipes", "proxy_fats"]) == 2
    assert "did you mean 'proxy_fast'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["bench", "table.yaml", "--seeds", "2"], "bench table table.yaml"),
        (["race", "a.db", "--plot", "x.png"], "bench ledgers"),
        (["simulate", "--workers", "10"], "bench driver"),
        (["logs", "a:b"], "status STUDY:ID"),
        (["finetune", "folder", "--data", "digits", "-o", "out"], "train --from FOLDER"),
    ],
)
def test_former_names_answer_with_the_new_one(capsys: Capture, old: list[str], new: str) -> None:
    assert f"nas {new}" in complaint(capsys, *old)


@pytest.mark.slow
def test_check_with_a_training_of_ones_own_needs_no_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_check.py").write_text("def score(architecture, *, job, report): return 0.5\n")
    own = ("check", "--space", "tiny", "--budget", "3MFLOPs", "--evaluate", "own_check.py:score")
    plan = document(capsys, *own)["plan"]
    assert (plan["evaluate"]["name"], "images" in plan) == ("own_check:score", False)
    assert main(own) == 0
    assert "trained by own_check:score" in capsys.readouterr().out
    assert main([*own, "--data", "digits"]) == 2
    assert "brings its own" in capsys.readouterr().err
