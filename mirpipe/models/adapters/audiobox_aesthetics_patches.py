"""Patches for the library audiobox_aesthetics: the model's size and its precision."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from audiobox_aesthetics.model import aes
from safetensors import safe_open

from mirpipe.models.adapters.torch_precision import precision


@contextmanager
def wavlm_size_of(checkpoint: Path) -> Iterator[None]:
    """While the context is open, a new WavLM has the size of the checkpoint's WavLM.

    The published configuration does not contain the size, and the library has only one default
    size. Without this patch, a small model with random weights could not be loaded.
    """
    default = aes.DEFAULT_AUDIO_CFG
    with safe_open(checkpoint, framework="pt") as file:
        names = file.keys()

        def width(name: str, axis: int = 0) -> int:
            return int(file.get_slice(f"wavlm_model.{name}").get_shape()[axis])

        sizes = {
            "encoder_layers": sum(name.endswith(".fc1.weight") for name in names),
            "encoder_embed_dim": width("encoder.layer_norm.weight"),
            "encoder_ffn_embed_dim": width("encoder.layers.0.fc1.weight"),
            "encoder_attention_heads": width("encoder.layers.0.self_attn.grep_a", axis=1),
            "conv_feature_layers": default.conv_feature_layers.replace(
                "512", str(width("layer_norm.weight"))
            ),
        }
    with mock.patch.object(aes, "DEFAULT_AUDIO_CFG", aes.WavLMConfig(default.__dict__ | sizes)):
        yield


def compute_in(wavlm: Any, dtype: Any) -> None:
    """Make the WavLM compute in `dtype` and return float32.

    The library always computes in float32: its own bfloat16 option has no effect. WavLM takes most
    of the time, so only WavLM computes in `dtype`.
    """
    extract_features = wavlm.extract_features

    def extract_features_in_dtype(*inputs: Any, source: Any, **options: Any) -> Any:
        with precision(source.device, dtype):
            (last, layers), mask = extract_features(*inputs, source=source, **options)
        return (last.float(), [(states.float(), None) for states, _ in layers]), mask

    wavlm.extract_features = extract_features_in_dtype
