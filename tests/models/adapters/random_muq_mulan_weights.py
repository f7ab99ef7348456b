"""Writes a small MuQ-MuLan model with random weights, in the published format."""

import json
import string
from pathlib import Path

import torch

from mirpipe.specs import WeightFile
from tests.models.adapters import random_muq_weights


def write(folder: Path) -> None:
    """Write the checkpoint, configs and tokenizer where MIRPIPE_STAND_INS=FOLDER looks for them."""
    from transformers import XLMRobertaConfig, XLMRobertaTokenizer

    from mirpipe.models.adapters import muq_mulan
    from mirpipe.plugins.encoders import muq
    from mirpipe.plugins.encoders import muq_mulan as plugin

    random_muq_weights.write(folder)  # MuQ-MuLan uses the config.json of MuQ.
    config, text_config, checkpoint, tokenizer_file = (
        _prepare_path(file, folder)
        for file in (plugin.CONFIG, plugin.TEXT_CONFIG, plugin.CHECKPOINT, plugin.TOKENIZER)
    )
    config.write_text(json.dumps(small_config()))
    tokenizer = XLMRobertaTokenizer(vocab=vocabulary())
    tokenizer.backend_tokenizer.save(str(tokenizer_file))
    XLMRobertaConfig(
        vocab_size=len(vocabulary()),
        hidden_size=768,  # The text tower has no projection, so this is the size of its layers.
        num_hidden_layers=1,
        num_attention_heads=12,
        intermediate_size=64,
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        pad_token_id=1,
    ).to_json_file(text_config)
    torch.manual_seed(0)
    model = muq_mulan.construct(
        config=config,
        audio_config=folder / muq.REPOSITORY / muq.CONFIG.filename,
        text_config=text_config,
    )
    torch.save(model.state_dict(), checkpoint)


def small_config() -> dict[str, object]:
    """Return the published configuration with fewer and smaller layers in the text tower."""
    heads = {"heads": 8, "dim_head": 64, "attn_dropout": 0, "ff_dropout": 0}
    return {
        "mulan": {
            "sr": 24_000,
            "clip_secs": 10,
            "dim_latent": 512,
            "decoupled_contrastive_learning": True,
            "hierarchical_contrastive_loss": False,
            "hierarchical_contrastive_loss_layers": None,
            "sigmoid_contrastive_loss": False,
            "rank_contrast": True,
        },
        "audio_model": {
            "name": "OpenMuQ/MuQ-large-msd-iter",
            "model_dim": 1024,
            "use_layer_idx": -1,
        },
        "text_model": {"name": "xlm-roberta-base", "model_dim": None, "use_layer_idx": -1},
        "audio_transformer": {"dim": 768, "tf_depth": 0, "ff_mult": 4, **heads},
        "text_transformer": {
            "dim": 768,
            "tf_depth": 2,
            "max_seq_len": 1024,
            "ff_mult": 1,
            **heads,
        },
    }


def vocabulary() -> list[tuple[str, float]]:
    """Return pieces and their log probabilities: special tokens, characters and one word."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *string.printable.strip(), "▁piano", "<mask>"]
    return [(piece, 0.0 if piece.startswith("<") and len(piece) > 1 else -1.0) for piece in pieces]


def _prepare_path(file: WeightFile, folder: Path) -> Path:
    """Return the path of a weight file, and create its parent folder."""
    path = folder / file.repository / file.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
