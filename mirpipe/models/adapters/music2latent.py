"""Runs the Music2Latent encoder, loaded by its library, on ten-second windows."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from music2latent import inference

from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.music2latent_patches import compute_in, loading_only
from mirpipe.models.adapters.padded_windows import repeat_to_full_windows
from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 441_000
"""Number of samples per window: ten seconds at 44.1 kHz.

The length is fixed, because the model normalises over everything that it encodes in one call.
"""

CHANNELS = 64
"""Number of channels per latent, which is also the embedding's dimension."""


class Music2Latent:
    """The encoder loaded from one checkpoint."""

    def __init__(self, runtime: Runtime, checkpoint: Path) -> None:
        # On a CPU, batches of two windows are no faster than single windows. Each window needs two
        # gigabytes of memory.
        self._batches = BatchRunner(runtime, cpu_batch=1, cuda_batch=16)
        self.device = self._batches.device
        self._model = load(checkpoint, device=self.device)
        compute_in(self._model.gen.encoder, getattr(torch, runtime.compute_dtype))

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment: the mean over time of its latents.

        The array has shape (len(segments), 64) and dtype float32. A segment that is shorter than
        ten seconds is repeated. Raises PluginError if a segment is empty or longer than ten
        seconds.
        """
        rows = self._batches.run(segments, self._mean_latent)
        return np.concatenate([np.empty((0, CHANNELS), np.float32), *rows])

    def _mean_latent(self, segments: Sequence[AudioSegment]) -> Any:
        windows = repeat_to_full_windows(segments, WINDOW_SAMPLES)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "CUDA is not available")
            # The library treats the rows as channels of one track, and encodes each row separately.
            latents = self._model.encode(windows, max_batch_size=len(windows))
        return latents.float().mean(-1)


def load(checkpoint: Path, *, device: Any) -> Any:
    """Return a `music2latent.EncoderDecoder` loaded from the checkpoint, in evaluation mode.

    Only tensors and numbers are read from the file: torch raises UnpicklingError if the file
    contains anything else. Raises PluginError if encoder weights are missing.
    """
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    state: Mapping[str, Any] = saved["gen_state_dict"]
    with loading_only(saved):
        model = inference.EncoderDecoder(load_path_inference=str(checkpoint), device=device)
    required = {f"encoder.{name}" for name in model.gen.encoder.state_dict()}
    refuse_missing_weights(checkpoint, required - state.keys())
    model.gen.eval().requires_grad_(False)
    # This memory layout makes the encoder a fifth faster on a CPU.
    model.gen.encoder.to(memory_format=torch.channels_last)
    return model
