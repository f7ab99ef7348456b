"""Mono audio at the rate that a model wants: whole, or window by window in flat memory."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from mirpipe.audio.decode import Audio, decode, mix
from mirpipe.audio.regular_files import Name, show
from mirpipe.errors import RejectedInput
from mirpipe.records import AudioSegment, Float32


@dataclass(frozen=True)
class WindowRequest:
    """How one encoder wants to see a track."""

    sample_rate: int
    window_samples: int
    gain: float = 1.0
    """Linear factor on every sample."""
    keep_tail: bool = False
    """Whether a last window counts however short it is."""


def load_mono(path: Name, sample_rate: int, *, max_seconds: float | None = None) -> Float32:
    """The mean of all channels at `sample_rate`, shape (n,).

    Bit-equal to `librosa.load(path, sr=sample_rate, mono=True, duration=max_seconds)`, by soxr HQ.
    Raises RejectedInput as `decode` does, and non_finite.
    """
    with decode(path) as audio:
        limit = None if max_seconds is None else int(max_seconds * audio.sample_rate)
        resampler = _Resampler(audio.sample_rate, sample_rate)
        parts, frames = [], 0
        for mono in _mono(audio, show(path)):
            kept = mono if limit is None else mono[: limit - frames]
            frames += len(kept)
            parts.append(resampler.push(kept))
            if frames == limit:
                break
        parts.append(resampler.flush())
    samples = np.concatenate(parts)
    # librosa pads to the next whole sample where soxr rounds down.
    wanted = math.ceil(frames * (float(sample_rate) / audio.sample_rate))
    return np.pad(samples[:wanted], (0, max(0, wanted - len(samples))))


def windows(path: Name, requests: Sequence[WindowRequest]) -> Iterator[tuple[int, AudioSegment]]:
    """Every request's windows in order, each with the request's index, from one decoding.

    Windows do not overlap. The last one may be shorter: it is kept when at least half full, when
    it is the only one, or where the request keeps every tail. Memory does not grow with the file.
    Raises RejectedInput as `decode` does, and non_finite.
    """
    with decode(path) as audio:
        rates = {request.sample_rate for request in requests}
        resamplers = {rate: _Resampler(audio.sample_rate, rate) for rate in rates}
        cutters = [_Cutter(request) for request in requests]
        for mono in _mono(audio, show(path)):
            at_rate = {rate: resampler.push(mono) for rate, resampler in resamplers.items()}
            for index, cutter in enumerate(cutters):
                for segment in cutter.push(at_rate[cutter.request.sample_rate]):
                    yield index, segment
        tails = {rate: resampler.flush() for rate, resampler in resamplers.items()}
        for index, cutter in enumerate(cutters):
            for segment in cutter.finish(tails[cutter.request.sample_rate]):
                yield index, segment


def _mono(audio: Audio, name: str) -> Iterator[Float32]:
    for block in audio.blocks:
        mono = mix(block)
        if not np.isfinite(mono).all():
            raise RejectedInput("non_finite", f"{name} holds samples that are not numbers")
        yield mono


class _Resampler:
    """Streaming soxr HQ; nothing at all where the rates are equal."""

    def __init__(self, source_rate: int, sample_rate: int) -> None:
        self._stream = (
            None
            if source_rate == sample_rate
            else soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32", quality="HQ")
        )

    def push(self, samples: Float32) -> Float32:
        return samples if self._stream is None else self._resample(samples, last=False)

    def flush(self) -> Float32:
        nothing = np.empty(0, dtype=np.float32)
        return nothing if self._stream is None else self._resample(nothing, last=True)

    def _resample(self, samples: Float32, *, last: bool) -> Float32:
        assert self._stream is not None
        resampled: Float32 = self._stream.resample_chunk(samples, last=last)
        return resampled


class _Cutter:
    """Cuts one stream of samples into one request's windows."""

    def __init__(self, request: WindowRequest) -> None:
        self.request = request
        self._rest = np.empty(0, dtype=np.float32)
        self._cut = 0

    def push(self, samples: Float32) -> Iterator[AudioSegment]:
        length = self.request.window_samples
        have = np.concatenate([self._rest, samples])
        whole = len(have) // length
        # Set before the first yield: a caller may stop asking.
        self._rest = have[whole * length :].copy()
        self._cut += whole
        for start in range(0, whole * length, length):
            yield self._clip(have[start : start + length])

    def finish(self, samples: Float32) -> Iterator[AudioSegment]:
        yield from self.push(samples)
        half_full = 2 * len(self._rest) >= self.request.window_samples
        if len(self._rest) and (self.request.keep_tail or half_full or not self._cut):
            yield self._clip(self._rest)

    def _clip(self, samples: Float32) -> AudioSegment:
        gain = np.float32(self.request.gain)
        return AudioSegment(samples * gain, self.request.sample_rate)
