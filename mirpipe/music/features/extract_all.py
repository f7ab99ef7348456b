"""Extracts all features of a track from the samples of its sounding parts."""

from mirpipe.music.compiled_functions import use_compiled_functions
from mirpipe.music.features import (
    key,
    melody_pitch_classes,
    meter,
    note_transcription,
    onsets,
    tempo_and_beats,
    tempo_octave,
)
from mirpipe.music.features.spectrogram import SAMPLE_RATE as SPECTROGRAM_SAMPLE_RATE
from mirpipe.music.features.spectrogram import compute_spectrogram
from mirpipe.records import Features, Float32, Note
from mirpipe.specs import MetricSpec

VERSION = 2
"""Version of the features. Increase it if any feature changes, including the voiced fraction."""
SPEC = MetricSpec(
    name="features",
    version=VERSION,
    unit="see mirpipe.records.Features",
    low=0.0,
    high=1.0,
    higher_is_better=True,
    citation="tempo Ellis 2007; notes Bittner et al. 2022, arXiv 2203.09893; key Krumhansl 1982",
)
SAMPLE_RATE = melody_pitch_classes.SAMPLE_RATE
LONGEST_SECONDS = 600
"""Longest duration that is analysed, from the start of the track. It limits time and memory use."""

PITCHED_NOTES_PER_SECOND = 2.0
"""Smallest number of notes per second at which an unvoiced track counts as pitched.

In the demo library, drum loops have 0 … 0.3 notes per second, and bands whose drums mask the melody
have 6 or more.
"""


def measure(samples: Float32, melody: melody_pitch_classes.Melody | None = None) -> Features:
    """Return the features of mono audio at 44,100 Hz, shape (n,), float32.

    Equal samples give equal features. `melody` is the result of `transcribe_melody` for these
    samples, if it is already known. The returned `reasons` contain an entry for every field that is
    None or empty, and the entry `length` if only the first ten minutes were analysed. The
    computation takes 1 s for 30 s of audio. For ten minutes, it takes 35 s and 1 GB of memory.
    Raises ValueError if the array has a different shape or dtype, or if samples are not finite.
    """
    import soxr

    use_compiled_functions()
    reasons: dict[str, str | None] = {}
    if len(samples) >= LONGEST_SECONDS * SAMPLE_RATE:
        samples = samples[: LONGEST_SECONDS * SAMPLE_RATE]
        reasons["length"] = f"first_{LONGEST_SECONDS}_s"
        melody = None
    melody = melody or melody_pitch_classes.transcribe_melody(samples)
    if melody.reason:
        reasons["voiced_fraction"] = melody.reason
    resampled = soxr.resample(samples, SAMPLE_RATE, SPECTROGRAM_SAMPLE_RATE, quality="HQ")
    notes = _pitched_notes(resampled, melody.voiced is True)
    if not notes:
        reasons["notes"] = "unpitched"
    key_name, clarity, reasons["key"] = (
        key.estimate_key(notes) if notes else (None, None, "unpitched")
    )
    spectrogram = compute_spectrogram(resampled)
    onset_strength = onsets.onset_strength(spectrogram.mel_db)
    pulse, candidates = tempo_octave.choose_octave(
        _pulse(onset_strength, notes), spectrogram.mel_db
    )
    reasons["tempo_bpm"] = pulse.reason
    beats_per_bar, reasons["meter"] = meter.beats_per_bar(spectrogram.mel_db, pulse.beat_seconds)
    reasons |= {
        "key_clarity": reasons["key"],
        "beat_seconds": pulse.reason,
        "tempo_candidates": pulse.reason,
    }
    return Features(
        tempo_bpm=pulse.tempo_bpm,
        beat_seconds=pulse.beat_seconds,
        meter=beats_per_bar,
        key=key_name,
        key_clarity=clarity,
        voiced_fraction=melody.voiced_fraction or 0.0,
        notes=notes,
        onsets_per_second=onsets.onsets_per_second(onset_strength),
        brightness_hz=spectrogram.brightness_hz,
        reasons={field: reason for field, reason in reasons.items() if reason},
        tempo_candidates=candidates,
    )


def _pitched_notes(samples: Float32, is_voiced: bool) -> tuple[Note, ...]:
    """Return the transcribed notes, or none if they are only occasional drum ringing."""
    notes = note_transcription.transcribe(samples, SPECTROGRAM_SAMPLE_RATE)
    has_many = len(notes) * SPECTROGRAM_SAMPLE_RATE >= PITCHED_NOTES_PER_SECOND * len(samples)
    return notes if is_voiced or has_many else ()


def _pulse(onset_strength: Float32, notes: tuple[Note, ...]) -> tempo_and_beats.Pulse:
    """Return the beats found in the audio or, if only those in the notes are steady, the latter."""
    pulse = tempo_and_beats.find_pulse(onset_strength)
    if pulse.tempo_bpm is None and notes:
        of_notes = tempo_and_beats.find_pulse(
            onsets.note_onset_strength(notes, len(onset_strength))
        )
        if of_notes.tempo_bpm is not None:
            return of_notes
    return pulse
