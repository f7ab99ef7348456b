"""Resynthesis: plays a target's own transcription on a simple synthesiser, as a baseline.

It is not a model and does not compose. It shows which scores generated music gets if it keeps the
melody and the beat of its target. It also lets the rest of the pipeline run without weights.

| mode | music |
|---|---|
| not conditioned (`simple`) | chords, bass and drums in the tempo and the key of the prompt |
| conditioned (`medium` or any other) | the target's notes at their transcribed times; its beats |
| `strong` | the same with even beats, and with notes moved to quarters of a beat |

The prompt must state its tempo and its key literally, such as `84 BPM` or `A minor`. The defaults
are 100 BPM and C major. Tempi below 30 or above 300 BPM are ignored.

Without notes, the drums are loud and as dense as the target's onsets. With notes, they are soft. If
a target has no beats, there are no drums, and `strong` moves notes to quarters of a beat at 120
BPM. If the target has neither notes nor beats in the requested time, the clip is made from the
prompt as in `simple`. The seed changes timbre and pattern, but never notes, beats or tempo. The
guidance of a mode has no effect.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mirpipe.music.captions import claims_in_text
from mirpipe.music.synthesiser import DrumHit, Timbre, normalise_level, render_drums, render_notes
from mirpipe.records import Features, Float32, Float64, GenerationRequest, Note
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
"""Parts of a beat in the grid that notes are moved to."""
GRID_BPM = 120.0
"""Tempo of the grid if the target has no beats."""

DEFAULT_BPM = 100.0
ACCEPTED_BPM = (30.0, 300.0)
DEFAULT_KEY = "C major"
_SCALE = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 3, 4))
"""Chord progressions, as one step of the scale per bar."""
_STRUMS = ((0.0, 2.0), (0.0, 2.0, 3.0), (0.0, 1.0, 2.0, 3.0))
"""Beats of a bar on which chords are played. Chords between beats would blur the tempo."""

_DRUMS_ALONE, _DRUMS_BESIDE_NOTES = 1.0, 0.3


class Plugin:
    """The synthesiser. It needs no weights and no libraries."""

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one mono clip at 32 kHz per request, in order.

        A clip depends only on its own request.
        """
        return [_clip(request) for request in requests]


def _clip(request: GenerationRequest) -> Float32:
    random = np.random.default_rng(request.seed)
    timbre = _timbre(random)
    notes, drums = _score(request, random)
    size = {"samples": round(request.seconds * SPEC.sample_rate), "sample_rate": SPEC.sample_rate}
    mix = render_notes(notes, timbre, **size) + render_drums(drums, random, **size)
    return normalise_level(mix, SPEC.sample_rate)


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


def _score(
    request: GenerationRequest, random: np.random.Generator
) -> tuple[list[Note], list[DrumHit]]:
    """Return the notes and drum hits of the clip, from the target if possible, else the prompt."""
    features = request.features if request.mode.is_conditioned else None
    if features:
        notes = [note for note in features.notes if note.onset_seconds < request.seconds]
        beats = _beats(features, request.seconds)
        if request.mode.name in QUANTISED_MODES:
            beats = _even(beats)
            notes = _quantised(notes, beats)
        if notes or len(beats):
            return notes, _drums(features, beats, random, beside_notes=bool(notes))
    return _score_from_prompt(request, random)


def _beats(features: Features, seconds: float) -> Float64:
    """Return the beat times of the clip, in seconds.

    The measured tempo continues the target's beats before the first and after the last.
    """
    if not features.tempo_bpm or not features.beat_seconds:
        return np.empty(0)
    beats, period = np.asarray(features.beat_seconds), 60 / features.tempo_bpm
    before = np.arange(beats[0] - period, 0, -period)[::-1]
    after = np.arange(beats[-1] + period, seconds, period)
    all_beats = np.concatenate([before, beats, after])
    return all_beats[all_beats < seconds]


def _even(beats: Float64) -> Float64:
    """Return more even beats: each is the mean of itself and its two neighbours."""
    inner = (beats[:-2] + beats[1:-1] + beats[2:]) / 3
    return np.concatenate([beats[:1], inner, beats[-1:]]) if len(beats) > 2 else beats


