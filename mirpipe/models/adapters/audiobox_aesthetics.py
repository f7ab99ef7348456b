"""Audiobox Aesthetics as its package loads and runs it, a few windows at a time.

The package's predictor puts all windows of all files into one batch and reads files by torchcodec,
so the model is called here, on the windows that the predictor would cut: a shorter one is padded
with zeros and masked. Its switch for bfloat16 never turns on, so the precision is set around the
part that costs time; pooling and the last layers stay in float32.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from audiobox_aesthetics.model import aes
from safetensors import safe_open

from mirpipe.errors import PluginError
from mirpipe.models.adapters import hub_model_loader
from mirpipe.models.adapters.torch_runtime import Batches
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 160_000
"""Ten seconds at 16 kHz."""

AXES = ("CE", "CU", "PC", "PQ")


class AudioboxAesthetics:
    """The predictor of one checkpoint."""

    def __init__(self, runtime: Runtime, *, config: Path, checkpoint: Path) -> None:
        # two windows at once are no faster on a CPU
        self._batches = Batches(runtime, cpu_batch=1)
        self.device = self._batches.device
        self._model = load(config, checkpoint).to(self.device)
        _compute_in(self._model.wavlm_model, getattr(torch, runtime.compute_dtype))

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """Content enjoyment, content usefulness, production complexity, production quality.

        One row a segment, shape (len(segments), 4). Raises PluginError where a segment is empty or longer
        than a window.
        """
        found = self._batches.rows(segments, self._scores)
        return np.concatenate([np.empty((0, len(AXES)), np.float32), *found])

    def _scores(self, segments: Sequence[AudioSegment]) -> Any:
        samples, are_heard = (torch.from_numpy(each).to(self.device) for each in padded(segments))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            found = self._model({"wav": samples[:, None], "mask": are_heard[:, None]})
        scale = self._model.target_transform
        rows = [found[axis] * scale[axis]["std"] + scale[axis]["mean"] for axis in AXES]
        return torch.stack(rows, dim=-1)


def padded(segments: Sequence[AudioSegment]) -> tuple[Float32, np.ndarray[Any, np.dtype[np.bool_]]]:
    """One row a segment, zeros after its end, and which samples are the segment's own."""
    samples = np.zeros((len(segments), WINDOW_SAMPLES), np.float32)
    are_heard = np.zeros(samples.shape, np.bool_)
    for row, heard, segment in zip(samples, are_heard, segments, strict=True):
        length = len(segment.samples)
        if not 0 < length <= WINDOW_SAMPLES:
            raise PluginError(
                f"a segment has {length} samples: 1 to {WINDOW_SAMPLES} make a window"
            )
        row[:length] = segment.samples
        heard[:length] = True
    return samples, are_heard


def load(config: Path, checkpoint: Path) -> Any:
    """An `AesMultiOutput` of config.json and model.safetensors, evaluating, on the CPU.

    Raises PluginError where weights are missing.
    """
    with _shape(checkpoint):
        return hub_model_loader.load(aes.AesMultiOutput, config, checkpoint)


@contextmanager
def _shape(checkpoint: Path) -> Iterator[None]:
    """While it lasts, a new WavLM has the size of the checkpoint's; the configuration has none."""
    usual = aes.DEFAULT_AUDIO_CFG
    with safe_open(checkpoint, framework="pt") as file:
        names = file.keys()

        def width(name: str, axis: int = 0) -> int:
            return int(file.get_slice(f"wavlm_model.{name}").get_shape()[axis])

        sizes = {
            "encoder_layers": sum(name.endswith(".fc1.weight") for name in names),
            "encoder_embed_dim": width("encoder.layer_norm.weight"),
            "encoder_ffn_embed_dim": width("encoder.layers.0.fc1.weight"),
            "encoder_attention_heads": width("encoder.layers.0.self_attn.grep_a", axis=1),
            "conv_feature_layers": usual.conv_feature_layers.replace(
                "512", str(width("layer_norm.weight"))
            ),
        }
    with mock.patch.object(aes, "DEFAULT_AUDIO_CFG", aes.WavLMConfig(usual.__dict__ | sizes)):
        yield


def _compute_in(wavlm: Any, dtype: Any) -> None:
    """Has it compute in `dtype`, within the package's own float32 too, and return float32."""
    extract = wavlm.extract_features

    def in_dtype(*inputs: Any, source: Any, **options: Any) -> Any:
        lowered = dtype != torch.float32
        with torch.autocast(source.device.type, dtype=dtype, enabled=lowered):
            (last, layers), mask = extract(*inputs, source=source, **options)
        return (last.float(), [(states.float(), None) for states, _ in layers]), mask

    wavlm.extract_features = in_dtype
