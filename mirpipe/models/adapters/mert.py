"""Runs MERT, loaded by transformers as a HuBERT model, on five-second windows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.padded_windows import repeat_to_full_windows
from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.models.adapters.torch_precision import keep_float32
from mirpipe.models.adapters.transformers_output import errors_only
from mirpipe.models.adapters.weight_folder import weight_folder
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

SAMPLE_RATE = 24_000
WINDOW_SAMPLES = 120_000
"""Number of samples per window: five seconds at 24 kHz."""

DIMENSION = 768


class Mert:
    """The model loaded from one checkpoint."""

    def __init__(
        self, runtime: Runtime, *, config: Path, preprocessor: Path, checkpoint: Path
    ) -> None:
        self._batches = BatchRunner(runtime, cpu_batch=1)
        self.device = self._batches.device
        self._extractor = transformers.Wav2Vec2FeatureExtractor.from_json_file(preprocessor)
        self._model = load(config, checkpoint).to(self.device)
        # This part computes the spectrum of the samples.
        keep_float32(self._model.feature_extractor)

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment: the mean of the hidden states over time and layers.

        The array has shape (len(segments), 768) and dtype float32. A segment that is shorter than
        five seconds is repeated. Raises PluginError if a segment is empty or longer than five
        seconds.
        """
        rows = self._batches.run(segments, self._mean_state)
        return np.concatenate([np.empty((0, DIMENSION), np.float32), *rows])

    def _mean_state(self, segments: Sequence[AudioSegment]) -> Any:
        windows = repeat_to_full_windows(segments, WINDOW_SAMPLES)
        inputs = self._extractor(list(windows), sampling_rate=SAMPLE_RATE, return_tensors="pt")
        samples = inputs.input_values.to(self.device)
        states = self._model(samples, output_hidden_states=True).hidden_states
        return torch.stack(states).float().mean((0, 2))


def load(config: Path, checkpoint: Path) -> Any:
    """Return the `HubertModel` loaded from MERT's config.json and pytorch_model.bin, on the CPU.

    The model is in evaluation mode. transformers reads only tensors from the file, and raises
    UnpicklingError if it contains anything else. Raises PluginError if weights are missing, because
    transformers would leave them random.
    """
    with weight_folder({"pytorch_model.bin": checkpoint}) as folder, errors_only():
        model, report = transformers.HubertModel.from_pretrained(
            folder,
            config=transformers.HubertConfig.from_json_file(config),
            # The authors' code uses this implementation. With it, the numbers have equal bits.
            attn_implementation="eager",
            local_files_only=True,
            output_loading_info=True,
        )
    refuse_missing_weights(checkpoint, report["missing_keys"])
    return model.eval().requires_grad_(False)
