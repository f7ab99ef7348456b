"""Tests for the choice of torch device."""

import torch

from mirpipe.models.adapters.torch_device import choose_device


def test_a_configured_device_is_used() -> None:
    assert choose_device("cpu").type == "cpu"


def test_auto_means_cuda_if_there_is_a_card() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
