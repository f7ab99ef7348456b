"""Encodes short pieces of music as audio files in many formats, and returns the files' bytes."""

import io
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 22_050
HAS_FFMPEG = shutil.which("ffmpeg") is not None


def music(
    seconds: float = 2.0, *, rate: int = RATE, channels: int = 1, seed: int = 0
) -> np.ndarray:
    """Return a chord with a little noise, float32 of shape (frames, channels).

    Each seed produces a different chord.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) for f in rng.uniform(200, 2000, 3))
    noise = rng.standard_normal((len(t), channels))
    return (0.1 * np.asarray(chord)[:, None] + 0.02 * noise).astype(np.float32)


def faded_out(samples: np.ndarray, *, rate: int = RATE) -> np.ndarray:
    """Return the samples with a fade-out of 0.1 s.

    Without the fade-out, a lossy encoder overshoots at the abrupt end, by an amount that depends on
    the length and on the processor.
    """
    remaining = np.arange(len(samples))[::-1] / (0.1 * rate)
    return (samples * np.minimum(remaining, 1)[:, None]).astype(np.float32)


def encode(
    kind: str, samples: np.ndarray | None = None, *, rate: int = RATE, **options: Any
) -> bytes:
    """Return the bytes of a complete audio file in libsndfile's format `kind`."""
    buffer = io.BytesIO()
    audio = music() if samples is None else samples
    soundfile.write(buffer, audio, rate, format=kind, **options)
    return buffer.getvalue()


def encode_with_ffmpeg(
    path: Path, *options: str, samples: np.ndarray | None = None, inputs: Sequence[Path] = ()
) -> None:
    """Write an audio file in a format that libsndfile cannot write.

    The samples are ffmpeg's input 0. `inputs` are files that become its inputs 1, 2 and so on.
    """
    files = [argument for file in inputs for argument in ("-i", f"file:{file}")]
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", "pipe:0", *files, *options, f"file:{path}"],
        input=encode("WAV", samples),
        check=True,
    )


def tone(hertz: float, seconds: float = 4.0, *, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """Return a sine wave, float32 of shape (frames, channels). Its level is the same throughout."""
    t = np.arange(int(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * hertz * t)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def encoded_with_ffmpeg(
    folder: Path, suffix: str, *options: str, samples: np.ndarray | None = None
) -> bytes:
    """Return the bytes of an audio file in a format that libsndfile cannot write."""
    path = folder / f"encoded by ffmpeg.{suffix}"
    encode_with_ffmpeg(path, *options, samples=samples)
    return path.read_bytes()
