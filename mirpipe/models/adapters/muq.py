"""MuQ as its package loads and runs it, with the hidden states that transformers 5 withholds.

The package runs the conformer of transformers and asks it for all hidden states. Since 5.15 that
neither returns them nor accepts the plain configuration that the package gives it. The repair
stands here, on the one model that is loaded, and gives what transformers 4 gave.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import muq
import numpy as np
import torch
from transformers.modeling_outputs import BaseModelOutput

from mirpipe.models.adapters import hub_model_loader
from mirpipe.models.adapters.padded_windows import whole_windows
from mirpipe.models.adapters.torch_runtime import Batches, keep_float32
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 240_000
"""Ten seconds at 24 kHz."""

_USED = ("model.conv.", "model.conformer.layers.", "model.conformer.layer_norm.")


class Muq:
    """The model of one checkpoint."""

    def __init__(self, runtime: Runtime, *, config: Path, checkpoint: Path, dimension: int) -> None:
        # two windows at once are no faster on a CPU
        self._batches = Batches(runtime, cpu_batch=1)
        self.device = self._batches.device
        self._dimension = dimension
        self._model = load(config, checkpoint).to(self.device)
        if runtime.compute_dtype != "float32":  # faster there, slower in float32
            self._model.model.conv.to(memory_format=torch.channels_last)
        keep_float32(self._model.model.preprocessor_melspec_2048.mel_stft)

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """The mean over time of the last hidden state, one row a segment, shape (len(segments), 1024).

        A shorter segment is repeated to ten seconds. Raises PluginError for a longer one.
        """
        found = self._batches.rows(segments, self._mean_state)
        return np.concatenate([np.empty((0, self._dimension), np.float32), *found])

    def _mean_state(self, segments: Sequence[AudioSegment]) -> Any:
        samples = torch.from_numpy(whole_windows(segments, WINDOW_SAMPLES)).to(self.device)
        states = self._model(samples, output_hidden_states=False).last_hidden_state
        return states.float().mean(1)


def load(config: Path, checkpoint: Path) -> Any:
    """A `muq.MuQ` of config.json and model.safetensors, repaired and evaluating, on the CPU.

    Raises PluginError where weights that embedding uses are missing.
    """
    model = hub_model_loader.load(muq.MuQ, config, checkpoint, used=_USED)
    repair(model.model.conformer)
    return model


def repair(conformer: Any) -> None:
    """Has a `Wav2Vec2ConformerEncoder` return the input of each layer and the final state.

    It then takes the configuration that the package gives it, which names no attention.
    """
    conformer.config["_attn_implementation"] = "eager"
    forward = conformer.forward

    def with_hidden_states(states: Any, attention_mask: Any = None, **_: Any) -> Any:
        inputs: list[Any] = []

        def keep(_layer: Any, given: Any, named: Any) -> None:
            inputs.append(given[0] if given else named["hidden_states"])

        hooks = [
            layer.register_forward_pre_hook(keep, with_kwargs=True) for layer in conformer.layers
        ]
        try:
            last = forward(states, attention_mask=attention_mask)[0]
        finally:
            for hook in hooks:
                hook.remove()
        return BaseModelOutput(last_hidden_state=last, hidden_states=(*inputs, last))

    conformer.forward = with_hidden_states
