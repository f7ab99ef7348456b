"""A track's windows, at the sample rate of each request."""

import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mirpipe.audio import WindowRequest, decode, load_mono, read_windows
from mirpipe.errors import RejectedInput
from tests.support import encoded_audio


def test_the_windows_of_a_request_are_the_track_without_its_tail(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(
        encoded_audio.encode("WAV", encoded_audio.music(23.0, rate=44_100, channels=2), rate=44_100)
    )
    requests = [
        WindowRequest(16_000, 16_000 * 3, gain=2.0),
        WindowRequest(44_100, 50_000),
        WindowRequest(16_000, 7_777),
    ]
    windows: list[list[np.ndarray]] = [[], [], []]
    for index, segment in read_windows(path, requests):
        assert segment.sample_rate == requests[index].sample_rate
        windows[index].append(segment.samples)
    for request, request_windows in zip(requests, windows, strict=True):
        joined = np.concatenate(request_windows)
        complete = load_mono(path, request.sample_rate) * np.float32(request.gain)
        assert {len(window) for window in request_windows[:-1]} == {request.window_samples}
        assert len(complete) - len(joined) < request.window_samples / 2
        np.testing.assert_array_equal(joined, complete[: len(joined)])


def test_the_windows_of_a_part_start_and_end_with_that_part(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encoded_audio.encode("WAV", encoded_audio.music(23.0, rate=8000), rate=8000))
    request = WindowRequest(8000, 16_000, start_seconds=9.25, seconds=5.0)
    windows = [segment.samples for _, segment in read_windows(path, [request])]
    assert [len(window) for window in windows] == [16_000, 16_000, 8_000]
    expected = load_mono(path, 8000)[74_000:114_000]
    np.testing.assert_array_equal(np.concatenate(windows), expected)


@pytest.mark.parametrize("block_seconds", [0.07, 1.0, 30.0])
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({}, [(12_000, 40_000), (56_000, 100_000), (100_800, 160_000)]),
        ({"start_seconds": 6.0, "seconds": 8.0}, [(56_000, 100_000), (100_800, 112_000)]),
        ({"start_seconds": 2.0, "seconds": 2.0}, [(16_000, 32_000)]),
        ({"start_seconds": 0.5, "seconds": 0.75}, []),
    ],
)
def test_silent_parts_are_left_out_of_the_windows(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    block_seconds: float,
    part: dict[str, float],
    expected: list[tuple[int, int]],
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encoded_audio.encode("WAV", encoded_audio.music(23.0, rate=8000), rate=8000))
    monkeypatch.setattr(
        "mirpipe.audio.windows.decode", partial(decode, block_seconds=block_seconds)
    )
    silent_parts = ((0.0, 1.5), (5.0, 7.0), (12.5, 12.6), (20.0, 23.0))
    request = WindowRequest(8000, 1_000, keep_tail=True, silent_parts=silent_parts, **part)
    windows = [segment.samples for _, segment in read_windows(path, [request])]
    samples = load_mono(path, 8000)
    sounding = [samples[first:stop] for first, stop in expected]
    np.testing.assert_array_equal(
        np.concatenate([*windows, samples[:0]]), np.concatenate([*sounding, samples[:0]])
    )
    assert {len(window) for window in windows[:-1]} <= {1_000}


@pytest.mark.parametrize(
    ("seconds", "lengths"), [(2.0, [1, 1]), (2.5, [1, 1, 0.5]), (2.4, [1, 1]), (0.3, [0.3])]
)
def test_the_last_window_is_kept_if_it_is_half_full_or_the_only_one(
    tmp_path: Path, seconds: float, lengths: list[float]
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(
        encoded_audio.encode("WAV", encoded_audio.music(seconds, rate=8000), rate=8000)
    )
    segments = [segment for _, segment in read_windows(path, [WindowRequest(8000, 8000)])]
    assert [len(segment.samples) / 8000 for segment in segments] == lengths


@pytest.mark.parametrize(("seconds", "lengths"), [(2.0, [1, 1]), (2.1, [1, 1, 0.1]), (0.3, [0.3])])
def test_every_last_window_is_kept_if_the_request_keeps_tails(
    tmp_path: Path, seconds: float, lengths: list[float]
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(
        encoded_audio.encode("WAV", encoded_audio.music(seconds, rate=8000), rate=8000)
    )
    segments = [
        segment for _, segment in read_windows(path, [WindowRequest(8000, 8000, keep_tail=True)])
    ]
    assert [len(segment.samples) / 8000 for segment in segments] == pytest.approx(lengths)


def test_memory_use_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(
        encoded_audio.encode(
            "WAV", np.tile(encoded_audio.music(10.0, rate=8000), (36, 1)), rate=8000
        )
    )
    tracemalloc.start()
    count = sum(1 for _ in read_windows(path, [WindowRequest(16_000, 16_000)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 360
    assert peak < 3e6, "6 minutes at 16 kHz are 23 MB"


def test_a_file_with_a_sample_that_is_not_a_number_is_rejected(tmp_path: Path) -> None:
    samples = encoded_audio.music()
    samples[5] = np.nan
    path = tmp_path / "a.wav"
    path.write_bytes(encoded_audio.encode("WAV", samples, subtype="FLOAT"))
    with pytest.raises(RejectedInput) as rejected:
        list(read_windows(path, [WindowRequest(16_000, 16_000)]))
    assert rejected.value.reason == "non_finite"
