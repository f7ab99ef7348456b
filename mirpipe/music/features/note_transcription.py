"""Notes: a transcription of polyphonic music by Spotify's basic-pitch.

The model hears two seconds at a time at 22,050 Hz and gives, 86 times a second and for each of the
88 keys of a piano, how sure it is of an onset and of a sounding note. The library's own decoder
makes notes of that, by the thresholds that it uses by default; shorter notes than 0.13 s are lost.
What it hears in a drum loop is rare and noise: `measuring` drops it.

Source: Bittner et al. 2022, arXiv 2203.09893; code and weights Apache-2.0.
"""

import logging
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import distribution
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirpipe.records import Float32, Note

SAMPLE_RATE = 22_050
HOP_SAMPLES = 256
WINDOW_SAMPLES = 43_844
"""Gives 172 frames, the last of which lies mostly beyond the window."""
MARGIN_FRAMES = 15
"""Dropped at both ends of a window, where the model hears half of what is around a frame."""
WINDOW_STEP = WINDOW_SAMPLES - 2 * MARGIN_FRAMES * HOP_SAMPLES

ONSET_THRESHOLD = 0.5
FRAME_THRESHOLD = 0.3
SHORTEST_NOTE_FRAMES = 11
VELOCITIES = 127
"""A velocity is a multiple of 1/127, as in MIDI."""

_LOADING = Lock()
"""What silences the library while it is imported is of the whole process: one thread at a time."""


def transcribe(samples: Float32, sample_rate: int) -> tuple[Note, ...]:
    """The notes of mono audio, shape (n,), by onset, then pitch.

    Times are float32 numbers. The level does not matter. Takes 0.6 s for 30 s of audio.
    """
    import soxr

    samples = soxr.resample(samples, sample_rate, SAMPLE_RATE, quality="HQ")
    if not np.any(samples):
        return ()
    note, onset, seconds = _activations(samples)
    if note.max() <= FRAME_THRESHOLD:
        return ()
    with _LOADING:
        decode = _decoder()
    decoded = decode(
        note,
        onset,
        onset_thresh=ONSET_THRESHOLD,
        frame_thresh=FRAME_THRESHOLD,
        min_note_len=SHORTEST_NOTE_FRAMES,
        infer_onsets=True,
        min_freq=None,
        max_freq=None,
    )
    notes = [
        Note(
            onset_seconds=float(np.float32(seconds[first])),
            offset_seconds=float(np.float32(seconds[last])),
            pitch=int(pitch),
            velocity=round(min(float(sureness), 1.0) * VELOCITIES) / VELOCITIES,
        )
        for first, last, pitch, sureness in decoded
    ]
    return tuple(sorted(notes, key=lambda note: (note.onset_seconds, note.pitch)))


def _activations(samples: Float32) -> tuple[Float32, Float32, NDArray[np.float64]]:
    """How sure the model is of notes and onsets, shapes (frames, 88), and the frames' times."""
    with _LOADING:
        session = _session()
    padded = np.pad(samples, (MARGIN_FRAMES * HOP_SAMPLES, WINDOW_SAMPLES))
    notes, onsets, starts = [], [], range(0, len(samples), WINDOW_STEP)
    for start in starts:
        window = padded[np.newaxis, start : start + WINDOW_SAMPLES, np.newaxis]
        outputs = ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"]
        note, onset = session.run(outputs, {"serving_default_input_2:0": window})
        notes.append(note[0, MARGIN_FRAMES:-MARGIN_FRAMES])
        onsets.append(onset[0, MARGIN_FRAMES:-MARGIN_FRAMES])
    # Not the library's times, which are up to 10 ms off: a window is not a whole number of hops.
    within = np.arange(len(notes[0])) * HOP_SAMPLES
    times = (np.asarray(starts)[:, np.newaxis] + within).ravel() / SAMPLE_RATE
    frames = int(np.searchsorted(times, len(samples) / SAMPLE_RATE))
    return np.concatenate(notes)[:frames], np.concatenate(onsets)[:frames], times[:frames]


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    model = distribution("basic-pitch").locate_file("basic_pitch/saved_models/icassp_2022/nmp.onnx")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


@cache
def _decoder() -> Callable[..., list[tuple[int, int, int, float]]]:
    """basic-pitch's own, imported without its warnings of runtimes that nobody asked for."""
    # They go to the root logger, which sets itself up to print them unless it has a handler.
    silence, level = logging.NullHandler(), logging.root.manager.disable
    logging.root.addHandler(silence)
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            from basic_pitch.note_creation import output_to_notes_polyphonic
    finally:
        logging.disable(level)
        logging.root.removeHandler(silence)
    decoder: Callable[..., list[tuple[int, int, int, float]]] = output_to_notes_polyphonic
    return decoder
