"""Resynthesis: plays a target's own transcription on a simple synthesiser. A baseline, no model.

It composes nothing. It shows what generated music scores when the melody and the beat that it was
conditioned on come through whole, and lets everything behind a generator run without weights.

| mode | what is played |
|---|---|
| not conditioned (`simple`) | chords, bass and drums in the stated tempo and key |
| conditioned (`medium` or any other) | the target's notes at their transcribed times; its beats |
| `strong` | the same, beats evened out, notes moved to quarters of a beat |

Stated is what the prompt says in so many words, `84 BPM` or `A minor`: 100 BPM and C major where
it says nothing; tempi outside of 30 … 300 BPM are passed over.

Without notes the drums are full, as dense as the target's onsets; beside notes they are soft; where
a target has no beats, no drums play, and `strong` moves notes to quarters of a beat at 120 BPM.
With neither notes nor beats in the time that is asked for, the prompt is played as in `simple`. The
seed varies timbre and pattern, never notes, beats or tempo. There is no guidance: a mode's is
ignored.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mirpipe.music.captions import claims_in_text
from mirpipe.music.synthesiser import Hit, Timbre, hits, levelled, tones
from mirpipe.records import Features, Float32, Float64, Note, Request
from mirpipe.specs import GeneratorSpec

SPEC = GeneratorSpec(
    name="resynth",
    version=1,
    checkpoint="none",
    checkpoint_sha256="",
    sample_rate=32_000,
    longest_seconds=300.0,
    has_guidance=False,
    sampling={},
    licence_code="Apache-2.0",
    licence_weights="none",
    citation="mirpipe: additive synthesis of the target's transcription (a baseline)",
)

QUANTISED_MODES = frozenset({"strong"})
DIVISIONS = 4
"""Of a beat: the grid that notes are moved to."""
GRID_BPM = 120.0
"""Where the target has no beats."""

DEFAULT_BPM = 100.0
SANE_BPM = (30.0, 300.0)
DEFAULT_KEY = "C major"
_SCALE = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 3, 4))
"""Steps of the scale, one a bar."""
_STRUMS = ((0.0, 2.0), (0.0, 2.0, 3.0), (0.0, 1.0, 2.0, 3.0))
"""Beats of a bar; strokes between them would blur the tempo."""

_DRUMS_ALONE, _DRUMS_BESIDE_NOTES = 1.0, 0.3


class Plugin:
    """The synthesiser, which needs nothing."""

    def generate(self, requests: Sequence[Request]) -> list[Float32]:
        """One clip a request, each of it alone."""
        return [_clip(request) for request in requests]


def _clip(request: Request) -> Float32:
    random = np.random.default_rng(request.seed)
    timbre = _timbre(random)
    notes, strokes = _score(request, random)
    size = {"samples": round(request.seconds * SPEC.sample_rate), "sample_rate": SPEC.sample_rate}
    mix = tones(notes, timbre, **size) + hits(strokes, random, **size)
    return levelled(mix, SPEC.sample_rate)


def _timbre(random: np.random.Generator) -> Timbre:
    steepness = random.uniform(1.2, 2.2)
    even = random.uniform(0.3, 1.0)
    return Timbre(
        harmonics=tuple((even if n % 2 == 0 else 1.0) / n**steepness for n in range(1, 9)),
        attack_seconds=random.uniform(0.006, 0.02),
        decay_seconds=random.uniform(0.2, 0.6),
        sustain=random.uniform(0.35, 0.7),
        release_seconds=random.uniform(0.04, 0.08),
    )


def _score(request: Request, random: np.random.Generator) -> tuple[list[Note], list[Hit]]:
    """What is played: the target's transcription, else what the prompt states."""
    features = request.features if request.mode.is_conditioned else None
    if features:
        notes = [note for note in features.notes if note.onset_seconds < request.seconds]
        beats = _beats(features, request.seconds)
        if request.mode.name in QUANTISED_MODES:
            beats = _evened(beats)
            notes = _quantised(notes, beats)
        if notes or len(beats):
            return notes, _drums(features, beats, random, beside_notes=bool(notes))
    return _plain(request, random)


def _beats(features: Features, seconds: float) -> Float64:
    """The beats of a clip, continued in the measured tempo before the first and after the last."""
    if not features.tempo_bpm or not features.beat_seconds:
        return np.empty(0)
    beats, period = np.asarray(features.beat_seconds), 60 / features.tempo_bpm
    before = np.arange(beats[0] - period, 0, -period)[::-1]
    after = np.arange(beats[-1] + period, seconds, period)
    everywhere = np.concatenate([before, beats, after])
    return everywhere[everywhere < seconds]


