"""Tests for the precision in which torch models compute."""

import pytest
import torch

from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.models.adapters.torch_precision import keep_float32
from mirpipe.specs import Runtime


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_model_computes_in_the_configured_dtype(dtype: str) -> None:
    with BatchRunner(Runtime({}, dtype, "cpu"), cpu_batch=4).inference():
        assert torch.nn.Linear(4, 4)(torch.ones(1, 4)).dtype == getattr(torch, dtype)


def test_a_module_can_be_kept_in_float32() -> None:
    model = torch.nn.Linear(4, 4)
    keep_float32(model)
    with BatchRunner(Runtime({}, "bfloat16", "cpu"), cpu_batch=4).inference():
        assert model(torch.ones(1, 4)).dtype == torch.float32
