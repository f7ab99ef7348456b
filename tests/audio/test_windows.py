"""Mono audio at another rate: whole, equal to librosa's, and in windows."""

import tracemalloc
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe.audio import WindowRequest, load_mono, windows
from mirpipe.errors import RejectedInput
from tests.support import hostile_files


@pytest.mark.parametrize("target_rate", [22_050, 16_000])
@pytest.mark.parametrize(
    ("kind", "rate", "channels"),
    [
        ("WAV", 44_100, 2),
        ("OGG", 48_000, 1),
        ("FLAC", 22_050, 2),
        ("MP3", 44_100, 2),
        ("MP3", 22_050, 1),
        ("WAVEX", 11_025, 6),
        ("WAVEX", 11_025, 9),
    ],
)
def test_load_mono_is_librosas_bit_for_bit(
    tmp_path: Path, kind: str, rate: int, channels: int, target_rate: int
) -> None:
    path = tmp_path / "a"
    # 11 s and a bit: more than one block, and no whole number of samples at the new rate
    path.write_bytes(
        hostile_files.encode(
            kind, hostile_files.music(11.013, rate=rate, channels=channels), rate=rate
        )
    )
    expected, _ = librosa.load(path, sr=target_rate, mono=True)
    np.testing.assert_array_equal(load_mono(path, target_rate), expected)
    expected, _ = librosa.load(path, sr=target_rate, mono=True, duration=10.3456)
    np.testing.assert_array_equal(load_mono(path, target_rate, max_seconds=10.3456), expected)


@settings(max_examples=30, deadline=None)
@given(frames=st.integers(1, 4000), rate=st.sampled_from([8_000, 22_050, 44_100, 48_000]))
def test_load_mono_has_librosas_length(
    tmp_path_factory: pytest.TempPathFactory, frames: int, rate: int
) -> None:
    path = tmp_path_factory.mktemp("length") / "a.wav"
    path.write_bytes(
        hostile_files.encode("WAV", hostile_files.music(rate=rate)[:frames], rate=rate)
    )
    expected, _ = librosa.load(path, sr=16_000)
    np.testing.assert_array_equal(load_mono(path, 16_000), expected)


def test_windows_of_all_requests_join_to_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(
        hostile_files.encode("WAV", hostile_files.music(23.0, rate=44_100, channels=2), rate=44_100)
    )
    requests = [
        WindowRequest(16_000, 16_000 * 3, gain=2.0),
        WindowRequest(44_100, 50_000),
        WindowRequest(16_000, 7_777),
    ]
    found: list[list[np.ndarray]] = [[], [], []]
    for index, segment in windows(path, requests):
        assert segment.sample_rate == requests[index].sample_rate
        found[index].append(segment.samples)
    for request, segments in zip(requests, found, strict=True):
        joined = np.concatenate(segments)
        whole = load_mono(path, request.sample_rate) * np.float32(request.gain)
        assert {len(segment) for segment in segments[:-1]} == {request.window_samples}
        assert len(whole) - len(joined) < request.window_samples / 2
        np.testing.assert_array_equal(joined, whole[: len(joined)])


@pytest.mark.parametrize(
    ("seconds", "lengths"), [(2.0, [1, 1]), (2.5, [1, 1, 0.5]), (2.4, [1, 1]), (0.3, [0.3])]
)
def test_a_last_window_is_kept_when_half_full_or_alone(
    tmp_path: Path, seconds: float, lengths: list[float]
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(
        hostile_files.encode("WAV", hostile_files.music(seconds, rate=8000), rate=8000)
    )
    segments = [segment for _, segment in windows(path, [WindowRequest(8000, 8000)])]
    assert [len(segment.samples) / 8000 for segment in segments] == lengths


@pytest.mark.parametrize(("seconds", "lengths"), [(2.0, [1, 1]), (2.1, [1, 1, 0.1]), (0.3, [0.3])])
def test_every_tail_is_kept_where_asked_for(
    tmp_path: Path, seconds: float, lengths: list[float]
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(
        hostile_files.encode("WAV", hostile_files.music(seconds, rate=8000), rate=8000)
    )
    segments = [
        segment for _, segment in windows(path, [WindowRequest(8000, 8000, keep_tail=True)])
    ]
    assert [len(segment.samples) / 8000 for segment in segments] == pytest.approx(lengths)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(
        hostile_files.encode(
            "WAV", np.tile(hostile_files.music(10.0, rate=8000), (36, 1)), rate=8000
        )
    )
    tracemalloc.start()
    count = sum(1 for _ in windows(path, [WindowRequest(16_000, 16_000)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 360
    assert peak < 3e6, "6 minutes at 16 kHz are 23 MB"


def test_samples_that_are_no_numbers_reach_no_model(tmp_path: Path) -> None:
    samples = hostile_files.music()
    samples[5] = np.nan
    path = tmp_path / "a.wav"
    path.write_bytes(hostile_files.encode("WAV", samples, subtype="FLOAT"))
    with pytest.raises(RejectedInput) as rejected:
        list(windows(path, [WindowRequest(16_000, 16_000)]))
    assert rejected.value.reason == "non_finite"
