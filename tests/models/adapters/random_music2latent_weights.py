"""Writes a small Music2Latent model with random weights, in the published format."""

from pathlib import Path
from unittest import mock

import torch


def write(folder: Path) -> None:
    """Write music2latent.pt where MIRPIPE_STAND_INS=FOLDER looks for it."""
    from music2latent import models

    from mirpipe.plugins.encoders.music2latent import CHECKPOINT

    torch.manual_seed(0)
    with mock.patch.multiple(models, base_channels=8, bottleneck_base_channels=32):
        network = models.UNet()
    for weights in network.parameters():
        # Some weights are initialised with zeros, so the layers after them would have no effect.
        if weights.ndim > 1 and not weights.any():
            torch.nn.init.normal_(weights, std=0.02)
    path = folder / CHECKPOINT.repository / CHECKPOINT.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"gen_state_dict": network.state_dict()}, path)
