"""How channels become mono: the downmix, opposite channels, and the DC offset."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe.audio import WindowRequest, load_mono, read_audio_facts, read_windows
from mirpipe.audio.downmix import channel_weights
from tests.support.encoded_audio import HAS_FFMPEG, RATE, encode, encode_with_ffmpeg, music

needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")
FIVE_ONE = (0.5**0.5, 0.5**0.5, 1.0, 0.0, 0.5, 0.5)
SEVEN_ONE = (*FIVE_ONE, 0.5, 0.5)


def channels_of(count: int, seconds: float = 4.0) -> np.ndarray:
    """Return independent channels, shape (frames, count)."""
    return np.hstack([music(seconds, seed=seed) for seed in range(count)])


def write(folder: Path, samples: np.ndarray) -> Path:
    path = folder / "a"
    path.write_bytes(encode("WAV", samples, subtype="FLOAT"))
    return path


@pytest.mark.parametrize(
    ("kind", "coefficients"),
    [
        ("WAV", FIVE_ONE),
        ("WAV", SEVEN_ONE),
        ("FLAC", FIVE_ONE),
        ("FLAC", SEVEN_ONE),
        ("WAVEX", FIVE_ONE),
        # libsndfile declares two channels beside the centre instead of the side channels.
        ("WAVEX", (*FIVE_ONE, 0.5**0.5, 0.5**0.5)),
    ],
)
def test_the_lfe_channel_is_left_out_of_the_downmix(
    tmp_path: Path, kind: str, coefficients: tuple[float, ...]
) -> None:
    samples = channels_of(len(coefficients))
    path = tmp_path / "a"
    path.write_bytes(encode(kind, samples))
    expected = samples @ np.array(coefficients) / sum(coefficients)
    np.testing.assert_allclose(load_mono(path, RATE), expected, atol=2e-4)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("suffix", "codec"), [("ogg", "libvorbis"), ("ogg", "flac"), ("m4a", "alac")]
)
def test_an_order_of_the_containers_own_is_respected(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    samples = channels_of(6) * np.array([1, 0, 0.5, 8, 0, 0.7], np.float32)
    wav, path = tmp_path / "a.wav", tmp_path / f"a.{suffix}"
    wav.write_bytes(encode("WAVEX", samples / 8))
    layout = "aformat=channel_layouts=5.1"
    encode_with_ffmpeg(path, "-i", f"file:{wav}", "-map", "1:a", "-af", layout, "-c:a", codec)
    expected = samples @ np.array(FIVE_ONE) / sum(FIVE_ONE) / 8
    loaded = load_mono(path, RATE)[: len(expected)]
    assert np.corrcoef(loaded, expected[: len(loaded)])[0, 1] > 0.95


def test_positions_that_are_unknown_have_equal_weight() -> None:
    assert channel_weights(2, 0x3) is None
    assert channel_weights(6, None) is None
    assert channel_weights(6, 0x8) is None


def test_opposite_channels_do_not_cancel_each_other(tmp_path: Path) -> None:
    left = music(4.0)
    path = write(tmp_path, np.hstack([left * 0.5, -left]))
    facts = read_audio_facts(path)
    assert facts.mix.channel == 1
    assert facts.rms_dbfs == pytest.approx(20 * np.log10(left.std()), abs=1e-3)
    np.testing.assert_array_equal(load_mono(path, RATE), -left[:, 0])
    mono = tmp_path / "mono"
    mono.write_bytes(encode("WAV", -left, subtype="FLOAT"))
    assert facts.outline == read_audio_facts(mono).outline


@settings(max_examples=20, deadline=None)
@given(correlation=st.floats(-1, 1))
def test_one_channel_is_used_alone_below_a_correlation(
    tmp_path_factory: pytest.TempPathFactory, correlation: float
) -> None:
    rng = np.random.default_rng(0)
    left, other = rng.standard_normal((2, 2 * RATE))
    right = correlation * left + np.sqrt(1 - correlation**2) * other
    path = write(tmp_path_factory.mktemp("stereo"), 0.1 * np.stack([left, right], axis=1))
    measured = float(np.corrcoef(left, right)[0, 1])
    assert (read_audio_facts(path).mix.channel is not None) == (measured < -0.5)


@settings(max_examples=20, deadline=None)
@given(offset=st.floats(-0.4, 0.4), channels=st.integers(1, 2))
def test_a_dc_offset_is_removed_before_every_window(
    tmp_path_factory: pytest.TempPathFactory, offset: float, channels: int
) -> None:
    clean = np.repeat(music(3.0), channels, axis=1)
    clean -= clean.mean()
    path = write(tmp_path_factory.mktemp("dc"), clean + np.float32(offset))
    facts = read_audio_facts(path)
    assert facts.rms_dbfs == pytest.approx(20 * np.log10(clean.std()), abs=0.01)
    tolerance = 0.011 * clean.std()
    for samples in (
        load_mono(path, RATE),
        load_mono(path, RATE, mix=facts.mix),
        np.concatenate(
            [window.samples for _, window in read_windows(path, [WindowRequest(RATE, RATE)])]
        ),
    ):
        assert abs(samples.mean()) < tolerance
        np.testing.assert_allclose(samples, clean[:, 0], atol=tolerance)


def test_a_negligible_dc_offset_leaves_the_samples_unchanged(tmp_path: Path) -> None:
    clean = music(3.0)
    path = write(tmp_path, clean + np.float32(1e-4))
    assert read_audio_facts(path).mix.dc_offset == 0.0
    np.testing.assert_array_equal(load_mono(path, RATE), clean[:, 0] + np.float32(1e-4))


@needs_ffmpeg
def test_ffmpeg_downmixes_to_the_same_samples(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encode("WAVEX", channels_of(6)))
    mono = tmp_path / "mono.wav"
    encode_with_ffmpeg(
        mono, "-i", f"file:{path}", "-map", "1:a", "-ac", "1", "-c:a", "pcm_f32le"
    )  # fmt: skip
    ours, theirs = load_mono(path, RATE), load_mono(mono, RATE)
    assert np.corrcoef(ours, theirs)[0, 1] == pytest.approx(1, abs=1e-6)
