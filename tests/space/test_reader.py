from __future__ import annotations

from pathlib import Path

import pytest
from space_texts import kernels, space_of, space_with, text_with

from nas.cli.main import main
from nas.schema.nodes import parse_yaml
from nas.schema.problems import SchemaError
from nas.space import Choice, Range
from nas.space.askers import following
from nas.space.load import read_space


def problems(text: str) -> list[str]:
    """The problems of a text, each as 'LINE:COLUMN message'."""
    with pytest.raises(SchemaError) as caught:
        space_of(text)
    return [f"{one.mark.line}:{one.mark.column} {one.message}" for one in caught.value.problems]


def widths(text: str, **answers: int) -> list[int]:
    return [stage.width for stage in space_of(text).build(following(answers)).stages]


# -- what can be written ---------------------------------------------------------------------------------------------


def test_value_holds_for_all_stages_and_a_list_has_one_entry_each() -> None:
    architecture = space_with(depth="[1, 2]", width="16").build(following({}))
    assert [(stage.depth, stage.width) for stage in architecture.stages] == [(1, 16), (2, 16)]


def test_count_says_how_many_stages_where_no_list_does() -> None:
    assert len(space_with(depth="2", width="16", more="  count: 3\n").build(following({})).stages) == 3
    assert len(space_with(depth="2", width="16").build(following({})).stages) == 1


def test_shared_decision_is_one_question_and_per_stage_is_one_each() -> None:
    shared = space_with(width="{choice: [8, 16]}").dimensions()
    assert shared == {"stages.width": Choice((8, 16))}
    alone = space_with(width="{choice: [8, 16], per: stage}").dimensions()
    assert alone == {"stages.0.width": Choice((8, 16)), "stages.1.width": Choice((8, 16))}


def test_list_may_hold_open_entries() -> None:
    assert space_with(width="[{int: [8, 32], step: 8}, 16]").dimensions() == {"stages.0.width": Range(8, 32, 8)}


def test_base_and_ratio_are_one_question_for_all_stages() -> None:
    text = text_with(width="{base: {int: [8, 16], step: 8}, ratio: [1, 2.5]}")
    assert space_of(text).dimensions() == {"stages.width.base": Range(8, 16, 8)}
    assert widths(text) == [8, 20]
    assert widths(text, **{"stages.width.base": 16}) == [16, 40]


def test_pattern_repeats_over_the_blocks_of_a_stage() -> None:
    stage = space_with(depth="[1, 5]", block=kernels("{pattern: [7, 3, 3]}")).build(following({})).stages[1]
    assert [stage.block(index).mixer.kernel for index in range(5)] == [7, 3, 3, 7, 3]  # type: ignore[attr-defined]


def test_patterns_of_two_fields_turn_independently() -> None:
    block = kernels("{pattern: [7, 3]}", bias="{pattern: [true, false, false]}")
    stage = space_with(depth="[1, 6]", block=block).build(following({})).stages[1]
    mixers = [stage.block(index).mixer for index in range(6)]  # type: ignore[attr-defined]
    assert [one.kernel for one in mixers] == [7, 3, 7, 3, 7, 3]
    assert [one.bias for one in mixers] == [True, False, False, True, False, False]


def test_long_patterns_are_cut_at_the_depth_of_the_stage() -> None:
    odd = [str(1 + 2 * (index % 5)) for index in range(97)]
    flags = [("true", "false")[index % 2] for index in range(89)]
    block = kernels(f"{{pattern: [{', '.join(odd)}]}}", bias=f"{{pattern: [{', '.join(flags)}]}}")
    assert len(space_with(block=block).build(following({})).stages[1].blocks) == 2  # of 97 x 89


def test_condition_looks_at_the_field_beside_it() -> None:
    space = space_with(block=kernels("{choice: [3, 7]}", bias="{when: {kernel: '>= 5'}, then: false, else: true}"))
    for kernel, bias in ((3, True), (7, False)):
        mixer = space.build(following({"stages.block.mixer.kernel": kernel})).stages[0].block(0).mixer  # type: ignore[attr-defined]
        assert (mixer.kernel, mixer.bias) == (kernel, bias)


