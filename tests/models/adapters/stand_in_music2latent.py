"""A small Music2Latent with random weights, in the format in which the real one is published."""

from pathlib import Path
from unittest import mock

import torch


def write(folder: Path) -> None:
    """Writes music2latent.pt where MIRPIPE_STAND_INS=FOLDER looks for it."""
    from music2latent import models

    from mirpipe.plugins.encoders.music2latent import CHECKPOINT

    torch.manual_seed(0)
    with mock.patch.multiple(models, base_channels=8, bottleneck_base_channels=32):
        network = models.UNet()
    for weights in network.parameters():
        # some start as zeros, and what follows them would not count
        if weights.ndim > 1 and not weights.any():
            torch.nn.init.normal_(weights, std=0.02)
    path = folder / CHECKPOINT.repository / CHECKPOINT.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"gen_state_dict": network.state_dict()}, path)
