"""Music2Latent as its package loads and runs it, without a network and in the precision asked for.

The package downloads its checkpoint even when it is given one; its loader runs any code that a
pickle holds and passes over weights that are missing; on a GPU it encodes in float16 whatever is
asked, and warns of it where there is no GPU. The patches stand here and last as long as the call
that needs them.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from music2latent import inference, models

from mirpipe.errors import PluginError
from mirpipe.models.adapters.padded_windows import whole_windows
from mirpipe.models.adapters.torch_runtime import Batches
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 441_000
"""Ten seconds at 44.1 kHz: normalisation spans all that is encoded at once, so this is fixed."""

CHANNELS = 64


class Music2Latent:
    """The encoder of one checkpoint."""

    def __init__(self, runtime: Runtime, checkpoint: Path) -> None:
        # two windows at once are no faster on a CPU, and each takes two gigabytes
        self._batches = Batches(runtime, cpu_batch=1, cuda_batch=16)
        self.device = self._batches.device
        self._model = load(checkpoint, device=self.device)
        _keep_precision(self._model.gen.encoder, getattr(torch, runtime.compute_dtype))

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """The mean over time of the latents, one row a segment, shape (len(segments), 64).

        A shorter segment is repeated to ten seconds. Raises PluginError for a longer one.
        """
        found = self._batches.rows(segments, self._mean_latent)
        return np.concatenate([np.empty((0, CHANNELS), np.float32), *found])

    def _mean_latent(self, segments: Sequence[AudioSegment]) -> Any:
        windows = whole_windows(segments, WINDOW_SAMPLES)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "CUDA is not available")
            # what the package takes for channels are windows here
            latents = self._model.encode(windows, max_batch_size=len(windows))
        return latents.float().mean(-1)


def load(checkpoint: Path, *, device: Any) -> Any:
    """A `music2latent.EncoderDecoder` of the checkpoint, evaluating.

    The file is read as tensors and numbers alone: a pickle that wants more is refused. Raises
    PluginError where weights of the encoder are missing.
    """
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    state: Mapping[str, Any] = saved["gen_state_dict"]
    with (
        _shape(state),
        mock.patch.object(inference, "download_model", return_value=None),
        mock.patch.object(torch, "load", return_value=saved),
    ):
        model = inference.EncoderDecoder(load_path_inference=str(checkpoint), device=device)
    wanted = {f"encoder.{name}" for name in model.gen.encoder.state_dict()}
    if missing := sorted(wanted - state.keys()):
        raise PluginError(f"{checkpoint} lacks {len(missing)} weights, {missing[0]} among them")
    model.gen.eval().requires_grad_(False)
    model.gen.encoder.to(memory_format=torch.channels_last)  # a fifth faster on a CPU
    return model


@contextmanager
def _shape(state: Mapping[str, Any]) -> Iterator[None]:
    """While it lasts, a new UNet has the widths of the checkpoint, not those of the package."""
    widths = {
        "base_channels": state["encoder.conv_inp.weight"].shape[0],
        "bottleneck_base_channels": state["encoder.conv_out.weight"].shape[1],
    }
    with mock.patch.multiple(models, **widths):
        yield


def _keep_precision(encoder: Any, dtype: Any) -> None:
    """Has the encoder compute in `dtype`, within the package's own float16 too."""
    forward = encoder.forward

    def in_dtype(spectra: Any, **options: Any) -> Any:
        lowered = dtype != torch.float32
        with torch.autocast(spectra.device.type, dtype=dtype, enabled=lowered):
            return forward(spectra, **options)

    encoder.forward = in_dtype
