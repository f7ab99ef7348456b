"""Contradictions: what a caption claims against what was measured.

What was not measured contradicts nothing. Each contradiction is a line, `code: what it says, what
was measured`, with one of these codes:

| code | when |
|---|---|
| tempo | a tempo more than 4 % off the measured one |
| tempo_octave | the same, but within 4 % of its half or its double: the beat is felt otherwise |
| speed | slow at 120 BPM or more, fast at 90 BPM or less |
| meter | another number of beats a bar |
| key | another key, where the measured one is clear; any key of what is not pitched |
| key_relative | the relative major or minor: the same notes around another tonic |
| melodic | melodic instruments, voices or chords where nothing is pitched |
| drums | nothing but drums where something is pitched |
"""

from collections.abc import Iterator

from mirpipe.music.captions import claims_in_text
from mirpipe.music.metrics.melody_accuracy import VOICED_FRACTION
from mirpipe.records import Features

TEMPO_TOLERANCE = 0.04
NOT_SLOW_BPM = 120
NOT_FAST_BPM = 90
CLEAR_KEY = 0.05
"""Clarity from which on a key is worth a word: below it, two keys fit equally well."""


def contradictions(caption: str, features: Features) -> tuple[str, ...]:
    """A readable line for each, empty where the caption contradicts nothing."""
    checks = (_tempo, _speed, _meter, _key, _played)
    return tuple(line for check in checks for line in check(caption, features))


def is_pitched(features: Features) -> bool:
    """Whether there is something to call a melody: voiced, or transcribed under drums."""
    return features.voiced_fraction >= VOICED_FRACTION or bool(features.notes)


def _tempo(caption: str, features: Features) -> Iterator[str]:
    measured = features.tempo_bpm
    for low, high in claims_in_text.tempi(caption) if measured else ():
        said = f"{low:g} BPM" if low == high else f"{low:g} to {high:g} BPM"
        if _is_within(measured, low, high):
            continue
        for times, name in ((2.0, "half"), (0.5, "double")):
            if _is_within(measured, times * low, times * high):
                yield f"tempo_octave: says {said}, measured {measured:.1f} (says its {name})"
                break
        else:
            yield f"tempo: says {said}, measured {measured:.1f}"


def _is_within(measured: float | None, low: float, high: float) -> bool:
    assert measured is not None
    return measured * (1 - TEMPO_TOLERANCE) <= high and low <= measured * (1 + TEMPO_TOLERANCE)


def _speed(caption: str, features: Features) -> Iterator[str]:
    measured = features.tempo_bpm
    slow, fast = (
        claims_in_text.claimed(words, caption)
        for words in (claims_in_text.SLOW, claims_in_text.FAST)
    )
    if measured is None or (slow and fast):
        return
    if (slow and measured >= NOT_SLOW_BPM) or (fast and measured <= NOT_FAST_BPM):
        yield f"speed: says {(slow or fast)[0]}, measured {measured:.1f} BPM"


def _meter(caption: str, features: Features) -> Iterator[str]:
    for said in claims_in_text.meters(caption) if features.meter else ():
        beats = 3 if said == "3/4" else 4  # bars of two count as four
        if beats != features.meter:
            yield f"meter: says {said}, measured {features.meter} beats a bar"


def _key(caption: str, features: Features) -> Iterator[str]:
    said = claims_in_text.keys(caption)
    if said and not is_pitched(features):
        yield f"key: says {said[0]}, measured nothing pitched"
    if features.key is None or (features.key_clarity or 0) < CLEAR_KEY:
        return
    for key in said:
        if _scale(key) == _scale(features.key):
            if _is_minor(key) != _is_minor(features.key):
                relative = f"says its relative {'minor' if _is_minor(key) else 'major'}"
                yield f"key_relative: says {key}, measured {features.key} ({relative})"
        else:
            yield f"key: says {key}, measured {features.key}"


def _played(caption: str, features: Features) -> Iterator[str]:
    alone = claims_in_text.claimed(claims_in_text.DRUMS_ALONE, caption)
    melodic = claims_in_text.claimed(claims_in_text.MELODIC, caption)
    if is_pitched(features):
        if alone and not melodic:
            yield f"drums: says {alone[0]}, measured {features.voiced_fraction:.0%} voiced"
    elif melodic:
        yield f"melodic: says {', '.join(melodic)}, measured nothing pitched"


def _is_minor(key: str) -> bool:
    return key.endswith("minor")


def _scale(key: str) -> int:
    """The tonic of the major key that has the same notes."""
    return (claims_in_text.tonic(key) + (3 if _is_minor(key) else 0)) % 12
