"""Tests that encoders and track metrics halve their batches when GPU memory runs out.

The error is simulated, because it cannot be caused without a GPU.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from mirpipe.records import AudioSegment
from tests.plugins.contract.installed_plugins import (
    KINDS,
    compute_rows,
    load_once,
    music_segment,
    names_of_installed,
)

ON_GPU = [
    (kind, name)
    for kind in KINDS
    for name in names_of_installed(kind)
    if KINDS[kind].needs(name).can_use_gpu
]


@pytest.mark.parametrize(("kind", "name"), ON_GPU)
@pytest.mark.usefixtures("random_weights")
def test_batches_are_halved_until_they_fit_and_rows_stay_the_same(
    kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from tools.bench_cuda.windows import runner_of

    spec = KINDS[kind].declared(name)
    segments = [music_segment(spec, windows=0.5, seed=seed) for seed in range(3)]
    alone = np.concatenate([compute_rows(kind, name, [segment]) for segment in segments])
    runner = runner_of(load_once(kind, name))
    sizes: list[int] = []
    run = runner.run

    def run_on_small_card(
        batch: Sequence[AudioSegment], model: Callable[[Sequence[AudioSegment]], Any]
    ) -> Any:
        def limited(segments: Sequence[AudioSegment]) -> Any:
            sizes.append(len(segments))
            if len(segments) > 1:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            return model(segments)

        return run(batch, limited)

    monkeypatch.setattr(runner, "run", run_on_small_card)
    monkeypatch.setattr(runner, "batch_size", 64)
    rows = compute_rows(kind, name, segments)
    assert sizes == [3, 1, 1, 1]
    np.testing.assert_allclose(rows, alone, rtol=1e-4, atol=1e-5)