def _evened(beats: Float64) -> Float64:
    """Every beat but the first and last at the mean of itself and its neighbours."""
    inner = (beats[:-2] + beats[1:-1] + beats[2:]) / 3
    return np.concatenate([beats[:1], inner, beats[-1:]]) if len(beats) > 2 else beats


def _quantised(notes: Sequence[Note], beats: Float64) -> list[Note]:
    """The notes on the nearest division of a beat, at least one division long."""
    if len(beats) < 2:
        last = max((note.offset_seconds for note in notes), default=0.0)
        beats = np.arange(0, last + 1, 60 / GRID_BPM)
    first, last = 2 * beats[0] - beats[1], 2 * beats[-1] - beats[-2]
    beats = np.array([max(first, 0.0), *beats, last, 2 * last - beats[-1]])
    parts = [np.linspace(one, other, DIVISIONS, endpoint=False) for one, other in pairwise(beats)]
    grid = np.concatenate(parts)
    return [_moved(note, grid) for note in notes]


def _moved(note: Note, grid: Float64) -> Note:
    onset = min(int(np.argmin(np.abs(grid - note.onset_seconds))), len(grid) - 2)
    offset = max(int(np.argmin(np.abs(grid - note.offset_seconds))), onset + 1)
    return replace(note, onset_seconds=float(grid[onset]), offset_seconds=float(grid[offset]))


def _drums(
    features: Features, beats: Float64, random: np.random.Generator, *, beside_notes: bool
) -> list[Hit]:
    """The beat, with as many hats as the target has onsets; two a beat where notes play, too."""
    if not len(beats):
        return []
    a_beat = features.onsets_per_second * 60 / (features.tempo_bpm or DEFAULT_BPM)
    return _groove(
        beats,
        bar=features.meter or 4,
        hats=2 if beside_notes else int(np.clip(round(a_beat), 1, 4)),
        level=_DRUMS_BESIDE_NOTES if beside_notes else _DRUMS_ALONE,
        random=random,
    )


def _groove(
    beats: Float64, *, bar: int, hats: int, level: float, random: np.random.Generator
) -> list[Hit]:
    """Kick on a bar's first beat and amid four, else snare; `hats` strokes of the hat a beat."""
    kicks = {0, 2} if bar == 4 else {0}
    hat_level = level * random.uniform(0.25, 0.4)
    strokes: list[Hit] = []
    for number, (beat, after) in enumerate(pairwise([*beats, 2 * beats[-1] - beats[-2:][0]])):
        strokes.append(Hit(float(beat), "kick" if number % bar in kicks else "snare", level))
        parts = np.linspace(beat, after, hats, endpoint=False)
        strokes += [Hit(float(part), "hat", hat_level) for part in parts]
    return strokes


def _plain(request: Request, random: np.random.Generator) -> tuple[list[Note], list[Hit]]:
    """Four chords over and over, with a bass and drums; the seed chooses chords and strumming."""
    key = next(iter(claims_in_text.keys(request.prompt)), DEFAULT_KEY)
    beat = 60 / _stated_bpm(request.prompt)
    scale = _SCALE[key.split()[1]]
    progression = _PROGRESSIONS[random.integers(len(_PROGRESSIONS))]
    strum = _STRUMS[random.integers(len(_STRUMS))]
    notes: list[Note] = []
    beats = np.arange(0, request.seconds, beat)
    for bar, start in enumerate(beats[::4]):
        step = progression[bar % len(progression)]
        root, *others = (
            scale[(step + third) % 7] + 48 + claims_in_text.tonic(key) for third in (0, 2, 4)
        )
        notes.append(Note(float(start), float(start + 3.5 * beat), root - 12, 0.8))
        for after in strum:
            onset = float(start + after * beat)
            notes += [Note(onset, onset + 0.8 * beat, p + 12, 0.5) for p in (root, *others)]
    drums = _groove(beats, bar=4, hats=2, level=_DRUMS_BESIDE_NOTES, random=random)
    return notes, drums


def _stated_bpm(prompt: str) -> float:
    """The first tempo that is stated, the middle of a range, or the default."""
    low, high = SANE_BPM
    stated = ((slow + fast) / 2 for slow, fast in claims_in_text.tempi(prompt))
    return next((bpm for bpm in stated if low <= bpm <= high), DEFAULT_BPM)
