"""Invented features and requests for the generator tests."""

from mirpipe.generation.modes import Mode
from mirpipe.records import Features, GenerationRequest, Note

SIMPLE = Mode("simple", is_conditioned=False, guidance=None)
MEDIUM = Mode("medium", is_conditioned=True, guidance=None)
STRONG = Mode("strong", is_conditioned=True, guidance=None)

SCALE = tuple(
    Note(0.5 * number + 0.05, 0.5 * number + 0.45, pitch, 0.8)
    for number, pitch in enumerate((69, 71, 73, 74, 76, 78, 80, 81))
)
"""An A major scale with one note every half second, each 50 ms after a beat at 120 BPM."""


def features(
    *, notes: tuple[Note, ...] = SCALE, bpm: float | None = 120.0, beats: int = 8
) -> Features:
    """Return the features of a target that plays `notes` and has `beats` beats, starting at 0 s."""
    return Features(
        tempo_bpm=bpm,
        beat_seconds=tuple(60 / bpm * number for number in range(beats)) if bpm else (),
        meter=4 if bpm else None,
        key="A major" if notes else None,
        key_clarity=0.5 if notes else None,
        voiced_fraction=0.9 if notes else 0.1,
        notes=notes,
        onsets_per_second=4.0,
        brightness_hz=1500.0,
        reasons={},
    )


def request(
    mode: Mode = MEDIUM,
    *,
    target: Features | None = None,
    prompt: str = "Calm music.",
    seconds: float = 4.0,
    seed: int = 0,
) -> GenerationRequest:
    """Return a request in `mode`. The default target plays `SCALE`."""
    return GenerationRequest(
        mode, prompt, seconds, seed, conditioning=None, features=target or features()
    )
