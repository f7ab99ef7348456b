"""Patches for the library music2latent: no downloads, the checkpoint's size, and the precision."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from music2latent import inference, models

from mirpipe.models.adapters.torch_precision import precision


@contextmanager
def loading_only(saved: Mapping[str, Any]) -> Iterator[None]:
    """While the context is open, the library loads this saved checkpoint and downloads nothing.

    Without the patch, the library downloads its checkpoint even if the caller provides one, and
    runs any code that the file contains. While the context is open, a new UNet has the size of the
    saved checkpoint, because the library has only one default size.
    """
    state = saved["gen_state_dict"]
    widths = {
        "base_channels": state["encoder.conv_inp.weight"].shape[0],
        "bottleneck_base_channels": state["encoder.conv_out.weight"].shape[1],
    }
    with (
        mock.patch.multiple(models, **widths),
        mock.patch.object(inference, "download_model", return_value=None),
        mock.patch.object(torch, "load", return_value=saved),
    ):
        yield


def compute_in(encoder: Any, dtype: Any) -> None:
    """Make the encoder compute in `dtype`.

    On a GPU, the library always enables float16. The patch overrides that setting.
    """
    forward = encoder.forward

    def forward_in_dtype(spectra: Any, **options: Any) -> Any:
        with precision(spectra.device, dtype):
            return forward(spectra, **options)

    encoder.forward = forward_in_dtype
