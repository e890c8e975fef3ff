"""Networks of metaformer blocks, from RepLKNet to RepViT: the official code, or timm where it holds the weights."""

from __future__ import annotations

from nas.export.layouts.layout import BLOCK, Layout

_MIX, _FEED = "stages.{i}.blocks.{2*j}.", "stages.{i}.blocks.{2*j+1}."  # two blocks of RepLKNet's code for one of ours
_REPLKNET_RULES = (
    ("stem.conv_{k}.", "stem.{k-1}.conv."),
    ("stem.norm_{k}.", "stem.{k-1}.bn."),
    ("stages.{i}.downsample.conv_{k}.", "transitions.{i-1}.{k-1}.conv."),
    ("stages.{i}.downsample.norm_{k}.", "transitions.{i-1}.{k-1}.bn."),
    (BLOCK + "mix.norm.", _MIX + "prelkb_bn."),
    (BLOCK + "mix.mixer.expand.", _MIX + "pw1.conv."),
    (BLOCK + "mix.mixer.norm_expand.", _MIX + "pw1.bn."),
    (BLOCK + "mix.mixer.mixer.branches.0.conv.", _MIX + "large_kernel.lkb_origin.conv."),
    (BLOCK + "mix.mixer.mixer.branches.0.norm.", _MIX + "large_kernel.lkb_origin.bn."),
    (BLOCK + "mix.mixer.mixer.branches.1.conv.", _MIX + "large_kernel.small_conv.conv."),
    (BLOCK + "mix.mixer.mixer.branches.1.norm.", _MIX + "large_kernel.small_conv.bn."),
    (BLOCK + "mix.mixer.mixer.", _MIX + "large_kernel.lkb_reparam."),
    (BLOCK + "mix.mixer.reduce.", _MIX + "pw2.conv."),
    (BLOCK + "mix.mixer.norm_reduce.", _MIX + "pw2.bn."),
    (BLOCK + "feed.norm.", _FEED + "preffn_bn."),
    (BLOCK + "feed.ffn.expand.", _FEED + "pw1.conv."),
    (BLOCK + "feed.ffn.norm_expand.", _FEED + "pw1.bn."),
    (BLOCK + "feed.ffn.reduce.", _FEED + "pw2.conv."),
    (BLOCK + "feed.ffn.norm_reduce.", _FEED + "pw2.bn."),
    ("head.norm.", "norm."),
    ("head.linear.", "head."),
)
REPLKNET = Layout(name="DingXiaoH/RepLKNet-pytorch, as trained", rules=_REPLKNET_RULES)
REPLKNET_MERGED = Layout(name="DingXiaoH/RepLKNet-pytorch, merged", rules=_REPLKNET_RULES, merged=True)


def conv2former(attend: str) -> Layout:
    """Two releases differ in what they call the weights' path."""
    block = "stages.{i}.{j}."
    return Layout(
        name=f"HVision-NKU/Conv2Former with '{attend}'",
        rules=(
            ("stem.conv_1.", "downsample_layers.0.0."),
            ("stem.norm_1.", "downsample_layers.0.2."),
            ("stem.conv_2.", "downsample_layers.0.3."),
            ("stem.norm_2.", "downsample_layers.0.5."),
            ("stem.conv_3.", "downsample_layers.0.6."),
            ("stages.{i}.downsample.{k}.", "downsample_layers.{i}.{k}."),
            (BLOCK + "mix.norm.", block + "attn.norm."),
            (BLOCK + "mix.mixer.attend.", block + f"attn.{attend}."),
            (BLOCK + "mix.mixer.value.", block + "attn.v."),
            (BLOCK + "mix.mixer.project.", block + "attn.proj."),
            (BLOCK + "mix.scale.gamma", block + "layer_scale_1"),
            (BLOCK + "feed.norm.", block + "mlp.norm."),
            (BLOCK + "feed.ffn.expand.", block + "mlp.fc1."),
            (BLOCK + "feed.ffn.mix.conv.", block + "mlp.pos."),
            (BLOCK + "feed.ffn.reduce.", block + "mlp.fc2."),
            (BLOCK + "feed.scale.gamma", block + "layer_scale_2"),
            ("head.expand.", "head.0."),
            ("head.norm.", "head.2."),
            ("head.linear.", "pred."),
        ),
    )


