"""Tests that compare MusiCNN with the published model and librosa, and test a known instrument."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pytest

from mirpipe import audio
from mirpipe.plugins.encoders import musicnn
from mirpipe.plugins.encoders.musicnn import SPEC, Plugin
from mirpipe.records import AudioSegment, Float32
from tests.support.skip_or_fail import skip_or_fail
from tests.support.synthetic_music import melody

PROJECT = Path(__file__).parents[3]
WEIGHTS = PROJECT / "mirpipe/plugins/encoders/weights"

# Every 25th number of the penultimate layer, and the highest tags, for `window()`. They were
# computed by PyTorch from the published checkpoint and librosa's spectrogram.
PENULTIMATE = [-0.07995, -0.26456, 0.11509, -0.08677, 0.28912, -0.07419, -0.05519, 0.10236]
TAGS = {"guitar": 0.3594, "beat": 0.1511, "drums": 0.1149, "techno": 0.0929, "electronic": 0.0818}


@cache
def plugin() -> Plugin:
    return Plugin()


def window() -> Float32:
    return melody(SPEC.window_samples / SPEC.sample_rate, SPEC.sample_rate, dbfs=-16)


def test_rows_equal_those_of_the_published_model() -> None:
    row = plugin().embed([AudioSegment(window(), SPEC.sample_rate)])[0]
    np.testing.assert_allclose(row[::25], PENULTIMATE, atol=1e-4)


def test_tags_equal_those_of_the_published_model() -> None:
    probabilities = plugin().tags([AudioSegment(window(), SPEC.sample_rate)])[0]
    tags = dict(zip(plugin().tag_names, probabilities, strict=True))
    assert sorted(tags, key=tags.__getitem__, reverse=True)[:5] == list(TAGS)
    assert [tags[name] for name in TAGS] == pytest.approx(list(TAGS.values()), abs=1e-3)


def test_a_flute_is_tagged_as_a_flute() -> None:
    path = PROJECT / "demo" / "reference" / "蓝花花（笛子）.ogg"
    request = audio.WindowRequest(SPEC.sample_rate, SPEC.window_samples)
    tags = plugin().tags([segment for _, segment in audio.read_windows(path, [request])])
    assert plugin().tag_names[tags.mean(axis=0).argmax()] == "flute"


def test_the_patch_of_a_window_equals_the_spectrogram_of_librosa() -> None:
    mel = librosa.feature.melspectrogram(
        y=window(), sr=16_000, n_fft=512, hop_length=256, n_mels=96
    )
    patch = musicnn.log_mel(window(), musicnn.mel_filters())
    assert patch.shape == (187, 96)
    assert patch.dtype == np.float32
    np.testing.assert_allclose(patch, np.log10(10_000 * mel.T + 1), atol=1e-5)


def test_a_shorter_segment_is_repeated_to_a_window() -> None:
    start = window()[: SPEC.window_samples // 3]
    repeated = np.concatenate([start, start, start])
    rows = plugin().embed(
        [AudioSegment(start, SPEC.sample_rate), AudioSegment(repeated, SPEC.sample_rate)]
    )
    np.testing.assert_array_equal(rows[0], rows[1])


@pytest.mark.slow
def test_the_shipped_files_are_reproduced_from_the_source_package(tmp_path: Path) -> None:
    sdist = _source_package(tmp_path)
    script = PROJECT / "tools" / "make_musicnn_onnx.py"
    subprocess.run([sys.executable, str(script), str(sdist), str(tmp_path)], check=True)
    for name in ("musicnn_mtt.onnx", "musicnn.LICENCE"):
        assert (tmp_path / name).read_bytes() == (WEIGHTS / name).read_bytes()


def test_another_package_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "musicnn-0.1.0.tar.gz"
    other.write_bytes(b"something else")
    script = PROJECT / "tools" / "make_musicnn_onnx.py"
    process = subprocess.run(
        [sys.executable, str(script), str(other), str(tmp_path)], capture_output=True, text=True
    )
    assert process.returncode != 0
    assert "is not the source package of musicnn 0.1.0" in process.stderr
    assert list(tmp_path.iterdir()) == [other]


def _source_package(folder: Path) -> Path:
    requirement = PROJECT / "tools" / "musicnn.txt"
    # pip checks the hash before it runs any code from the package.
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "musicnn"]
    pinned = ["--require-hashes", "--requirement", str(requirement)]
    command = [*pip, *pinned, "--dest", str(folder)]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        error = process.stderr[-500:]
        skip_or_fail(f"pip cannot download the source package of musicnn: {error}")
    return folder / "musicnn-0.1.0.tar.gz"