@pytest.mark.parametrize(
    ("test", "holds"),
    [("7", True), ("[3, 7]", True), ("'> 7'", False), ("'>= 7'", True), ("'<= 7'", True), ("'< 7'", False),
     ("'!= 3'", True), ("3", False), ("'>7'", False), ("'>= 6.5'", True)],
)  # fmt: skip
def test_condition_takes_a_value_a_list_or_a_comparison(test: str, holds: bool) -> None:
    space = space_with(block=kernels("7", bias=f"{{when: {{kernel: {test}}}, then: true, else: false}}"))
    assert space.build(following({})).stages[0].block(0).mixer.bias is holds  # type: ignore[attr-defined]


def test_condition_knows_fields_that_the_file_leaves_out() -> None:
    block = "{kind: mixer_first, mixer: {kind: depthwise, bias: {when: {kernel: 7}, then: false, else: true}}}"
    assert space_with(block=block).build(following({})).stages[0].block(0).mixer.bias is False  # type: ignore[attr-defined]


def test_condition_on_a_pattern_is_judged_block_by_block() -> None:
    block = kernels("{pattern: [7, 3]}", bias="{when: {kernel: 7}, then: false, else: true}")
    stage = space_with(depth="[1, 3]", block=block).build(following({})).stages[1]
    assert [stage.block(index).mixer.bias for index in range(3)] == [False, True, False]  # type: ignore[attr-defined]


def test_condition_looks_at_parts_by_their_kind() -> None:
    norm = "  norm: {when: {block: mixer_first, width: '> 8'}, then: layernorm, else: null}\n"
    stages = space_with(more=norm).build(following({})).stages
    assert stages[0].norm is None
    assert stages[1].norm is not None


def test_condition_works_outside_the_stages() -> None:
    drop_path = "{when: {stem: patchify}, then: 0.25, else: 0.5}"
    assert space_with(drop_path=drop_path).build(following({})).drop_path == 0.25


def test_both_branches_of_a_condition_have_questions_of_their_own() -> None:
    bias = "{when: {kernel: 7}, then: {choice: [true, false]}, else: {choice: [false, true]}}"
    space = space_with(depth="[1]", width="[8]", block=kernels("{choice: [3, 7]}", bias=bias))
    assert space.dimensions() == {
        "stages.block.mixer.kernel": Choice((3, 7)),
        "stages.0.block.mixer.bias": Choice((True, False)),
        "stages.0.block.mixer.bias.else": Choice((False, True)),
    }


def test_options_may_be_lists_and_parts() -> None:
    space = space_with(block=kernels("{choice: [3, [5, 7], {choice: [9, 11]}]}"))
    assert space.dimensions() == {
        "stages.block.mixer.kernel": Choice((3, "[5, 7]", "choice")),
        "stages.block.mixer.kernel.choice": Choice((9, 11)),
    }


@pytest.mark.parametrize("first", ["conv", "{kind: conv, kernel: 3}"])
@pytest.mark.parametrize("second", ["{kind: conv, kernel: 5}", "in_block"])
def test_options_of_one_kind_are_told_apart(first: str, second: str) -> None:
    space = space_with(downsample=f"{{choice: [{first}, {second}, {{kind: conv, kernel: 7}}]}}")
    (dimension,) = space.dimensions().values()
    assert len(set(dimension.values)) == 3
    built = {space.build(following({"stages.downsample": label})) for label in dimension.values}
    assert len(built) == 3


def test_downsample_is_asked_from_the_second_stage_on() -> None:
    space = space_with(downsample="{choice: [conv, in_block], per: stage}")
    assert list(space.dimensions()) == ["stages.1.downsample"]
    assert space_with(downsample="[null, conv]").build(following({})).stages[0].downsample is None


