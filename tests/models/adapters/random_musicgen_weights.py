"""Writes a MusicGen-Melody model with random weights, in the transformers format."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

CODEBOOKS, CODES = 4, 256
"""Sizes of the small model."""
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.-"


def write(
    folder: Path,
    *,
    config_of: Callable[[int], Any] | None = None,
    std: float = 0.4,
    device: str = "cpu",
) -> None:
    """Write every file in NEEDS where MIRPIPE_STAND_INS=FOLDER looks for it.

    `config_of` returns the configuration for a number of text tokens. By default, the model is
    small. The weights have the standard deviation `std` and are drawn on `device`.
    """
    from mirpipe.models.adapters.musicgen_melody import errors_only, transformers
    from mirpipe.plugins.generators import musicgen_melody

    repository = folder / musicgen_melody.REPOSITORY
    repository.mkdir(parents=True, exist_ok=True)
    transformers.MusicgenMelodyFeatureExtractor().save_pretrained(repository)
    tokenizer = t5_tokenizer()
    tokenizer.save_pretrained(repository)
    torch.manual_seed(0)
    config = (config_of or _config)(len(tokenizer))
    with errors_only(), torch.device(device):
        model = transformers.MusicgenMelodyForConditionalGeneration(config)
        _fill_with_random_weights(model, std)
        model.save_pretrained(repository, max_shard_size="100GB")
    codes = config.decoder.vocab_size
    generation = {
        "bos_token_id": codes,
        "decoder_start_token_id": codes,
        "do_sample": True,
        "guidance_scale": 3.0,
        "max_length": 1500,
        "pad_token_id": codes,
    }
    (repository / "generation_config.json").write_text(json.dumps(generation))
    _split_into_shards(repository)


def t5_tokenizer() -> Any:
    """Return a tokenizer with one token per letter, and T5's hundred extra tokens."""
    from mirpipe.models.adapters.musicgen_melody import transformers

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    extra = [(f"<extra_id_{n}>", 0.0) for n in reversed(range(100))]
    return transformers.T5Tokenizer(
        vocab=[*special, *((letter, -3.0) for letter in "▁" + LETTERS), *extra]
    )


def _fill_with_random_weights(model: Any, std: float) -> None:
    """Set the weights so that every input changes the output.

    The codebooks are also filled with random numbers, because the library initialises them with
    zeros.
    """
    with torch.no_grad():
        for name, weights in model.named_parameters():
            is_codec = name.startswith("audio_encoder")
            if is_codec and name.endswith("bias"):
                weights.zero_()  # Otherwise, the biases would dominate the sound.
            elif not is_codec and weights.ndim > 1:
                weights.normal_(std=std)
        for layer in model.audio_encoder.quantizer.layers:
            layer.codebook.embed.normal_(std=3)


def _config(vocabulary_size: int) -> Any:
    """Return the published configuration with smaller sizes."""
    from mirpipe.models.adapters.musicgen_melody import transformers

    text = transformers.T5Config(
        vocab_size=vocabulary_size + 4, d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4
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


def _split_into_shards(repository: Path) -> None:
    """Split the weights into files as in the published checkpoint."""
    from safetensors.torch import load_file, save_file

    from mirpipe.plugins.generators.musicgen_melody import INDEX, SHARDS

    single_file = repository / "model.safetensors"
    weights = load_file(single_file)
    single_file.unlink()
    names = sorted(weights)
    middle = len(names) // 2
    first, second = (shard.filename for shard in SHARDS)
    names_by_file = {first: names[:middle], second: names[middle:]}
    for filename, names_in_file in names_by_file.items():
        tensors = {name: weights[name] for name in names_in_file}
        save_file(tensors, repository / filename, metadata={"format": "pt"})
    index = {
        "metadata": {"total_size": sum(value.nbytes for value in weights.values())},
        "weight_map": {
            name: filename
            for filename, names_in_file in names_by_file.items()
            for name in names_in_file
        },
    }
    (repository / INDEX.filename).write_text(json.dumps(index))