_VAN, _GATING = "block{i+1}.{j}.", "attn.spatial_gating_unit."
VAN = Layout(
    name="Visual-Attention-Network/VAN-Classification",
    rules=(
        ("stem.conv.", "patch_embed1.proj."),
        ("stem.norm.", "patch_embed1.norm."),
        ("stages.{i}.downsample.0.", "patch_embed{i+1}.proj."),
        ("stages.{i}.downsample.1.", "patch_embed{i+1}.norm."),
        ("stages.{i}.norm.", "norm{i+1}."),
        (BLOCK + "mix.norm.", _VAN + "norm1."),
        (BLOCK + "mix.mixer.inner.expand.", _VAN + "attn.proj_1."),
        (BLOCK + "mix.mixer.inner.mixer.local.", _VAN + _GATING + "conv0."),
        (BLOCK + "mix.mixer.inner.mixer.spatial.", _VAN + _GATING + "conv_spatial."),
        (BLOCK + "mix.mixer.inner.mixer.channel.", _VAN + _GATING + "conv1."),
        (BLOCK + "mix.mixer.inner.reduce.", _VAN + "attn.proj_2."),
        (BLOCK + "mix.scale.gamma", _VAN + "layer_scale_1"),
        (BLOCK + "feed.norm.", _VAN + "norm2."),
        (BLOCK + "feed.ffn.expand.", _VAN + "mlp.fc1."),
        (BLOCK + "feed.ffn.mix.", _VAN + "mlp.dwconv.dwconv."),
        (BLOCK + "feed.ffn.reduce.", _VAN + "mlp.fc2."),
        (BLOCK + "feed.scale.gamma", _VAN + "layer_scale_2"),
        ("head.linear.", "head."),
    ),
)
_HORNET = "stages.{i}.{j}."
HORNET = Layout(
    name="raoyongming/HorNet",
    rules=(
        ("stem.{k}.", "downsample_layers.0.{k}."),
        ("stages.{i}.downsample.{k}.", "downsample_layers.{i}.{k}."),
        (BLOCK + "mix.norm.", _HORNET + "norm1."),
        (BLOCK + "mix.mixer.enter.", _HORNET + "gnconv.proj_in."),
        (BLOCK + "mix.mixer.mix.", _HORNET + "gnconv.dwconv."),
        (BLOCK + "mix.mixer.expand.", _HORNET + "gnconv.pws."),
        (BLOCK + "mix.mixer.project.", _HORNET + "gnconv.proj_out."),
        (BLOCK + "mix.scale.gamma", _HORNET + "gamma1"),
        (BLOCK + "feed.norm.", _HORNET + "norm2."),
        (BLOCK + "feed.ffn.expand.", _HORNET + "pwconv1."),
        (BLOCK + "feed.ffn.reduce.", _HORNET + "pwconv2."),
        (BLOCK + "feed.scale.gamma", _HORNET + "gamma2"),
        ("head.norm.", "norm."),
        ("head.linear.", "head."),
    ),
)
_MOGA, _AGGREGATE = "blocks{i+1}.{j}.", BLOCK + "mix.mixer.branches.0."
MOGANET = Layout(
    name="Westlake-AI/MogaNet",
    rules=(
        ("stem.", "patch_embed1.projection."),
        ("stages.{i}.downsample.0.", "patch_embed{i+1}.projection."),
        ("stages.{i}.downsample.1.", "patch_embed{i+1}.norm."),
        ("stages.{i}.norm.", "norm{i+1}."),
        (BLOCK + "mix.norm.", _MOGA + "norm1."),
        (_AGGREGATE + "0.", _MOGA + "attn.proj_1."),
        (_AGGREGATE + "1.sigma", _MOGA + "attn.sigma.scale"),
        (_AGGREGATE + "3.branches.0.0.", _MOGA + "attn.gate."),
        (_AGGREGATE + "3.branches.1.0.", _MOGA + "attn.value.DW_conv0."),
        (_AGGREGATE + "3.branches.1.1.branches.{k}.0.", _MOGA + "attn.value.DW_conv{k}."),
        (_AGGREGATE + "3.branches.1.2.", _MOGA + "attn.value.PW_conv."),
        (_AGGREGATE + "4.", _MOGA + "attn.proj_2."),
        (BLOCK + "mix.scale.gamma", _MOGA + "layer_scale_1"),
        (BLOCK + "feed.norm.", _MOGA + "norm2."),
        (BLOCK + "feed.ffn.0.", _MOGA + "mlp.fc1."),
        (BLOCK + "feed.ffn.1.", _MOGA + "mlp.dwconv."),
        (BLOCK + "feed.ffn.3.sigma", _MOGA + "mlp.sigma.scale"),
        (BLOCK + "feed.ffn.3.summary.0.", _MOGA + "mlp.decompose."),
        (BLOCK + "feed.ffn.4.", _MOGA + "mlp.fc2."),
        (BLOCK + "feed.scale.gamma", _MOGA + "layer_scale_2"),
        ("head.linear.", "head."),
    ),
)