def test_name_and_about_come_from_the_file() -> None:
    space = space_of("name: mine\nabout: a sentence\nsource: 'arXiv:1'\n" + text_with())
    assert (space.name, space.about) == ("mine", "a sentence")
    assert space_with().name == "x"


def test_limit_in_a_list_is_that_of_its_stage() -> None:
    space = space_with(width="[{choice: [8, 16, 99], at_most: 16}, {int: [8, 99], at_most: 10}]")
    assert space.dimensions() == {"stages.0.width": Choice((8, 16)), "stages.1.width": Range(8, 10)}
    assert space.size() == 6


# -- what is refused, where, and with which advice -------------------------------------------------------------------


FIVE = """\
stem: {kind: patchify, pach: 4}
stages:
  depth: [1, 2.5]
  width: [8, 16, 32]
  block:
    kind: mixer_frist
  downsample: {kind: conv, kernel: {choise: [2, 3]}}
head: pool_norm_linear
drop_path: 1.5
"""


def test_all_mistakes_of_a_file_are_shown_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        space_of(FIVE)
    assert str(caught.value) == "\n".join([
        "x.yaml:1:24: unknown key 'pach' of stem 'patchify'; did you mean 'patch'?",
        "    stem: {kind: patchify, pach: 4}",
        "                           ^",
        "x.yaml:3:14: depth: must be a whole number, got 2.5",
        "      depth: [1, 2.5]",
        "                 ^",
        "x.yaml:4:10: width: a list of 3 entries for 2 stages (by the list in line 3)",
        "      width: [8, 16, 32]",
        "             ^",
        "x.yaml:6:11: unknown block 'mixer_frist'; did you mean 'mixer_first'?",
        "        kind: mixer_frist",
        "              ^",
        "x.yaml:7:36: downsample.kernel: must be a whole number, or open as a choice, int …; unknown key 'choise', "
        "did you mean 'choice'?",
        "      downsample: {kind: conv, kernel: {choise: [2, 3]}}",
        "                                       ^",
        "x.yaml:9:12: drop_path: must be between 0 and 0.99, got 1.5",
        "    drop_path: 1.5",
        "               ^",
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", ["1:1 a space is a mapping with 'stem', 'stages' and 'head'"]),
        ("- 1", ["1:1 a space is a mapping with 'stem', 'stages' and 'head'"]),
        ("stem: patchify", ["1:1 the key 'head' of the space is missing", "1:1 the key 'stages' of the space is mis"]),
        ("stem: patchify\nhead: pool_norm_linear\nstages: {depth: 1}",
         ["3:9 the key 'block' of stages is missing", "3:9 the key 'width' of stages is missing"]),
        ("stem: patchify\nhead: pool_norm_linear\nstages:\n- depth: 1",
         ["4:1 stages has a key for each field, with one entry a stage: 'depth: [3, 3, 9, 3]'"]),
    ],
)  # fmt: skip
def test_space_needs_its_main_parts(text: str, expected: list[str]) -> None:
    found = problems(text)
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("field", "leaf", "message"),
    [
        # plain values
        ("depth", "[true, 2]", "depth: must be a whole number, got true"),
        ("depth", "[1.0, 2]", "depth: must be a whole number, got 1.0"),
        ("depth", "['1', 2]", "depth: must be a whole number, got '1'"),
        ("depth", "[-1, 2]", "depth: must be between 0 and 1000, got -1"),
        ("depth", "[100000000000000000000, 2]", "depth: must be between 0 and 1000, got 100000000000000000000"),
        ("depth", "[null, 2]", "depth: must be a whole number, not empty"),
        ("width", "[.nan, 8]", "width: must be a whole number, got .nan"),
        ("width", "[8, 1e400]", "width: must be a whole number, got .inf"),
        ("drop_path", ".nan", "drop_path: must be between 0 and 0.99, got .nan"),
        ("drop_path", "true", "drop_path: must be a number, got true"),
        ("drop_path", "", "drop_path: must be a number, not empty"),
        # lists
        ("depth", "[]", "depth: an empty list; a list has one entry a stage"),
        ("width", "[8, 16, 32]", "width: a list of 3 entries for 2 stages (by the list in line 4)"),
        ("width", "[8]", "width: a list of 1 entry for 2 stages (by the list in line 4)"),
        ("width", "[[8, 16], 8]", "width: a list means one entry a stage; it has no meaning inside another list"),
        ("drop_path", "[0.1, 0.2]", "drop_path: a list means one entry a stage; it has no meaning outside 'stages'"),
        ("downsample", "{choice: [[conv, conv], [null, conv]]}", "in an option the first stage has no downsample; w"),
        ("block", kernels("{pattern: [[3, 5, 7], 3]}"), "block.mixer.kernel.0: a list of 3 entries for 2 stages"),
        # parts
        ("block", "null", "block: which block? One of "),
        ("block", "{}", "block: which block? write 'kind: …'; the kinds are "),
        ("block", "{kind: }", "block: which block? One of "),
        ("block", "{kind: 3}", "block: 3 is no block; the kinds are "),
        ("block", "{kind: [mixer_first]}", "block: ['mixer_first'] is no block; the kinds are "),
        ("block", "{kind: {choice: [mixer_first]}}", "to choose between kinds, put the choice around the whole"),
        ("block", "{choise: [mixer_first]}", "block: which block? did you mean 'choice'?; the kinds are "),
        ("block", "MixerFirst", "unknown block 'MixerFirst'; did you mean 'mixer_first'?"),
        ("block", "{kind: mixer_first, norm: 3}", "block.norm: 3 is no norm; the kinds are "),
        ("block", "{kind: mixer_first, act_placement: everywher}", "block.act_placement: must be 'everywhere' or"),
        ("block", "{kind: mixer_first, layer_scale: {a: 1}}", "block.layer_scale: must be a number or null, or open"),
        ("block", "{kind: mixer_first, layer_scale: {}}", "block.layer_scale: must be a number or null, not an"),
        ("block", kernels("4"), "block.mixer.kernel: must be odd to keep the resolution, got 4"),
        # choice
        ("width", "{choice: []}", "width: a choice is a list of at least one option"),
        ("width", "{choice: 8}", "width: a choice is a list of at least one option"),
        ("width", "{choice: {a: 8}}", "width: a choice is a list of at least one option"),
        ("width", "{choice: [{}]}", "must be a whole number, not an empty mapping"),
        ("width", "{choice: [8, 8]}", "width: the option 8 is listed twice"),
        ("width", "{choice: [8, '8']}", "width: must be a whole number, got '8'"),
        ("drop_path", "{choice: [0, 0.0]}", "drop_path: the option 0.0 is listed twice"),
        ("downsample", "{choice: [{kind: conv}, {kind: conv}]}", "the option {kind: 'conv'} is listed twice"),
        ("width", "{choice: [8], per: stages}", "width: per takes 'stage' or 'block', got 'stages'"),
        ("drop_path", "{choice: [0.1], per: stage}", "drop_path: 'per: stage' has no meaning outside 'stages'"),
        ("width", "{choice: [8], int: [8, 16]}", "unknown key 'int' of a 'choice' leaf; known: choice, per"),
        # int
        ("width", "{int: [16, 8]}", "width: the range [16, 8] is empty; write [low, high]"),
        ("width", "{int: [8]}", "width: int takes [low, high], two whole numbers"),
        ("width", "{int: 8}", "width: int takes [low, high], two whole numbers"),
        ("width", "{int: [8, 16.0]}", "width: int takes [low, high], two whole numbers"),
        ("width", "{int: [8, true]}", "width: int takes [low, high], two whole numbers"),
        ("width", "{int: [8, 16], step: 0}", "width: step must be a whole number above 0"),
        ("width", "{int: [8, 16], step: }", "width: step must be a whole number above 0"),
        ("width", "{int: [8, 10000000000000]}", "width: must be between 1 and 65536, got 10000000000000"),
        ("width", "{int: [1, 65536]}", "width: more than 10000 values; add a larger 'step'"),
        ("block", kernels("{int: [3, 7]}"), "block.mixer.kernel: must be odd to keep the resolution, got 4"),
        ("block", "{int: [3, 7]}", "block: must be a block, got 3"),
        # base
        ("width", "{base: 8}", "width: 'base' needs 'ratio', a list with one positive factor a stage"),
        ("width", "{base: 8, ratio: 2}", "width: 'base' needs 'ratio', a list with one positive factor a stage"),
        ("width", "{base: 8, ratio: [1, -2]}", "width: 'base' needs 'ratio', a list with one positive factor a stage"),
        ("width", "{base: 8, ratio: [1, .inf]}", "width: 'base' needs 'ratio', a list with one positive factor a stag"),
        ("width", "{base: 8, ratio: [1, 2, 4]}", "width: a list of 3 entries for 2 stages (by the list in line 4)"),
        ("width", "{base: 8, ratio: [1, 0.01]}", "width: must be between 1 and 65536, got 0 (8 times 0.01)"),
        ("width", "{base: {base: 8, ratio: [1, 2]}, ratio: [1, 2]}", "width: a base can be neither a pattern nor anot"),
        ("block", kernels("{base: {pattern: [3]}, ratio: [1, 3]}"), "block.mixer.kernel: a base can be neither a pat"),
        ("drop_path", "{base: 0.1, ratio: [1, 2]}", "drop_path: 'base' with 'ratio' gives whole numbers, one a stage"),
        # pattern
        ("depth", "{pattern: [1, 2]}", "depth: a pattern repeats over the blocks of a stage; only in 'block'"),
        ("block", kernels("{pattern: []}"), "block.mixer.kernel: a pattern is a list of at least one entry"),
        # when
        ("block", kernels("7", "{when: {kernel: 7}, then: true}"), "a condition needs 'when', 'then' and 'else'"),
        ("block", kernels("7", "{when: {}, then: true, else: false}"), "when takes fields with a test: {"),
        ("block", kernels("7", "{when: {kernl: 7}, then: true, else: false}"),
         "block.mixer.bias: no field 'kernl' beside this one; did you mean 'kernel'?"),
        ("block", kernels("7", "{when: {bias: true}, then: true, else: false}"), "no field 'bias' beside this one"),
        ("block", kernels("7", "{when: {kernel: '>= x'}, then: true, else: false}"),
         "block.mixer.bias: the test of kernel is no comparison such as '>= 13', got '>= x'"),
        ("block", kernels("7", "{when: {kernel: {a: 1}}, then: true, else: false}"),
         "block.mixer.bias: the test of kernel takes a value, a list of values or a comparison, got {a: 1}"),
        ("block", kernels("7", "{when: {kernel: 4}, then: true, else: false}"),
         "block.mixer.bias: the test of kernel can never hold: it must be odd to keep the resolution, got 4"),
        ("block", "{kind: mixer_first, layer_scale: {when: {norm: 'layernorn'}, then: 1, else: null}}",
         "block.layer_scale: the test of norm can never hold: it must be a norm, got 'layernorn'"),
        ("block", "{kind: mixer_first, layer_scale: {when: {norm: '> 3'}, then: 1, else: null}}",
         "block.layer_scale: the test of norm compares, but the field is no number"),
        ("block", kernels("{when: {bias: true}, then: 3, else: 5}", "{when: {kernel: 3}, then: true, else: false}"),
         "this tests 'bias', which has a condition itself; test what that one tests"),
        ("more", "  block: 3\n", "duplicate key 'block'; it is already set in line 6"),
    ],
)  # fmt: skip
def test_leaf_that_is_wrong_is_refused_with_advice(field: str, leaf: str, message: str) -> None:
    assert any(message in one for one in problems(text_with(**{field: leaf}))), problems(text_with(**{field: leaf}))


