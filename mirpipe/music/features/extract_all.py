"""All features of a track from its samples."""

from mirpipe.music.features import key, meter, note_transcription, onsets, tempo_and_beats
from mirpipe.music.features.spectrogram import SAMPLE_RATE as SPECTRUM_RATE
from mirpipe.music.features.spectrogram import spectrum
from mirpipe.music.metrics import melody_accuracy
from mirpipe.records import Features, Float32, Note
from mirpipe.specs import MetricSpec

VERSION = 1
"""Raise it when any feature changes, the melody metric's voiced fraction included."""
SPEC = MetricSpec(
    name="features",
    version=VERSION,
    unit="see mirpipe.records.Features",
    low=0.0,
    high=1.0,
    higher_is_better=True,
    citation="tempo Ellis 2007; notes Bittner et al. 2022, arXiv 2203.09893; key Krumhansl 1982",
)
SAMPLE_RATE = melody_accuracy.SAMPLE_RATE
LONGEST_SECONDS = 600
"""What follows is not listened to: time and memory stay bounded however long a track is."""

PITCHED_NOTES_PER_SECOND = 2.0
"""From so many on, a track is pitched though drums cover its melody: the demo library's drum loops
have 0 to 0.3, its bands 6 and more."""


def measure(samples: Float32, heard: melody_accuracy.Melody | None = None) -> Features:
    """The features of mono audio, shape (n,), at 44,100 Hz: the same bytes, the same features.

    `heard`: what `melody.transcribe` gives for these samples, where that is known already.
    `reasons` has an entry for every field that is None or empty, and `length` where only the
    beginning was listened to. Takes 1 s for 30 s of audio, 35 s and 1 GB for ten minutes.
    Raises ValueError as `melody.transcribe` does.
    """
    import soxr

    reasons: dict[str, str | None] = {}
    if len(samples) >= LONGEST_SECONDS * SAMPLE_RATE:
        samples = samples[: LONGEST_SECONDS * SAMPLE_RATE]
        reasons["length"] = f"first_{LONGEST_SECONDS}_s"
        heard = None
    heard = heard or melody_accuracy.transcribe(samples)
    if heard.reason:
        reasons["voiced_fraction"] = heard.reason
    lower = soxr.resample(samples, SAMPLE_RATE, SPECTRUM_RATE, quality="HQ")
    played = _notes(lower, heard.voiced is True)
    if not played:
        reasons["notes"] = "unpitched"
    tonality, clarity, reasons["key"] = key.key(played) if played else (None, None, "unpitched")
    shape = spectrum(lower)
    strength = onsets.strength(shape.mel_db)
    pulse = _pulse(strength, played)
    reasons["tempo_bpm"] = pulse.reason
    beats_a_bar, reasons["meter"] = meter.beats_a_bar(shape.mel_db, pulse.beat_seconds)
    reasons |= {"key_clarity": reasons["key"], "beat_seconds": pulse.reason}
    return Features(
        tempo_bpm=pulse.tempo_bpm,
        beat_seconds=pulse.beat_seconds,
        meter=beats_a_bar,
        key=tonality,
        key_clarity=clarity,
        voiced_fraction=heard.voiced_fraction or 0.0,
        notes=played,
        onsets_per_second=onsets.per_second(strength),
        brightness_hz=shape.brightness_hz,
        reasons={field: reason for field, reason in reasons.items() if reason},
    )


def _notes(samples: Float32, is_voiced: bool) -> tuple[Note, ...]:
    """The transcription; nothing where what it holds is the rare ringing of a drum."""
    found = note_transcription.transcribe(samples, SPECTRUM_RATE)
    is_pitched = is_voiced or len(found) * SPECTRUM_RATE >= PITCHED_NOTES_PER_SECOND * len(samples)
    return found if is_pitched else ()


def _pulse(strength: Float32, played: tuple[Note, ...]) -> tempo_and_beats.Pulse:
    """The beats of the sound; where they are not steady, those of the notes if they are."""
    pulse = tempo_and_beats.pulse(strength)
    if pulse.tempo_bpm is None and played:
        of_notes = tempo_and_beats.pulse(onsets.strength_of_notes(played, len(strength)))
        if of_notes.tempo_bpm is not None:
            return of_notes
    return pulse
