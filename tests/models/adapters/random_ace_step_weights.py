"""Writes an ACE-Step model with random weights, in the format of diffusers."""

from pathlib import Path
from typing import Any

import torch

from mirpipe.models.adapters.ace_step import PARTS, diffusers, transformers
from tests.models.adapters.byte_vocabulary import byte_vocabulary

LATENT = 16
"""Dimension of the codec's frames in the small model."""
_SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}
_STD = {"condition_embedder.weight": 4.0, "proj_out_conv.weight": 0.1}
"""Standard deviations that differ from the others, so that the text changes much."""
_NORMS_IN_ATTENTION = ("norm_q.weight", "norm_k.weight", "q_norm.weight", "k_norm.weight")


def write(folder: Path) -> None:
    """Write every file in NEEDS where MIRPIPE_STAND_INS=FOLDER looks for it."""
    from mirpipe.plugins.generators import ace_step

    torch.manual_seed(0)
    tokenizer = _tokenizer()
    parts = {
        **{name: part(**_configs()[name]) for name, part in PARTS.items()},
        "text_encoder": transformers.Qwen3Model(
            transformers.Qwen3Config(vocab_size=len(tokenizer), num_hidden_layers=2, **_SIZES)
        ),
    }
    for name, model in parts.items():
        _fill_with_random_weights(model, is_codec=name == "vae")
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0)
    pipeline = diffusers.AceStepPipeline(tokenizer=tokenizer, scheduler=scheduler, **parts)
    pipeline.save_pretrained(folder / ace_step.REPOSITORY)


def _configs() -> dict[str, dict[str, Any]]:
    """Return the published configurations of the parts with smaller sizes."""
    return {
        "vae": {
            "encoder_hidden_size": 2 * LATENT,
            "downsampling_ratios": [2, 4, 4, 6, 10],
            "channel_multiples": [1, 1, 1, 1, 1],
            "decoder_channels": 8,
            "decoder_input_channels": LATENT,
            "sampling_rate": 48_000,
        },
        "transformer": {
            **_SIZES,
            "hidden_size": 48,
            "encoder_hidden_size": 32,
            "num_hidden_layers": 2,
            "in_channels": 3 * LATENT,
            "audio_acoustic_hidden_dim": LATENT,
            "model_version": "base",
        },
        "condition_encoder": {
            **_SIZES,
            "text_hidden_dim": 32,
            "timbre_hidden_dim": LATENT,
            "num_lyric_encoder_hidden_layers": 1,
            "num_timbre_encoder_hidden_layers": 1,
        },
        "audio_tokenizer": {
            **_SIZES,
            "audio_acoustic_hidden_dim": LATENT,
            "fsq_dim": 32,
            "num_attention_pooler_hidden_layers": 1,
        },
        "audio_token_detokenizer": {
            **_SIZES,
            "audio_acoustic_hidden_dim": LATENT,
            "num_attention_pooler_hidden_layers": 1,
        },
    }


def _fill_with_random_weights(model: Any, *, is_codec: bool) -> None:
    """Set the weights so that every input changes the output."""
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if is_codec and name.endswith("bias"):
                weights.zero_()  # Otherwise, the biases would dominate the sound.
            elif is_codec and name == "encoder.conv2.weight_g":
                weights[:LATENT] *= 100  # Otherwise, all audio would have the same tokens.
            elif name.endswith(_NORMS_IN_ATTENTION):
                weights.fill_(8.0)  # Otherwise, the attention to all tokens would be equal.
            elif not is_codec and weights.ndim > 1:
                weights.normal_(std=_STD.get(name, 0.4))
        for name, buffer in model.named_buffers():
            if name == "silence_latent":
                buffer.normal_()


def _tokenizer() -> Any:
    """Return a tokenizer with one token per byte."""
    specials_of_roberta = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    tokens = [token for token in byte_vocabulary() if token not in specials_of_roberta]
    vocabulary = {token: number for number, token in enumerate([*tokens, "<|endoftext|>"])}
    return transformers.Qwen2TokenizerFast(vocab=vocabulary, merges=[])