def test_condition_cannot_test_what_differs_between_the_blocks_of_a_stage() -> None:
    found = problems(text_with(
        block="{pattern: [mixer_first, {kind: mixer_first, ratio: 2}]}",
        more="  norm: {when: {block: mixer_first}, then: layernorm, else: null}\n",
    ))  # fmt: skip
    assert found == ["8:9 this tests 'block', which is a pattern: not the same in all blocks of a stage"]


@pytest.mark.parametrize("count", ["0", "-1", "101", "100000000000", "true", "2.0", "three", "[1]", "null"])
def test_count_is_a_small_whole_number(count: str) -> None:
    text = text_with(depth="1", width="8", more=f"  count: {count}\n")
    assert problems(text) == [
        "8:10 count must be a whole number, or a choice of them (once, not per stage), between 1 and 100"
    ]


def test_the_list_that_is_out_of_step_is_blamed_and_not_the_others() -> None:
    text = text_with(depth="[1, 2, 3]", width="[8, 16]", more="  norm: [layernorm, null]\n")
    assert problems(text) == ["4:10 depth: a list of 3 entries for 2 stages (by the list in line 5)"]


def test_more_stages_than_a_network_can_have_are_refused() -> None:
    ones = ", ".join(["1"] * 5000)
    assert "4:10 5000 stages; there can be 100" in problems(text_with(depth=f"[{ones}]", width="8"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("task: 5", "task is a mapping with resolution, classes, channels, got 5"),
        ("task: [224]", "task is a mapping with resolution, classes, channels, got [224]"),
        ("task: {resolution: 0}", "task.resolution: must be a whole number between 1 and 1048576, got 0"),
        ("task: {classes: ten}", "task.classes: must be a whole number between 0 and 10000000, got 'ten'"),
        ("task: {chanels: 3}", "unknown key 'chanels' of task; did you mean 'channels'?"),
        ("name: [a]", "name must be text, got ['a']; put quotes around it"),
        ("name: 1e3", "name must be text, got 1000.0; put quotes around it"),
        ("name:", "name must be text, got null; put quotes around it"),
        ("about: {a: 1}", "about must be text, got {a: 1}; put quotes around it"),
        ("source: true", "source must be text, got true; put quotes around it"),
        ("stemm: patchify", "unknown key 'stemm' of a space; did you mean 'stem'?"),
    ],
)  # fmt: skip
def test_words_around_the_space_are_checked_too(line: str, message: str) -> None:
    text = text_with().partition("\n")[2] + line + "\n"
    assert [one.partition(" ")[2] for one in problems(text)] == [message]


