"""Resynthesis: plays a target's own transcription on a simple synthesiser, as a baseline.

This generator is not a model and does not compose. It shows which scores a clip receives if it
keeps its target's melody and beat. It also allows the rest of the pipeline to run without weights.

| mode | music |
|---|---|
| not conditioned (`simple`) | chords, bass and drums in the prompt's tempo and key |
| conditioned (`medium` or any other) | the target's transcribed notes; drums on its beats |
| `strong` | the same, but with smoothed beats and with notes moved to quarters of a beat |

The prompt must state the tempo and the key literally, for example `84 BPM` and `A minor`. The
defaults are 100 BPM and C major. Tempi below 30 or above 300 BPM are ignored.

If a target has no notes, the drums are loud and as dense as its onsets; if it has notes, the drums
are soft. If it has no beats, there are no drums, and `strong` moves notes to quarters of a beat at
120 BPM. If it has neither notes nor beats in the requested time, the clip is made from the prompt,
as in `simple`. The seed changes the timbre and the pattern, but never the target's notes or beats,
nor the tempo. A mode's guidance has no effect.
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
    uses_conditioning_audio=False,
    sampling={},
    licence_code="Apache-2.0",
    licence_weights="none",
    citation="mirpipe: additive synthesis of the target's transcription (a baseline)",
)

QUANTISED_MODES = frozenset({"strong"})
DIVISIONS = 4
"""Number of grid points per beat. Notes are moved to this grid."""
GRID_BPM = 120.0
"""Tempo of the grid, in BPM, if the target has no beats."""

DEFAULT_BPM = 100.0
ACCEPTED_BPM = (30.0, 300.0)
DEFAULT_KEY = "C major"
_SCALE = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 3, 4))
"""Chord progressions, with one scale step per bar."""
_STRUMS = ((0.0, 2.0), (0.0, 2.0, 3.0), (0.0, 1.0, 2.0, 3.0))
"""Beats in a bar on which chords are played. Chords between beats would blur the tempo."""

_DRUMS_ALONE, _DRUMS_BESIDE_NOTES = 1.0, 0.3


class Plugin:
    """The synthesiser, which needs no weights and no model libraries."""

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one mono clip at 32 kHz per request, in order.

        Each clip depends only on its own request.
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
    """Return the clip's notes and drum hits, from the target if possible, else from the prompt."""
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

    Before the target's first beat and after its last beat, beats continue at the measured tempo.
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
    """Return the notes, moved to the nearest grid points and at least one grid step long."""
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

    The number of hi-hat hits per beat follows the target's onset density, but is two if the target
    has notes.
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
    """Return a drum pattern: a kick or a snare on each beat, and hi-hats.

    The kick plays on the first beat of each bar, and also on the third beat if the bar has four.
    The snare plays on the other beats.
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
    """Return four repeated chords with bass and drums, in the prompt's tempo and key."""
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
    """Return the first accepted tempo in the prompt, or the default. A range means its middle."""
    low, high = ACCEPTED_BPM
    stated = ((slow + fast) / 2 for slow, fast in claims_in_text.claimed_tempos(prompt))
    return next((bpm for bpm in stated if low <= bpm <= high), DEFAULT_BPM)
