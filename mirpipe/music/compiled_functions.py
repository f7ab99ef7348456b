"""Compiles librosa's functions once per user, and copies the result to every process that needs it.

Compiling them takes about 16 CPU-seconds, and each process has its own cache folder (see
`numba_cache.py`). Without this module, processes that start together would all compile the same
functions. A process that finds another one compiling waits for it.
"""

import fcntl
import hashlib
import shutil
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mirpipe.music.numba_cache import LOCK_FILE, claimed_folder
from mirpipe.records import AudioSegment

_MARK = "copied"
"""File in a process's folder with the name of the shared folder that was copied there."""
_BEATS = 16
"""Number of beats in the audio that is analysed to compile the functions."""

_lock = threading.RLock()
_is_ready = False


def use_compiled_functions() -> None:
    """Give this process the compiled functions. Call this before the first call of librosa.

    Nothing happens if the user has chosen the cache folder. Raises OSError if the cache folder
    cannot be written.
    """
    global _is_ready
    with _lock:
        if _is_ready:
            return
        _is_ready = True  # The compilation itself calls this function again.
        folder = claimed_folder()
        if folder is None:
            return
        shared = folder.parent / f"compiled-{_key()}"
        mark = folder / _MARK
        if mark.exists() and mark.read_text() == shared.name:
            return
        with (folder.parent / "compiled.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if shared.exists():
                shutil.copytree(shared, folder, dirs_exist_ok=True)
            else:
                _compile()
                _share(folder, shared)
        mark.write_text(shared.name)


def _key() -> str:
    """Return a name for what compiled functions depend on: packages, their folder and processor."""
    from llvmlite.binding import get_host_cpu_name

    parts = [sys.prefix, get_host_cpu_name(), *(version(each) for each in ("numba", "librosa"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _compile() -> None:
    """Analyse a short noise with beats, which calls all functions of librosa that are compiled."""
    from mirpipe.music.features import melody_pitch_classes, onsets, spectrogram, tempo_and_beats
    from mirpipe.music.features.conditioning_audio import conditioning

    rate = melody_pitch_classes.SAMPLE_RATE
    beat = np.geomspace(0.5, 1e-4, rate // 4, dtype=np.float32)
    noise = np.random.default_rng(0).standard_normal(_BEATS * len(beat), dtype=np.float32)
    audio = noise * np.tile(beat, _BEATS)
    melody_pitch_classes.transcribe_melody(audio)
    strength = onsets.onset_strength(spectrogram.compute_spectrogram(audio).mel_db)
    tempo_and_beats.find_pulse(strength)
    onsets.onsets_per_second(strength)
    conditioning(AudioSegment(audio, rate))


def _share(folder: Path, shared: Path) -> None:
    """Copy the process's folder to `shared`, which other processes never see half copied."""
    incomplete = shared.with_name(f"{shared.name}-incomplete")
    shutil.rmtree(incomplete, ignore_errors=True)
    shutil.copytree(folder, incomplete, ignore=shutil.ignore_patterns(LOCK_FILE, _MARK))
    incomplete.rename(shared)
