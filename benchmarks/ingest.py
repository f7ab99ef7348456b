"""Measures what ingest costs per second of audio, by format and by what it is spent on.

A file of three minutes in stereo is made of the demo library. The steps are measured cumulatively.
The first step is all that ingest did with a file's audio before it identified audio: it hashes and
decodes the file and computes the waveform outline, the peak and the level. Then the identity of the
audio is added, then findings and silent parts, then the fingerprint. The rows show the differences.
Tags and the database are left out: they cost the same for each file, whatever its length.

The steps are measured in turn, and the smallest of several times counts, because other processes
can only increase the times. CPU time includes the programs ffmpeg and ffprobe.
"""

import resource
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from mirpipe import audio
from mirpipe.audio.audio_identity import SampleHash, are_lossless, coded_parts, identify
from mirpipe.audio.audio_parts import AudioPart
from mirpipe.audio.channel_statistics import BLOCK_SECONDS
from mirpipe.audio.decode import decode_parts, open_parts
from mirpipe.audio.downmix import channel_weights, mix_to_mono
from mirpipe.audio.waveform_outline import WaveformOutline
from mirpipe.files.sha256 import sha256
from mirpipe.music import features
from mirpipe.music.features import melody_pitch_classes
from mirpipe.settings import PROJECT

RATE, SECONDS, REPEATS = 44_100, 180, 5
FORMATS = {
    "WAV, 16 bit": ("wav", ["-c:a", "pcm_s16le"]),
    "FLAC, 16 bit": ("flac", ["-sample_fmt", "s16"]),
    "FLAC, 24 bit": ("flac", ["-sample_fmt", "s32"]),
    "MP3": ("mp3", ["-b:a", "192k"]),
    "Ogg Vorbis": ("ogg", ["-c:a", "libvorbis", "-q:a", "5"]),
    "AAC": ("m4a", ["-c:a", "aac", "-b:a", "192k"]),
}
"""Suffix and ffmpeg's options, by name of the format."""

Results = list[tuple[str, float, str]]


def run() -> Results:
    """Return name, value and unit of each measurement. This takes a minute and needs ffmpeg."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.wav"
        _write_source(source)
        paths = {name: _encode(source, *how) for name, how in FORMATS.items()}
        costs = {name: _costs(path) for name, path in paths.items()}
        analyse = _analyse_cost(paths["WAV, 16 bit"])
    rows: Results = []
    for name, steps in costs.items():
        rows += [(f"ingest, {name}: {step}", cost, "CPU-ms/s") for step, cost in steps.items()]
        needed, *added = steps.values()
        rows.append(
            (f"ingest, {name}: all that is added ÷ the first step", 100 * sum(added) / needed, "%")
        )
    rows.append(("analyse, the same music", analyse, "CPU-ms/s"))
    most_added = max(sum(list(steps.values())[1:]) for steps in costs.values())
    most = max(sum(steps.values()) for steps in costs.values())
    return [
        *rows,
        ("the most that is added ÷ analyse", 100 * most_added / analyse, "%"),
        ("ingest of the most expensive format ÷ analyse", 100 * most / analyse, "%"),
    ]


def _decode(path: Path) -> None:
    """Hash the file, decode it and compute its outline, peak and level."""
    sha256(path)
    with open_parts(path) as parts:
        _decode_and_hash(path, parts, None)


def _identify(path: Path) -> None:
    """Do the same, and compute the identity of the audio in the way that ingest does."""
    sha256(path)
    with open_parts(path) as parts:
        coded = coded_parts(path, parts)
        samples = SampleHash(RATE, 2) if are_lossless(coded) else None
        _decode_and_hash(path, parts, samples)
    identify(path, samples.identity() if samples else None, coded)


def _measure(path: Path) -> None:
    """Do the same, and measure everything else that ingest measures."""
    sha256(path)
    facts = audio.read_audio_facts(path)
    identify(path, facts.samples, facts.parts)


def _fingerprint(path: Path) -> None:
    """Do the same, and compute the fingerprint."""
    sha256(path)
    facts = audio.read_audio_facts(path, with_fingerprint=True)
    identify(path, facts.samples, facts.parts)


# The cost of a step is the difference to the step before.
STEPS: dict[str, Callable[[Path], object]] = {
    "hash of the file, decoding, outline, level": _decode,
    "identity": _identify,
    "findings and silence": _measure,
    "fingerprint": _fingerprint,
}


def _decode_and_hash(path: Path, parts: Sequence[AudioPart], samples: SampleHash | None) -> None:
    outline, peak, total, squares = WaveformOutline(), 0.0, 0.0, 0.0
    with decode_parts(path, parts, block_seconds=BLOCK_SECONDS, verify=False) as stream:
        weights = channel_weights(stream.channels, stream.channel_mask)
        for block in stream.blocks:
            peak = max(peak, float(np.abs(block).max()))
            mono = mix_to_mono(block, weights)
            outline.add(mono)
            wide = mono.astype(np.float64)
            total += float(wide.sum())
            squares += float(np.einsum("i,i->", wide, wide))
            if samples is not None:
                samples.add(block)
    outline.packed()


def _costs(path: Path) -> dict[str, float]:
    """Return the CPU milliseconds per second of audio for each step."""
    totals = dict.fromkeys(STEPS, np.inf)
    for _ in range(REPEATS):
        for name, step in STEPS.items():
            totals[name] = min(totals[name], _cpu_milliseconds(step, path))
    costs = np.diff(list(totals.values()), prepend=0.0) / SECONDS
    return dict(zip(totals, costs.tolist(), strict=True))


def _analyse_cost(path: Path) -> float:
    """Return the CPU milliseconds per second of audio for the features and the melody."""
    facts = audio.read_audio_facts(path)

    def analyse(max_seconds: float) -> None:
        samples = audio.load_sounding(
            path, RATE, facts.silence.parts, mix=facts.mix, max_seconds=max_seconds
        )
        features.measure(samples, melody_pitch_classes.transcribe_melody(samples))

    analyse(5)  # Imports and compilation are not part of the measurement.
    return _cpu_milliseconds(analyse, SECONDS) / SECONDS


def _write_source(path: Path) -> None:
    """Write stereo tracks of the demo library, joined to three minutes, as 24-bit WAV."""
    files = sorted((PROJECT / "demo" / "reference").glob("*.ogg"))
    tracks = [soundfile.read(file, always_2d=True)[0] for file in files]
    stereo = np.concatenate([track for track in tracks if track.shape[1] == 2])
    soundfile.write(path, stereo[: RATE * SECONDS], RATE, subtype="PCM_24")


def _encode(source: Path, suffix: str, options: list[str]) -> Path:
    path = source.with_name(f"{'_'.join(options)}.{suffix}".replace(":", ""))
    command = ["ffmpeg", "-v", "error", "-i", str(source), *options, f"file:{path}"]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    return path


def _cpu_milliseconds(call: Callable[..., object], argument: object) -> float:
    """Return the CPU time of the call, including the programs that it runs."""
    before = _cpu_seconds()
    call(argument)
    return 1000 * (_cpu_seconds() - before)


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
