"""Runs MuQ, loaded by its library, on ten-second windows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import muq
import numpy as np
import torch

from mirpipe.models.adapters.hub_model_loader import load_hub_model
from mirpipe.models.adapters.muq_patches import restore_hidden_states
from mirpipe.models.adapters.padded_windows import repeat_to_full_windows
from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.models.adapters.torch_precision import keep_float32
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 240_000
"""Number of samples per window: ten seconds at 24 kHz."""

_USED = ("model.conv.", "model.conformer.layers.", "model.conformer.layer_norm.")
"""Name prefixes of the weights that an embedding depends on."""


class Muq:
    """The model loaded from one checkpoint."""

    def __init__(self, runtime: Runtime, *, config: Path, checkpoint: Path, dimension: int) -> None:
        # On a CPU, batches of two windows are no faster than single windows.
        self._batches = BatchRunner(runtime, cpu_batch=1)
        self.device = self._batches.device
        self._dimension = dimension
        self._model = load(config, checkpoint).to(self.device)
        if runtime.compute_dtype != "float32":
            # This memory layout is faster in bfloat16 but slower in float32.
            self._model.model.conv.to(memory_format=torch.channels_last)
        keep_float32(self._model.model.preprocessor_melspec_2048.mel_stft)

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment: the mean over time of the last hidden state.

        The array has shape (len(segments), 1024) and dtype float32. A segment that is shorter than
        ten seconds is repeated. Raises PluginError if a segment is empty or longer than ten
        seconds.
        """
        rows = self._batches.run(segments, self._mean_state)
        return np.concatenate([np.empty((0, self._dimension), np.float32), *rows])

    def _mean_state(self, segments: Sequence[AudioSegment]) -> Any:
        windows = repeat_to_full_windows(segments, WINDOW_SAMPLES)
        samples = torch.from_numpy(windows).to(self.device)
        states = self._model(samples, output_hidden_states=False).last_hidden_state
        return states.float().mean(1)


def load(config: Path, checkpoint: Path) -> Any:
    """Return a patched `muq.MuQ` loaded from config.json and model.safetensors, on the CPU.

    The model is in evaluation mode. Raises PluginError if a weight that an embedding depends on is
    missing.
    """
    model = load_hub_model(muq.MuQ, config, checkpoint, used=_USED)
    restore_hidden_states(model.model.conformer)
    return model
