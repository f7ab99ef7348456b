"""Reads a track window by window, so that memory use does not grow with the track's length."""

from collections.abc import Generator, Sequence

from mirpipe.audio.decode import decode
from mirpipe.audio.downmix import mono_blocks
from mirpipe.audio.mono_mix import measure_mono_mix
from mirpipe.audio.resampling import StreamResampler
from mirpipe.audio.window_cutting import WindowCutter, WindowRequest
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import AudioSegment, MonoMix


def read_windows(
    path: AnyPath, requests: Sequence[WindowRequest], *, mix: MonoMix | None = None
) -> Generator[tuple[int, AudioSegment], None, None]:
    """Yield the windows for all requests, each with the index of the request.

    The file is decoded once. `mix` is how it becomes mono; if it is None, the file is first decoded
    to measure it. The windows of each request are in time order. `WindowCutter`
    describes how they are cut. Raises RejectedInput with one of the reasons of `decode`, or with
    non_finite.
    """
    mix = measure_mono_mix(path) if mix is None else mix
    with decode(path) as audio:
        rates = {request.sample_rate for request in requests}
        resamplers = {rate: StreamResampler(audio.sample_rate, rate) for rate in rates}
        cutters = [WindowCutter(request) for request in requests]
        for mono in mono_blocks(audio, mix, printable_path(path)):
            resampled = {rate: resampler.resample(mono) for rate, resampler in resamplers.items()}
            for index, cutter in enumerate(cutters):
                for segment in cutter.add(resampled[cutter.request.sample_rate]):
                    yield index, segment
        tails = {rate: resampler.flush() for rate, resampler in resamplers.items()}
        for index, cutter in enumerate(cutters):
            for segment in cutter.finish(tails[cutter.request.sample_rate]):
                yield index, segment
