"""Writes a small Audiobox Aesthetics model with random weights, in the published format."""

from pathlib import Path
from unittest import mock

import torch

SIZES = {
    "encoder_layers": 2,
    "encoder_embed_dim": 64,
    "encoder_ffn_embed_dim": 64,
    "encoder_attention_heads": 4,
    "conv_feature_layers": "[(32,10,5)] + [(32,3,2)] * 4 + [(32,2,2)] * 2",
}


def write(folder: Path) -> None:
    """Write config.json and model.safetensors where MIRPIPE_STAND_INS=FOLDER looks for them."""
    from mirpipe.models.adapters.audiobox_aesthetics import aes
    from mirpipe.plugins.track_metrics.audiobox_aesthetics import REPOSITORY

    config = aes.WavLMConfig(aes.DEFAULT_AUDIO_CFG.__dict__ | SIZES)
    torch.manual_seed(0)
    with mock.patch.object(aes, "DEFAULT_AUDIO_CFG", config):
        model = aes.AesMultiOutput(
            proj_num_layer=2,
            proj_ln=True,
            nth_layer=1 + SIZES["encoder_layers"],
            target_transform={
                axis: {"mean": 4.0 + number, "std": 1.0 + number / 4}
                for number, axis in enumerate(("CE", "CU", "PC", "PQ"))
            },
        )
    model.save_pretrained(folder / REPOSITORY)