def focalnet(after: str) -> Layout:
    """What the norms of a block are called: with `after` `_post`, behind the branches."""
    block = "layers.{i}.blocks.{j}."
    return Layout(
        name="timm",
        rules=(
            ("stem.0.", "stem.proj."),
            ("stem.1.", "stem.norm."),
            ("stages.{i}.downsample.0.", "layers.{i}.downsample.proj."),
            ("stages.{i}.downsample.1.", "layers.{i}.downsample.norm."),
            (BLOCK + "mix.norm.", block + f"norm1{after}."),
            (BLOCK + "mix.mixer.enter.", block + "modulation.f."),
            (BLOCK + "mix.mixer.levels.", block + "modulation.focal_layers."),
            (BLOCK + "mix.mixer.spread.", block + "modulation.h."),
            (BLOCK + "mix.mixer.norm.", block + "modulation.norm."),
            (BLOCK + "mix.mixer.project.", block + "modulation.proj."),
            (BLOCK + "mix.scale.", block + "ls1."),
            (BLOCK + "feed.norm.", block + f"norm2{after}."),
            (BLOCK + "feed.ffn.expand.", block + "mlp.fc1."),
            (BLOCK + "feed.ffn.reduce.", block + "mlp.fc2."),
            (BLOCK + "feed.scale.", block + "ls2."),
            ("head.norm.", "norm."),
            ("head.linear.", "head.fc."),
        ),
    )


_BASELINE = (
    ("stem.0.", "stem.conv."),
    ("stem.1.", "stem.norm."),
    ("stages.{i}.downsample.0.", "stages.{i}.downsample.norm."),
    ("stages.{i}.downsample.1.", "stages.{i}.downsample.conv."),
    (BLOCK + "mix.norm.", BLOCK + "norm1."),
    (BLOCK + "mix.mixer.0.", BLOCK + "token_mixer.pwconv1."),
    (BLOCK + "mix.mixer.1.", BLOCK + "token_mixer.act1."),
    (BLOCK + "mix.mixer.2.", BLOCK + "token_mixer.dwconv."),
    (BLOCK + "mix.mixer.3.", BLOCK + "token_mixer.pwconv2."),
    (BLOCK + "mix_shortcut.gamma", BLOCK + "res_scale1.scale"),
    (BLOCK + "feed.norm.", BLOCK + "norm2."),
    (BLOCK + "feed.ffn.expand.", BLOCK + "mlp.fc1."),
    (BLOCK + "feed.ffn.act.", BLOCK + "mlp.act."),
    (BLOCK + "feed.ffn.reduce.", BLOCK + "mlp.fc2."),
    (BLOCK + "feed_shortcut.gamma", BLOCK + "res_scale2.scale"),
)
CONVFORMER = Layout(
    name="timm",
    rules=(
        *_BASELINE,
        ("head.layers.1.", "head.norm."),
        ("head.layers.2.", "head.fc.fc1."),
        ("head.layers.4.", "head.fc.norm."),
        ("head.linear.", "head.fc.fc2."),
    ),
)
POOLFORMER = Layout(name="timm", rules=(*_BASELINE, ("head.linear.", "head.fc.")))
MAMBAOUT = Layout(
    name="timm",
    rules=(
        ("stem.0.", "stem.conv1."),
        ("stem.1.", "stem.norm1."),
        ("stem.3.", "stem.conv2."),
        ("stem.4.", "stem.norm2."),
        ("stages.{i}.downsample.0.", "stages.{i}.downsample.conv."),
        ("stages.{i}.downsample.1.", "stages.{i}.downsample.norm."),
        (BLOCK + "mix.norm.", BLOCK + "norm."),
        (BLOCK + "mix.mixer.0.", BLOCK + "fc1."),
        (BLOCK + "mix.mixer.1.branches.1.0.branches.1.0.", BLOCK + "conv."),
        (BLOCK + "mix.mixer.2.", BLOCK + "fc2."),
        ("head.layers.1.", "head.norm."),
        ("head.layers.2.", "head.pre_logits.fc."),
        ("head.layers.4.", "head.pre_logits.norm."),
        ("head.linear.", "head.fc."),
    ),
)
MAMBAOUT_RW = Layout(
    name="timm, its own sizes",
    rules=(
        ("stem.0.", "stem.conv1."),
        ("stem.2.", "stem.conv2."),
        ("stem.3.", "stem.norm2."),
        ("stages.{i}.downsample.0.", "stages.{i}.downsample.norm."),
        ("stages.{i}.downsample.1.", "stages.{i}.downsample.conv."),
        (BLOCK + "mix.scale.", BLOCK + "ls."),
        *MAMBAOUT.rules[6:],
    ),
)
_STAR = "stages.{i}.{j+1}."
STARNET = Layout(
    name="ma-xu/Rewrite-the-Stars and timm",
    rules=(
        ("stem.0.", "stem.0.conv."),
        ("stem.1.", "stem.0.bn."),
        ("stages.{i}.downsample.0.", "stages.{i}.0.conv."),
        ("stages.{i}.downsample.1.", "stages.{i}.0.bn."),
        (BLOCK + "mix.mixer.0.", _STAR + "dwconv.conv."),
        (BLOCK + "mix.mixer.1.", _STAR + "dwconv.bn."),
        (BLOCK + "mix.mixer.2.branches.{k}.0.", _STAR + "f{k+1}.conv."),
        (BLOCK + "mix.mixer.3.", _STAR + "g.conv."),
        (BLOCK + "mix.mixer.4.", _STAR + "g.bn."),
        (BLOCK + "mix.mixer.5.", _STAR + "dwconv2.conv."),
        ("head.norm.", "norm."),
        ("head.linear.", "head."),
    ),
)
FASTERNET = Layout(
    name="timm",
    rules=(
        ("stem.0.", "patch_embed.proj."),
        ("stem.1.", "patch_embed.norm."),
        ("stages.{i}.downsample.0.", "stages.{i}.downsample.reduction."),
        ("stages.{i}.downsample.1.", "stages.{i}.downsample.norm."),
        (BLOCK + "mix.mixer.0.branches.0.0.", BLOCK + "spatial_mixing.partial_conv3."),
        (BLOCK + "mix.mixer.1.", BLOCK + "mlp.0."),
        (BLOCK + "mix.mixer.2.", BLOCK + "mlp.1."),
        (BLOCK + "mix.mixer.4.", BLOCK + "mlp.3."),
        ("head.layers.1.", "conv_head."),
        ("head.linear.", "classifier."),
    ),
)
_DOWN = "stages.{i}.downsample."
_TOKENS = (
    ("0.branches.0.0.", "conv.c."),
    ("0.branches.0.1.", "conv.bn."),
    ("0.branches.1.0.", "conv1."),
    ("1.squeeze.", "../se.fc1."),
    ("1.excite.", "../se.fc2."),
    ("1.", "bn."),
    ("2.squeeze.", "../se.fc1."),
    ("2.excite.", "../se.fc2."),
)
_LEGACY_TOKENS = (("0.branches.1.0.", "conv1.c."), ("0.branches.1.1.", "conv1.bn."))
_CHANNELS = (("0.", "conv1.c."), ("1.", "conv1.bn."), ("3.", "conv2.c."), ("4.", "conv2.bn."))


