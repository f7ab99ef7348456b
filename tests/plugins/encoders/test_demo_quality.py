"""How often the demo library's tracks find their like, by encoder.

Measured over 60 tracks, each asked against the 59 others; chance is the share of the others that
bear the same label. P@5 counts hits among the first five, of as many as there can be.

| encoder | by genre: P@1, P@5, mAP | by work: P@1, P@5, mAP |
|---|---|---|
| musicnn | .61, .40, .43 | .50, .66, .55 |
| signal | .67, .49, .53 | .47, .66, .55 |
| chance | .10 | .03 |
"""

import csv
from functools import cache

import numpy as np
import pytest

from mirpipe import audio, registry
from mirpipe.records import Float32
from mirpipe.settings import PROJECT

DEMO = PROJECT / "demo"


@cache
def manifest() -> list[dict[str, str]]:
    with (DEMO / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def vectors(name: str) -> Float32:
    """One row a track of the manifest, as the pipeline pools it."""
    spec, encoder = registry.ENCODERS.spec(name), registry.ENCODERS.load(name)
    rows = []
    for entry in manifest():
        path = DEMO / entry["path"]
        assert spec.gain_dbfs is not None
        gain = 10 ** ((spec.gain_dbfs - audio.inspect(path).rms_dbfs) / 20)
        request = audio.WindowRequest(spec.sample_rate, spec.window_samples, gain)
        clips = [clip for _, clip in audio.windows(path, [request])]
        row = np.array([len(clip.samples) for clip in clips]) @ encoder.embed(clips)
        rows.append(row / np.linalg.norm(row))
    return np.array(rows, dtype=np.float32)


def precision_at_1(name: str, label: str) -> tuple[float, float]:
    """Share of the tracks whose nearest other bears their label, and what chance gives."""
    labels = np.array([entry[label] for entry in manifest()])
    same = labels[:, np.newaxis] == labels
    np.fill_diagonal(same, val=False)
    cosine = vectors(name) @ vectors(name).T
    np.fill_diagonal(cosine, -2)
    asked = same.any(axis=1)
    hits = same[np.arange(len(labels)), cosine.argmax(axis=1)]
    return float(hits[asked].mean()), float(same[asked].sum(axis=1).mean() / (len(labels) - 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "label", "least"),
    [
        ("musicnn", "genre", 0.55),
        ("musicnn", "work", 0.42),
        ("signal", "genre", 0.55),
        ("signal", "work", 0.40),
    ],
)
def test_tracks_find_their_like(name: str, label: str, least: float) -> None:
    found, chance = precision_at_1(name, label)
    assert found >= least
    assert found >= 4 * chance
