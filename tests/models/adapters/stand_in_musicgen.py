"""A small MusicGen-Melody with random weights, in the format that transformers publishes."""

import json
from pathlib import Path
from typing import Any

import torch

CODEBOOKS, CODES = 4, 256
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.-"


def write(folder: Path) -> None:
    """Writes every file of NEEDS where MIRPIPE_STAND_INS=FOLDER looks for it."""
    from mirpipe.models.adapters.musicgen_melody import quiet, transformers
    from mirpipe.plugins.generators import musicgen_melody

    place = folder / musicgen_melody.REPOSITORY
    place.mkdir(parents=True, exist_ok=True)
    transformers.MusicgenMelodyFeatureExtractor().save_pretrained(place)
    words = t5_tokenizer()
    words.save_pretrained(place)
    torch.manual_seed(0)
    with quiet():
        model = transformers.MusicgenMelodyForConditionalGeneration(_config(len(words)))
        _fill(model)
        model.save_pretrained(place)
    generation = {
        "bos_token_id": CODES,
        "decoder_start_token_id": CODES,
        "do_sample": True,
        "guidance_scale": 3.0,
        "max_length": 1500,
        "pad_token_id": CODES,
    }
    (place / "generation_config.json").write_text(json.dumps(generation))
    _in_shards(place)


def t5_tokenizer() -> Any:
    """One token a letter, and the hundred extra ones of T5."""
    from mirpipe.models.adapters.musicgen_melody import transformers

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    extra = [(f"<extra_id_{n}>", 0.0) for n in reversed(range(100))]
    return transformers.T5Tokenizer(
        vocab=[*special, *((letter, -3.0) for letter in "▁" + LETTERS), *extra]
    )


def _fill(model: Any) -> None:
    """Random weights that let every input through; codebooks, too, which would be zeros."""
    with torch.no_grad():
        for name, weights in model.named_parameters():
            is_codec = name.startswith("audio_encoder")
            if is_codec and name.endswith("bias"):
                weights.zero_()  # they would be most of what is heard
            elif not is_codec and weights.ndim > 1:
                weights.normal_(std=0.4)
        for layer in model.audio_encoder.quantizer.layers:
            layer.codebook.embed.normal_(std=3)


def _config(words: int) -> Any:
    """As published, but for the sizes."""
    from mirpipe.models.adapters.musicgen_melody import transformers

    text = transformers.T5Config(
        vocab_size=words + 4, d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4
    )
    codec = transformers.EncodecConfig(
        sampling_rate=32_000,
        audio_channels=1,
        normalize=False,
        num_filters=4,
        num_residual_layers=1,
        upsampling_ratios=[8, 5, 4, 4],
        codebook_size=CODES,
        codebook_dim=16,
        hidden_size=16,
        target_bandwidths=[1.6],
        num_lstm_layers=1,
        use_causal_conv=False,
    )
    decoder = transformers.MusicgenMelodyDecoderConfig(
        vocab_size=CODES,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        ffn_dim=64,
        num_codebooks=CODEBOOKS,
        pad_token_id=CODES,
        bos_token_id=CODES,
        audio_channels=1,
    )
    return transformers.MusicgenMelodyConfig(
        text_encoder=text.to_dict(),
        audio_encoder=codec.to_dict(),
        decoder=decoder.to_dict(),
        num_chroma=12,
        chroma_length=235,
    )


def _in_shards(place: Path) -> None:
    """Splits the weights into the published files."""
    from safetensors.torch import load_file, save_file

    from mirpipe.plugins.generators.musicgen_melody import INDEX, SHARDS

    whole = place / "model.safetensors"
    weights = load_file(whole)
    whole.unlink()
    names = sorted(weights)
    middle = len(names) // 2
    one, other = (shard.filename for shard in SHARDS)
    parts = {one: names[:middle], other: names[middle:]}
    for filename, held in parts.items():
        save_file({n: weights[n] for n in held}, place / filename, metadata={"format": "pt"})
    index = {
        "metadata": {"total_size": sum(value.nbytes for value in weights.values())},
        "weight_map": {name: filename for filename, held in parts.items() for name in held},
    }
    (place / INDEX.filename).write_text(json.dumps(index))
