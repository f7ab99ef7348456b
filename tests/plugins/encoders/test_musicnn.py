"""Tests that compare MusiCNN with the published model and librosa, and test a known instrument."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pytest

from mirpipe import audio, registry
from mirpipe.plugins.encoders import musicnn
from mirpipe.plugins.encoders.musicnn import SPEC, Plugin
from mirpipe.records import AudioSegment, Float32
from mirpipe.settings import settings
from mirpipe.specs import Runtime
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


@cache
def plugin_in_int8() -> Plugin:
    return Plugin(Runtime({}, "int8", "cpu"))


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


@pytest.mark.parametrize("name", ["蓝花花（笛子）.ogg", "Band- Basic Rock.ogg"])
def test_8_bit_rows_are_close_to_those_in_float32(name: str) -> None:
    request = audio.WindowRequest(SPEC.sample_rate, SPEC.window_samples)
    path = PROJECT / "demo" / "reference" / name
    segments = [segment for _, segment in audio.read_windows(path, [request])]
    exact, rows = plugin().embed(segments), plugin_in_int8().embed(segments)
    cosines = (exact * rows).sum(axis=1) / np.sqrt((exact**2).sum(axis=1) * (rows**2).sum(axis=1))
    assert cosines.min() >= 0.999
    assert not np.array_equal(exact, rows)


def test_8_bit_tags_are_close_to_those_in_float32() -> None:
    segments = [AudioSegment(window(), SPEC.sample_rate)]
    np.testing.assert_allclose(plugin_in_int8().tags(segments), plugin().tags(segments), atol=0.02)


@pytest.mark.parametrize("level", [0, 1e-4, 1, 1e4])
def test_8_bit_windows_contain_the_patch_at_every_level(level: float) -> None:
    patch = musicnn.log_mel(level * window(), musicnn.mel_filters())
    windows = musicnn.Int8Windows(padding=1.448)(patch)
    steps, scale = windows["frames_32"], windows["scale"][0]
    np.testing.assert_allclose(steps[:, :, 15] * scale, patch, atol=scale / 2)
    np.testing.assert_allclose(windows["zero_point"] * scale, 1.448, atol=scale / 2)
    # The first frame has 15 frames of padding before it.
    assert set(steps[0, :, :15].ravel()) == {int(windows["zero_point"])}
    bands = windows["bands_38"].reshape(187, 59, 38, 7)
    np.testing.assert_allclose(bands[:, 58, 37, 3] * scale, patch[:, 95], atol=scale / 2)


def test_only_the_setting_int8_gives_another_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    revisions = {}
    for dtype in ("float32", "bfloat16", "int8"):
        monkeypatch.setenv("MIRPIPE_COMPUTE_DTYPE", dtype)
        settings.cache_clear()
        revisions[dtype] = {
            name: registry.revision(registry.ENCODERS.spec(name)) for name in ("musicnn", "signal")
        }
    assert revisions["float32"] == revisions["bfloat16"]
    assert revisions["float32"]["signal"] == revisions["int8"]["signal"]
    assert revisions["float32"]["musicnn"] != revisions["int8"]["musicnn"]
    row = registry.ENCODERS.load("musicnn").embed([AudioSegment(window(), SPEC.sample_rate)])
    np.testing.assert_array_equal(
        row, plugin_in_int8().embed([AudioSegment(window(), SPEC.sample_rate)])
    )


def test_the_shipped_8_bit_model_is_made_from_the_shipped_model(tmp_path: Path) -> None:
    script = PROJECT / "tools" / "make_musicnn_int8.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    name = "musicnn_mtt_int8.onnx"
    assert (tmp_path / name).read_bytes() == (WEIGHTS / name).read_bytes()


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
