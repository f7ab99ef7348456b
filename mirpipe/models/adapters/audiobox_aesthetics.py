"""Runs Audiobox Aesthetics, loaded by its library, on a few windows per call.

The library's own predictor puts all windows of all files into one batch, and it reads files with
torchcodec. This module therefore calls the model directly, on the same windows that the predictor
uses: a shorter window is padded with zeros, and the padding is masked. With bfloat16, pooling and
the last layers still compute in float32.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from audiobox_aesthetics.model import aes

from mirpipe.errors import PluginError
from mirpipe.models.adapters.audiobox_aesthetics_patches import compute_in, wavlm_size_of
from mirpipe.models.adapters.hub_model_loader import load_hub_model
from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 160_000
"""Number of samples per window: ten seconds at 16 kHz."""

AXES = ("CE", "CU", "PC", "PQ")
"""Axes of a score: content enjoyment and usefulness, production complexity and quality."""


class AudioboxAesthetics:
    """The model loaded from one checkpoint."""

    def __init__(self, runtime: Runtime, *, config: Path, checkpoint: Path) -> None:
        # On a CPU, batches of two windows are no faster than single windows.
        self._batches = BatchRunner(runtime, cpu_batch=1)
        self.device = self._batches.device
        self._model = load(config, checkpoint).to(self.device)
        compute_in(self._model.wavlm_model, getattr(torch, runtime.compute_dtype))

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row of scores per segment, in the order of AXES.

        The array has shape (len(segments), 4) and dtype float32. Raises PluginError if a segment is
        empty or longer than a window.
        """
        rows = self._batches.run(segments, self._scores)
        return np.concatenate([np.empty((0, len(AXES)), np.float32), *rows])

    def _scores(self, segments: Sequence[AudioSegment]) -> Any:
        samples, mask = (
            torch.from_numpy(array).to(self.device) for array in padded_and_masked(segments)
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            predictions = self._model({"wav": samples[:, None], "mask": mask[:, None]})
        scale = self._model.target_transform
        columns = [predictions[axis] * scale[axis]["std"] + scale[axis]["mean"] for axis in AXES]
        return torch.stack(columns, dim=-1)


def padded_and_masked(
    segments: Sequence[AudioSegment],
) -> tuple[Float32, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return the segments padded with zeros, and a mask that is True where a segment has samples.

    Both arrays have shape (len(segments), WINDOW_SAMPLES). Raises PluginError if a segment is empty
    or longer than a window.
    """
    padded = np.zeros((len(segments), WINDOW_SAMPLES), np.float32)
    mask = np.zeros(padded.shape, np.bool_)
    for row, row_mask, segment in zip(padded, mask, segments, strict=True):
        length = len(segment.samples)
        if not 0 < length <= WINDOW_SAMPLES:
            raise PluginError(
                f"A segment has {length} samples, but a window has 1 to {WINDOW_SAMPLES}. Report "
                "this as a bug in mirpipe"
            )
        row[:length] = segment.samples
        row_mask[:length] = True
    return padded, mask


def load(config: Path, checkpoint: Path) -> Any:
    """Return an `AesMultiOutput` loaded from config.json and model.safetensors, on the CPU.

    The model is in evaluation mode. Raises PluginError if weights are missing.
    """
    with wavlm_size_of(checkpoint):
        return load_hub_model(aes.AesMultiOutput, config, checkpoint)
