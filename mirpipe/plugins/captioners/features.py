"""A plain English sentence from what was measured of a track, and the tags that MusiCNN hears.

No language model: the offline captioner, which works everywhere and says nothing that was not
measured. Its words, and the bounds between them:

| of | words |
|---|---|
| tempo | slow below 80 BPM, mid-tempo, fast from 140 BPM on |
| spectral centroid | dark below 1,200 Hz, mellow, clear from 2,000, bright from 3,200 |
| onsets a second | sparse below 2, moderately dense, dense from 5 on |
| melody | melodic at a voiced fraction of 0.6; without melody where nothing is pitched |
| style, instruments, voices | tags of at least 0.3 over the window, the surest first |

The key is named where it is clear, BPM and beats to the bar where they were measured. Melodic
instruments are left out where nothing is pitched: of drum loops the tagger says guitar.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mirpipe.music.captions.contradictions import CLEAR_KEY, is_pitched
from mirpipe.music.metrics.melody_accuracy import VOICED_FRACTION
from mirpipe.plugins.encoders import musicnn
from mirpipe.records import AudioSegment, Features, Heard
from mirpipe.specs import CaptionerSpec

SPEC = CaptionerSpec(
    name="features",
    version=1,
    checkpoint=musicnn.SPEC.checkpoint,
    checkpoint_sha256=musicnn.SPEC.checkpoint_sha256,
    sample_rate=musicnn.SPEC.sample_rate,
    window_samples=30 * musicnn.SPEC.sample_rate,
    instruction="",
    licence_code="Apache-2.0",
    licence_weights=musicnn.SPEC.licence_weights,
    citation=f"This project; tags by {musicnn.SPEC.citation}",
)

TEMPI = ((80.0, "slow"), (140.0, "mid-tempo"), (np.inf, "fast"))
BRIGHTNESS = ((1200.0, "dark"), (2000.0, "mellow"), (3200.0, "clear"), (np.inf, "bright"))
DENSITY = ((2.0, "sparse"), (5.0, "moderately dense"), (np.inf, "dense"))
BEATS = {3: "three", 4: "four"}
SURE = 0.3
MOST_STYLES = 2
MOST_INSTRUMENTS = 3

STYLES = (
    *("classical", "techno", "electronic", "rock", "ambient", "indian", "opera", "pop"),
    *("new age", "dance", "country", "metal"),
)
SPELT = {"indian": "Indian"}
UNPITCHED = {"drums": ("drums",)}
PITCHED = {
    "guitar": ("guitar",),
    "strings": ("strings",),
    "piano": ("piano",),
    "violin": ("violin",),
    "synthesizer": ("synth",),
    "harpsichord": ("harpsichord",),
    "flute": ("flute",),
    "sitar": ("sitar",),
    "harp": ("harp",),
    "cello": ("cello",),
    "choir": ("choir", "choral"),
    "female vocals": ("female", "woman", "female vocal", "female voice"),
    "male vocals": ("male", "man", "male vocal", "male voice"),
    "vocals": ("vocal", "vocals", "singing", "voice"),
}
"""What a caption calls an instrument or a voice, and its tags: it is as sure as the surest."""


class Plugin:
    """The tagger, and words."""

    def __init__(self) -> None:
        self._tagger = musicnn.Plugin()
        self._tag_names = self._tagger.tag_names

    def caption(self, heard: Sequence[Heard]) -> list[str]:
        """One sentence a track."""
        return [sentence(one.features, self._tags(one.segment)) for one in heard]

    def _tags(self, segment: AudioSegment) -> dict[str, float]:
        """How sure the tagger is of each of its tags, 0 … 1; empty in silence."""
        level = float(np.std(segment.samples)) if len(segment.samples) else 0.0
        if level <= 0:
            return {}
        assert musicnn.SPEC.gain_dbfs is not None
        gain = np.float32(10 ** (musicnn.SPEC.gain_dbfs / 20) / level)
        length = musicnn.SPEC.window_samples
        starts = range(0, max(1, len(segment.samples) - length // 2), length)
        windows = [
            AudioSegment(gain * segment.samples[start : start + length], segment.sample_rate)
            for start in starts
        ]
        mean = self._tagger.tags(windows).mean(axis=0)
        return dict(zip(self._tag_names, mean.tolist(), strict=True))


def sentence(features: Features, tags: Mapping[str, float]) -> str:
    """The caption of what was measured and what the tagger is sure of."""
    what = " ".join([*_sound(features), *_styles(tags), _noun(features)])
    if features.key is not None and (features.key_clarity or 0) >= CLEAR_KEY:
        what += f" in {features.key}"
    parts = [what]
    if features.tempo_bpm is not None:
        parts.append(f"around {features.tempo_bpm:.0f} BPM")
    if features.meter is not None:
        parts.append(f"{BEATS.get(features.meter, features.meter)} beats to the bar")
    if instruments := _instruments(features, tags):
        parts.append(f"with {_listed(instruments)}")
    if not is_pitched(features):
        parts.append("without melody")
    said = ", ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def _sound(features: Features) -> list[str]:
    words = []
    if features.tempo_bpm is not None:
        words.append(_word(TEMPI, features.tempo_bpm))
    if features.brightness_hz:
        words.append(_word(BRIGHTNESS, features.brightness_hz))
    if features.onsets_per_second:
        words.append(_word(DENSITY, features.onsets_per_second))
    return [_listed(words)] if words else []


def _word(scale: tuple[tuple[float, str], ...], value: float) -> str:
    return next(word for bound, word in scale if value < bound)


def _styles(tags: Mapping[str, float]) -> list[str]:
    sure = _surest({style: tags.get(style, 0.0) for style in STYLES})
    return [SPELT.get(style, style) for style in sure[:MOST_STYLES]]


def _noun(features: Features) -> str:
    if features.voiced_fraction >= VOICED_FRACTION:
        return "melodic piece"
    return "piece" if is_pitched(features) else "percussive piece"


def _instruments(features: Features, tags: Mapping[str, float]) -> list[str]:
    known = UNPITCHED | (PITCHED if is_pitched(features) else {})
    sure = _surest({name: max(tags.get(tag, 0.0) for tag in of) for name, of in known.items()})
    return sure[:MOST_INSTRUMENTS]


def _surest(found: Mapping[str, float]) -> list[str]:
    """What is sure enough, the surest first; of equals, in the order of the vocabulary."""
    sure = [name for name, probability in found.items() if probability >= SURE]
    return sorted(sure, key=lambda name: -found[name])


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
