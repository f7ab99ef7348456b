"""Writes full-size models that generate music or captions, with random weights.

The sizes are those of the published configurations. Only the vocabularies of the text encoders are
smaller, because the published tokenizers cannot be generated.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mirpipe.specs import WeightFile

STD = 0.02
"""Standard deviation of the weights, as in the libraries' own initialisation."""


def write_musicgen_melody(folder: Path, *, device: str) -> dict[WeightFile, Path]:
    """Write MusicGen-Melody (1.5 billion parameters, 6 GB). Return the path of each file."""
    from mirpipe.plugins.generators import musicgen_melody
    from tests.models.adapters import random_musicgen_weights

    random_musicgen_weights.write(folder, config_of=_musicgen_config, std=STD, device=device)
    return published_paths(musicgen_melody.NEEDS.weights, folder)


def write_qwen2_audio(folder: Path, *, device: str) -> dict[WeightFile, Path]:
    """Write Qwen2-Audio (8.4 billion parameters, 17 GB). Return the path of each file."""
    from mirpipe.plugins.captioners import qwen2_audio
    from tests.models.adapters import random_qwen2_audio_weights

    audio: dict[str, object] = {
        "d_model": 1280,
        "encoder_layers": 32,
        "encoder_attention_heads": 20,
        "encoder_ffn_dim": 5120,
    }
    text: dict[str, object] = {
        "hidden_size": 4096,
        "intermediate_size": 11_008,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 32,
        "vocab_size": 156_032,
    }
    random_qwen2_audio_weights.write(folder, audio=audio, text=text, std=STD, device=device)
    return published_paths(qwen2_audio.NEEDS.weights, folder)


def published_paths(files: Iterable[WeightFile], folder: Path) -> dict[WeightFile, Path]:
    """Return where MIRPIPE_STAND_INS=FOLDER would look for each of these files."""
    return {file: folder / file.repository / file.filename for file in files}


def _musicgen_config(vocabulary_size: int) -> Any:
    """Return the published configuration for this number of text tokens."""
    from mirpipe.models.adapters.musicgen_melody import transformers

    text = transformers.T5Config(
        vocab_size=vocabulary_size + 4,
        d_model=768,
        d_kv=64,
        d_ff=3072,
        num_layers=12,
        num_heads=12,
    )
    codec = transformers.EncodecConfig(
        sampling_rate=32_000,
        audio_channels=1,
        normalize=False,
        num_filters=64,
        num_residual_layers=1,
        upsampling_ratios=[8, 5, 4, 4],
        codebook_size=2048,
        codebook_dim=128,
        hidden_size=128,
        target_bandwidths=[2.2],
        num_lstm_layers=2,
        use_causal_conv=False,
        use_conv_shortcut=False,
    )
    decoder = transformers.MusicgenMelodyDecoderConfig(
        vocab_size=2048,
        hidden_size=1536,
        num_hidden_layers=48,
        num_attention_heads=24,
        ffn_dim=6144,
        num_codebooks=4,
        pad_token_id=2048,
        bos_token_id=2048,
        audio_channels=1,
    )
    return transformers.MusicgenMelodyConfig(
        text_encoder=text.to_dict(),
        audio_encoder=codec.to_dict(),
        decoder=decoder.to_dict(),
        num_chroma=12,
        chroma_length=235,
    )
