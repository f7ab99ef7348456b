"""Finds contradictions between a caption's claims and the measured features.

A claim about a property that was not measured is never a contradiction. Each contradiction is a
line of text, such as `tempo: says 90 BPM, measured 120.0`. The line starts with one of these codes:

| code | meaning |
|---|---|
| tempo | the tempo, its half and its double differ from the measured tempo by more than 4% |
| speed | the caption calls music of 120 BPM or more slow, or music of 90 BPM or less fast |
| meter | the number of beats per bar differs from the measured number |
| key | the key differs from a clear measured key, or the track is unpitched |
| key_relative | the key is the relative major or minor of the measured key |
| melodic | the caption names melodic instruments, voices or chords, but the track is unpitched |
| drums | the caption names only drums, but the track is pitched |

Half and double a tempo are the same music, counted differently, so they do not contradict each
other. If a listener may count the track at several tempos, `speed` must apply to all of them.
"""

from collections.abc import Iterator

from mirpipe.music.captions import claims_in_text
from mirpipe.music.features.voiced_fraction import VOICED_FRACTION
from mirpipe.records import Features

TEMPO_TOLERANCE = 0.04
NOT_SLOW_BPM = 120
NOT_FAST_BPM = 90
CLEAR_KEY = 0.05
"""Smallest clarity of a clear key. Below this value, two keys fit about equally well."""


def contradictions(caption: str, features: Features) -> tuple[str, ...]:
    """Return one line per contradiction, or an empty tuple if there are no contradictions."""
    checks = (_tempo, _speed, _meter, _key, _instruments)
    return tuple(line for check in checks for line in check(caption, features))


def is_pitched(features: Features) -> bool:
    """Return whether the track has a melody, because it is voiced or has transcribed notes."""
    return features.voiced_fraction >= VOICED_FRACTION or bool(features.notes)


def _tempo(caption: str, features: Features) -> Iterator[str]:
    measured = features.tempo_bpm
    for low, high in claims_in_text.claimed_tempos(caption) if measured else ():
        claim = f"{low:g} BPM" if low == high else f"{low:g} to {high:g} BPM"
        if not any(_is_within(measured, octave * low, octave * high) for octave in (0.5, 1, 2)):
            yield f"tempo: says {claim}, measured {measured:.1f}"


def _is_within(measured: float | None, low: float, high: float) -> bool:
    assert measured is not None
    return measured * (1 - TEMPO_TOLERANCE) <= high and low <= measured * (1 + TEMPO_TOLERANCE)


def _speed(caption: str, features: Features) -> Iterator[str]:
    measured = features.tempo_bpm
    slow, fast = (
        claims_in_text.claimed_words(pattern, caption)
        for pattern in (claims_in_text.SLOW, claims_in_text.FAST)
    )
    if measured is None or (slow and fast):
        return
    tempos = features.plausible_tempos
    if (slow and min(tempos) >= NOT_SLOW_BPM) or (fast and max(tempos) <= NOT_FAST_BPM):
        yield f"speed: says {(slow or fast)[0]}, measured {measured:.1f} BPM"


def _meter(caption: str, features: Features) -> Iterator[str]:
    for claim in claims_in_text.claimed_meters(caption) if features.meter else ():
        beats = 3 if claim == "3/4" else 4  # The measurement reports 2/4 as four beats.
        if beats != features.meter:
            yield f"meter: says {claim}, measured {features.meter} beats per bar"


def _key(caption: str, features: Features) -> Iterator[str]:
    claims = claims_in_text.claimed_keys(caption)
    if claims and not is_pitched(features):
        yield f"key: says {claims[0]}, measured no pitched notes"
    if features.key is None or (features.key_clarity or 0) < CLEAR_KEY:
        return
    for claim in claims:
        if _relative_major(claim) == _relative_major(features.key):
            if _is_minor(claim) != _is_minor(features.key):
                relative = f"says its relative {'minor' if _is_minor(claim) else 'major'}"
                yield f"key_relative: says {claim}, measured {features.key} ({relative})"
        else:
            yield f"key: says {claim}, measured {features.key}"


def _instruments(caption: str, features: Features) -> Iterator[str]:
    drums_only = claims_in_text.claimed_words(claims_in_text.DRUMS_ONLY, caption)
    melodic = claims_in_text.claimed_words(claims_in_text.MELODIC, caption)
    if is_pitched(features):
        if drums_only and not melodic:
            yield f"drums: says {drums_only[0]}, measured {features.voiced_fraction:.0%} voiced"
    elif melodic:
        yield f"melodic: says {', '.join(melodic)}, measured no pitched notes"


def _is_minor(key: str) -> bool:
    return key.endswith("minor")


def _relative_major(key: str) -> int:
    """Return the tonic's pitch class in the major key that has the same notes."""
    return (claims_in_text.tonic_pitch_class(key) + (3 if _is_minor(key) else 0)) % 12
