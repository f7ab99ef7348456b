"""Tests for the shipped encoders' retrieval quality on the demo library.

The table shows the retrieval quality on 60 tracks: each track is a query, and the other 59 tracks
are searched. Chance is the share of the other tracks that have the same label. P@5 is the number of
hits among the first five matches, divided by the largest possible number of hits.

| encoder | by genre: P@1, P@5, mAP | by work: P@1, P@5, mAP |
|---|---|---|
| musicnn | 0.58, 0.40, 0.42 | 0.44, 0.66, 0.52 |
| musicnn in int8 | 0.58, 0.40, 0.42 | 0.47, 0.66, 0.52 |
| signal | 0.67, 0.49, 0.54 | 0.47, 0.67, 0.56 |
| chance | 0.10 | 0.03 |
"""

import csv
from functools import cache

import numpy as np
import pytest

from mirpipe import audio, registry
from mirpipe.records import Float32
from mirpipe.settings import PROJECT, settings
from mirpipe.stages.embed.window_pooling import window_request

DEMO = PROJECT / "demo"


@cache
def manifest() -> list[dict[str, str]]:
    with (DEMO / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def vectors(name: str) -> Float32:
    """Return one row per track in the manifest, pooled as in the pipeline."""
    spec, encoder = registry.ENCODERS.spec(name), registry.ENCODERS.load(name)
    rows = []
    for entry in manifest():
        path = DEMO / entry["path"]
        request = window_request(spec, audio.read_audio_facts(path).silence)
        windows = [window for _, window in audio.read_windows(path, [request])]
        row = np.array([len(window.samples) for window in windows]) @ encoder.embed(windows)
        rows.append(row / np.linalg.norm(row))
    return np.array(rows, dtype=np.float32)


def precision_at_1(name: str, label: str) -> tuple[float, float]:
    """Return P@1, the share of tracks whose best match has the same label, and its chance value."""
    labels = np.array([entry[label] for entry in manifest()])
    same = labels[:, np.newaxis] == labels
    np.fill_diagonal(same, val=False)
    cosine = vectors(name) @ vectors(name).T
    np.fill_diagonal(cosine, -2)
    has_match = same.any(axis=1)
    hits = same[np.arange(len(labels)), cosine.argmax(axis=1)]
    chance = same[has_match].sum(axis=1).mean() / (len(labels) - 1)
    return float(hits[has_match].mean()), float(chance)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "label", "minimum"),
    [
        ("musicnn", "genre", 0.55),
        ("musicnn", "work", 0.42),
        ("signal", "genre", 0.55),
        ("signal", "work", 0.40),
    ],
)
def test_best_matches_have_the_same_label(name: str, label: str, minimum: float) -> None:
    precision, chance = precision_at_1(name, label)
    assert precision >= minimum
    assert precision >= 4 * chance


@pytest.mark.slow
def test_8_bits_give_nearly_the_same_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = vectors("musicnn")
    monkeypatch.setenv("MIRPIPE_COMPUTE_DTYPE", "int8")
    settings.cache_clear()
    rows = vectors.__wrapped__("musicnn")
    assert (exact * rows).sum(axis=1).min() >= 0.999
