"""Writes a small MuQ model with random weights, in the published format."""

import json
from pathlib import Path

import torch

LAYERS = 2


def write(folder: Path) -> None:
    """Write config.json and model.safetensors where MIRPIPE_STAND_INS=FOLDER looks for them."""
    from mirpipe.models.adapters import muq
    from mirpipe.plugins.encoders.muq import REPOSITORY

    torch.manual_seed(0)
    muq.muq.MuQ(config()).save_pretrained(folder / REPOSITORY)


def config() -> dict[str, object]:
    """Return the published configuration with smaller sizes. The vector length is unchanged."""
    from transformers import Wav2Vec2ConformerConfig

    conformer = Wav2Vec2ConformerConfig(
        hidden_size=1024,
        num_hidden_layers=LAYERS,
        num_attention_heads=16,
        intermediate_size=64,
        position_embeddings_type="rotary",
        num_conv_pos_embeddings=8,
    )
    return {
        "features": ["melspec_2048"],
        "codebook_size": 1024,
        "conv_dim": 8,
        "encoder_dim": 1024,
        "encoder_depth": LAYERS,
        "stat": {"melspec_2048_mean": 6.768444971712967, "melspec_2048_std": 18.417922652295623},
        "w2v2_config": json.loads(json.dumps(conformer.to_dict(), default=str)),
        "use_rvq_target": True,
    }
