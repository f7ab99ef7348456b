"""Transcribes the notes of polyphonic music with Spotify's basic-pitch.

The model processes two seconds of audio at 22,050 Hz. For each of the 88 piano keys, it returns the
probabilities of an onset and of a sounding note, 86 times per second. `note_decoding.py` converts
the probabilities to notes. Notes shorter than 0.13 s are lost. A drum loop yields a few wrong
notes, which `extract_all` discards.

Source: Bittner et al. 2022, arXiv 2203.09893. The weights come from the package basic-pitch 0.4.0
and are licensed under Apache-2.0.
"""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from mirpipe.music.features.note_decoding import FRAME_THRESHOLD, decode_notes
from mirpipe.records import Float32, Float64, Note

SAMPLE_RATE = 22_050
HOP_SAMPLES = 256
WINDOW_SAMPLES = 43_844
"""Length of a window. The model returns 172 frames, most of the last one after the window's end."""
MARGIN_FRAMES = 15
"""Number of frames dropped at each end of a window, because the model lacks context there."""
WINDOW_STEP = WINDOW_SAMPLES - 2 * MARGIN_FRAMES * HOP_SAMPLES

WEIGHTS = Path(__file__).with_name("weights") / "basic_pitch.onnx"
VELOCITIES = 127
"""Number of velocity steps. A velocity is a multiple of 1/127, as in MIDI."""

_LOADING = Lock()
"""Lets only one thread load the model."""


def transcribe(samples: Float32, sample_rate: int) -> tuple[Note, ...]:
    """Return the notes of mono audio, sorted by onset and pitch.

    `samples` has the shape (n,) and the dtype float32; `sample_rate` is in Hz. The times have
    float32 precision. The result hardly depends on the audio's level. The computation takes 0.6 s
    for 30 s of audio.
    """
    import soxr

    samples = soxr.resample(samples, sample_rate, SAMPLE_RATE, quality="HQ")
    if not np.any(samples):
        return ()
    note_probability, onset_probability, seconds = _probabilities(samples)
    if note_probability.max() <= FRAME_THRESHOLD:
        return ()
    notes = [
        Note(
            onset_seconds=float(np.float32(seconds[note.first])),
            offset_seconds=float(np.float32(seconds[note.end])),
            pitch=note.pitch,
            velocity=round(min(note.probability, 1.0) * VELOCITIES) / VELOCITIES,
        )
        for note in decode_notes(note_probability, onset_probability)
    ]
    return tuple(sorted(notes, key=lambda note: (note.onset_seconds, note.pitch)))


def _probabilities(samples: Float32) -> tuple[Float32, Float32, Float64]:
    """Return the note and onset probabilities, and the frame times in seconds.

    The shapes are (frames, 88), (frames, 88) and (frames,).
    """
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
    # basic-pitch's own times are wrong by up to 10 ms, because the window length is not a multiple
    # of the hop length.
    within = np.arange(len(notes[0])) * HOP_SAMPLES
    times = (np.asarray(starts)[:, np.newaxis] + within).ravel() / SAMPLE_RATE
    frames = int(np.searchsorted(times, len(samples) / SAMPLE_RATE))
    return np.concatenate(notes)[:frames], np.concatenate(onsets)[:frames], times[:frames]


@cache
def _session() -> Any:
    """Return the model's ONNX session, which uses one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(WEIGHTS), options, providers=["CPUExecutionProvider"])