def test_messages_do_not_depend_on_the_order_of_sets() -> None:
    first = problems(text_with(more="  zzz: 1\n"))
    assert first == ["8:3 unknown key 'zzz' of stages; known: depth, width, block, downsample, norm, count, linear"]


def test_command_line_shows_the_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text(FIVE)
    assert main(["sample", "--space", "x.yaml", "--budget", "1GFLOPs"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: x.yaml:1:24: unknown key 'pach' of stem 'patchify'; did you mean 'patch'?\n")
    assert shown.err.count("x.yaml:") == 6
    assert list(tmp_path.iterdir()) == [tmp_path / "x.yaml"]


def test_mistakes_of_syntax_and_of_meaning_are_listed_together() -> None:
    text = (
        "stem: {kind: patchfy}\nstages:\n  depth: [3, -1]\n  width: {base: 8, ratio: [1, 2]}\n"
        "  block: {kind: mixer_first, nrom: layernorm, mixer: {kind: depthwise, kernel: 8}}\n"
        "head: pool_norm_linear\nhead: pool_norm_linear\n"
    )
    with pytest.raises(SchemaError) as caught:
        read_space(*parse_yaml(text, "five.yaml"))
    assert [problem.mark.line for problem in caught.value.problems] == [1, 3, 5, 5, 7]
