"""The smallest member of every family of presets."""

SMALLEST = (
    "conv2former_n", "convformer_s18", "convnext_atto", "convnext_isotropic_small", "convnextv2_atto",
    "efficientnetv2_b0", "fasternet_t0", "focalnet_t_srf", "hornet_t_7x7", "inceptionnext_atto", "mambaout_femto",
    "mobilenetv4_conv_s_035", "moganet_xt", "poolformerv2_s12", "rdnet_t", "regnetx_200mf", "regnety_200mf",
    "replknet_31b", "repvit_m0_9", "resnet50", "resnext50_32x4d", "slak_t", "starnet_s050", "unireplknet_a", "van_b0",
)  # fmt: skip