def _quantised(notes: Sequence[Note], beats: Float64) -> list[Note]:
    """Return the notes moved to the nearest division of a beat, at least one division long."""
    if len(beats) < 2:
        last = max((note.offset_seconds for note in notes), default=0.0)
        beats = np.arange(0, last + 1, 60 / GRID_BPM)
    first, last = 2 * beats[0] - beats[1], 2 * beats[-1] - beats[-2]
    beats = np.array([max(first, 0.0), *beats, last, 2 * last - beats[-1]])
    parts = [np.linspace(start, end, DIVISIONS, endpoint=False) for start, end in pairwise(beats)]
    grid = np.concatenate(parts)
    return [_move_to_grid(note, grid) for note in notes]


def _move_to_grid(note: Note, grid: Float64) -> Note:
    onset = min(int(np.argmin(np.abs(grid - note.onset_seconds))), len(grid) - 2)
    offset = max(int(np.argmin(np.abs(grid - note.offset_seconds))), onset + 1)
    return replace(note, onset_seconds=float(grid[onset]), offset_seconds=float(grid[offset]))


def _drums(
    features: Features, beats: Float64, random: np.random.Generator, *, beside_notes: bool
) -> list[DrumHit]:
    """Return drums on the beats.

    The number of hats per beat follows the target's onsets; with notes it is two.
    """
    if not len(beats):
        return []
    onsets_per_beat = features.onsets_per_second * 60 / (features.tempo_bpm or DEFAULT_BPM)
    return _groove(
        beats,
        beats_per_bar=features.meter or 4,
        hats_per_beat=2 if beside_notes else int(np.clip(round(onsets_per_beat), 1, 4)),
        level=_DRUMS_BESIDE_NOTES if beside_notes else _DRUMS_ALONE,
        random=random,
    )


def _groove(
    beats: Float64,
    *,
    beats_per_bar: int,
    hats_per_beat: int,
    level: float,
    random: np.random.Generator,
) -> list[DrumHit]:
    """Return a drum pattern: kick or snare on each beat, and hats.

    The kick plays on the first beat of a bar, and on the third of four. The snare plays on the
    other beats.
    """
    kicks = {0, 2} if beats_per_bar == 4 else {0}
    hat_level = level * random.uniform(0.25, 0.4)
    drums: list[DrumHit] = []
    end = 2 * beats[-1] - beats[-2:][0]
    for number, (beat, next_beat) in enumerate(pairwise([*beats, end])):
        is_kick = number % beats_per_bar in kicks
        drums.append(DrumHit(float(beat), "kick" if is_kick else "snare", level))
        hat_times = np.linspace(beat, next_beat, hats_per_beat, endpoint=False)
        drums += [DrumHit(float(time), "hat", hat_level) for time in hat_times]
    return drums


def _score_from_prompt(
    request: GenerationRequest, random: np.random.Generator
) -> tuple[list[Note], list[DrumHit]]:
    """Return four repeated chords with bass and drums, in the tempo and the key of the prompt."""
    key = next(iter(claims_in_text.claimed_keys(request.prompt)), DEFAULT_KEY)
    beat = 60 / _stated_bpm(request.prompt)
    scale = _SCALE[key.split()[1]]
    progression = _PROGRESSIONS[random.integers(len(_PROGRESSIONS))]
    strum = _STRUMS[random.integers(len(_STRUMS))]
    notes: list[Note] = []
    beats = np.arange(0, request.seconds, beat)
    for bar, start in enumerate(beats[::4]):
        step = progression[bar % len(progression)]
        root, *others = (
            scale[(step + third) % 7] + 48 + claims_in_text.tonic_pitch_class(key)
            for third in (0, 2, 4)
        )
        notes.append(Note(float(start), float(start + 3.5 * beat), root - 12, 0.8))
        for beats_after_start in strum:
            onset = float(start + beats_after_start * beat)
            notes += [Note(onset, onset + 0.8 * beat, p + 12, 0.5) for p in (root, *others)]
    drums = _groove(
        beats, beats_per_bar=4, hats_per_beat=2, level=_DRUMS_BESIDE_NOTES, random=random
    )
    return notes, drums


def _stated_bpm(prompt: str) -> float:
    """Return the first accepted tempo in the prompt (the middle of a range), or the default."""
    low, high = ACCEPTED_BPM
    stated = ((slow + fast) / 2 for slow, fast in claims_in_text.claimed_tempos(prompt))
    return next((bpm for bpm in stated if low <= bpm <= high), DEFAULT_BPM)
