"""Measures how long an encoder on the GPU waits for decoded audio, with the stage's own threads."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from mirpipe import audio, registry
from mirpipe.available_cores import available_cores
from mirpipe.stages.embed.embed_tracks import MAX_DECODERS, READ_AHEAD_BYTES
from mirpipe.stages.embed.read_ahead import read_ahead
from mirpipe.stages.embed.window_pooling import WindowPooler, window_request
from tests.support.synthetic_music import melody
from tools.bench_cuda.measurement import Options, load_plugin
from tools.bench_cuda.windows import weights_of

RATE = 44_100
ENCODERS = ("clap", "muq", "music2latent")


def measure_decoding(_part: str, options: Options) -> dict[str, Any]:
    """Return, for each encoder, the share of time in which the model waits for decoded windows.

    The tracks are stereo FLAC files of three minutes. They are read, decoded, pooled and embedded
    by the code of the stage embed, without a database.
    """
    paths = _write_tracks(options)
    return {
        "track_seconds": _track_seconds(options),
        "tracks": len(paths),
        "cores": available_cores(),
        **{
            name: _measure(name, paths, options) for name in ENCODERS[: 1 if options.is_tiny else 3]
        },
    }


def _track_seconds(options: Options) -> int:
    return 12 if options.is_tiny else 180


def _write_tracks(options: Options) -> list[Path]:
    seconds = _track_seconds(options)
    paths = []
    for number in range(2 if options.is_tiny else 24):
        part = melody(10, RATE, seed=number)
        samples = np.resize(part, seconds * RATE)
        path = options.folder / f"track{number}.flac"
        soundfile.write(path, np.stack([samples, 0.8 * samples], axis=1), RATE)
        paths.append(path)
    return paths


def _measure(name: str, paths: list[Path], options: Options) -> dict[str, float]:
    spec = registry.ENCODERS.declared(name)
    (options.folder / name).mkdir()
    files = weights_of(name, Options(options.device, options.is_tiny, options.folder / name))
    plugin = load_plugin(name, files, "float32", options)
    pooler = WindowPooler(plugin, spec)
    facts = [audio.read_audio_facts(path) for path in paths]

    def read_windows(number: int) -> Any:
        request = window_request(spec, facts[number].silence)
        yield from audio.read_windows(paths[number], [request], mix=facts[number].mix)

    warm_up = WindowPooler(plugin, spec)
    for _, segment in read_windows(0):
        warm_up.add(0, segment)
    warm_up.complete_track(0)
    warm_up.finish()
    started = time.monotonic()
    with closing(
        read_ahead(
            range(len(paths)),
            read_windows,
            threads=max(1, min(MAX_DECODERS, available_cores())),
            max_size=READ_AHEAD_BYTES,
            size=lambda window: window[1].samples.nbytes,
        )
    ) as decoded:
        for number, windows in decoded:
            for _, segment in windows:
                pooler.add(number, segment)
            pooler.complete_track(number)
    pooler.finish()
    seconds = time.monotonic() - started
    if pooler.failures:
        raise next(iter(pooler.failures.values()))
    return {
        "audio_seconds_per_second": round(len(paths) * _track_seconds(options) / seconds, 1),
        "waiting_share": round(1 - pooler.model_seconds / seconds, 3),
    }
