"""Transcribes the notes of polyphonic music with Spotify's basic-pitch.

The model processes two seconds of audio at 22,050 Hz. For each of the 88 piano keys, it returns the
probabilities of an onset and of a sounding note, 86 times per second. basic-pitch's own decoder
converts the probabilities to notes, with its default thresholds. Notes shorter than 0.13 s are
lost. A drum loop yields a few wrong notes, which `extract_all` discards.

Source: Bittner et al. 2022, arXiv 2203.09893. The code and the weights are licensed under
Apache-2.0.
"""

import logging
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import distribution
from threading import Lock
from typing import Any

import numpy as np

from mirpipe.records import Float32, Float64, Note

SAMPLE_RATE = 22_050
HOP_SAMPLES = 256
WINDOW_SAMPLES = 43_844
"""Length of a window. The model returns 172 frames, most of the last one after the window's end."""
MARGIN_FRAMES = 15
"""Number of frames dropped at each end of a window, because the model lacks context there."""
WINDOW_STEP = WINDOW_SAMPLES - 2 * MARGIN_FRAMES * HOP_SAMPLES

ONSET_THRESHOLD = 0.5
FRAME_THRESHOLD = 0.3
SHORTEST_NOTE_FRAMES = 11
VELOCITIES = 127
"""Number of velocity steps. A velocity is a multiple of 1/127, as in MIDI."""

_LOADING = Lock()
"""Lets only one thread load basic-pitch, because warnings are silenced for the whole process."""


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
    with _LOADING:
        decode = _decoder()
    decoded = decode(
        note_probability,
        onset_probability,
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
            velocity=round(min(float(probability), 1.0) * VELOCITIES) / VELOCITIES,
        )
        for first, last, pitch, probability in decoded
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
    model = distribution("basic-pitch").locate_file("basic_pitch/saved_models/icassp_2022/nmp.onnx")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


@cache
def _decoder() -> Callable[..., list[tuple[int, int, int, float]]]:
    """Return basic-pitch's decoder, imported without warnings about missing ML runtimes."""
    # The warnings use the root logger, which configures itself to print them if it has no handler.
    null_handler, level = logging.NullHandler(), logging.root.manager.disable
    logging.root.addHandler(null_handler)
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            from basic_pitch.note_creation import output_to_notes_polyphonic
    finally:
        logging.disable(level)
        logging.root.removeHandler(null_handler)
    decoder: Callable[..., list[tuple[int, int, int, float]]] = output_to_notes_polyphonic
    return decoder