def _below(ours: str, theirs: str, rules: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Rules one level down; `../` in a name leads up again."""
    return tuple((ours + one, _up(theirs, other)) for one, other in rules)


def _up(theirs: str, name: str) -> str:
    if not name.startswith("../"):
        return theirs + name
    return theirs.removesuffix(".").rpartition(".")[0] + "." + name.removeprefix("../")


def repvit(*, legacy: bool) -> Layout:
    """The sizes of the first release have a norm in each branch and none after the sum."""
    known = (*_LEGACY_TOKENS, *_TOKENS) if legacy else _TOKENS
    at = 1 if legacy else 2  # what follows the token mixer of a downsample
    return Layout(
        name="THU-MIG/RepViT, as timm names it",
        rules=(
            ("stem.0.", "stem.conv1.c."),
            ("stem.1.", "stem.conv1.bn."),
            ("stem.3.", "stem.conv2.c."),
            ("stem.4.", "stem.conv2.bn."),
            *_below(BLOCK + "mix.mixer.", BLOCK + "token_mixer.", known),
            *_below(BLOCK + "feed.ffn.", BLOCK + "channel_mixer.", _CHANNELS),
            *_below(_DOWN + f"{at}.branches.0.0.", _DOWN + "pre_block.channel_mixer.", _CHANNELS),
            (_DOWN + f"{at + 1}.", _DOWN + "spatial_downsample.c."),
            (_DOWN + f"{at + 2}.", _DOWN + "spatial_downsample.bn."),
            (_DOWN + f"{at + 3}.", _DOWN + "channel_downsample.c."),
            (_DOWN + f"{at + 4}.", _DOWN + "channel_downsample.bn."),
            *_below(_DOWN + f"{at + 5}.branches.0.0.", _DOWN + "ffn.", _CHANNELS),
            *_below(_DOWN, _DOWN + "pre_block.token_mixer.", known),
            ("head.linear.classifiers.0.0.", "head.head.bn."),
            ("head.linear.classifiers.0.1.", "head.head.l."),
            ("head.linear.classifiers.1.0.", "head.head_dist.bn."),
            ("head.linear.classifiers.1.1.", "head.head_dist.l."),
        ),
    )
