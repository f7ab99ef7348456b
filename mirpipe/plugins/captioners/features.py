"""Captions from measured features and from the tags that MusiCNN predicts.

This captioner uses no language model. It runs offline on every machine, and each word is based on a
measurement. The words and their thresholds are:

| measurement | words |
|---|---|
| tempo | slow below 80 BPM, mid-tempo, fast from 140 BPM |
| spectral centroid | dark below 1,200 Hz, mellow, clear from 2,000, bright from 3,200 |
| onsets per second | sparse below 2, moderately dense, dense from 5 |
| melody | melodic from a voiced fraction of 0.6; without melody if the track is not pitched |
| style, instruments, voices | tags with a mean probability of at least 0.3, highest first |

The key is named only if it is clear. If a listener may count half or double the tempo, both tempos
are named, and a word for the tempo is used only if it fits both. The tempo in BPM and the number of
beats per bar are named if they could be measured. Melodic instruments are left out if the track is
not pitched, because MusiCNN predicts a guitar even for drum loops.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mirpipe.music.captions.contradictions import CLEAR_KEY, is_pitched
from mirpipe.music.features.voiced_fraction import VOICED_FRACTION
from mirpipe.plugins.encoders import musicnn
from mirpipe.records import AudioSegment, CaptionInput, Features
from mirpipe.specs import CaptionerSpec

SPEC = CaptionerSpec(
    name="features",
    version=2,
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
MIN_PROBABILITY = 0.3
MAX_STYLES = 2
MAX_INSTRUMENTS = 3

STYLES = (
    *("classical", "techno", "electronic", "rock", "ambient", "indian", "opera", "pop"),
    *("new age", "dance", "country", "metal"),
)
SPELLING = {"indian": "Indian"}
UNPITCHED_INSTRUMENTS = {"drums": ("drums",)}
PITCHED_INSTRUMENTS = {
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
"""Tags of each instrument or voice. The most probable of its tags determines its probability."""


class Plugin:
    """The MusiCNN tagger with a vocabulary for captions."""

    def __init__(self) -> None:
        self._tagger = musicnn.Plugin()
        self._tag_names = self._tagger.tag_names

    def caption(self, inputs: Sequence[CaptionInput]) -> list[str]:
        """Return one sentence per track."""
        return [sentence(track.features, self._tags(track.segment)) for track in inputs]

    def _tags(self, segment: AudioSegment) -> dict[str, float]:
        """Return the mean probability of each tag, from 0 to 1, or no tags for silence."""
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
    """Return the caption for these features and these tag probabilities."""
    subject = " ".join([*_sound_words(features), *_styles(tags), _noun(features)])
    if features.key is not None and (features.key_clarity or 0) >= CLEAR_KEY:
        subject += f" in {features.key}"
    parts = [subject]
    if features.tempo_bpm is not None:
        tempos = " or ".join(f"{bpm:.0f}" for bpm in features.plausible_tempos)
        parts.append(f"around {tempos} BPM")
    if features.meter is not None:
        parts.append(f"{BEATS.get(features.meter, features.meter)} beats to the bar")
    if instruments := _instruments(features, tags):
        parts.append(f"with {_join(instruments)}")
    if not is_pitched(features):
        parts.append("without melody")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _sound_words(features: Features) -> list[str]:
    words: list[str] = []
    tempo_words = {_word(TEMPI, bpm) for bpm in features.plausible_tempos}
    if len(tempo_words) == 1:
        words += tempo_words
    if features.brightness_hz:
        words.append(_word(BRIGHTNESS, features.brightness_hz))
    if features.onsets_per_second:
        words.append(_word(DENSITY, features.onsets_per_second))
    return [_join(words)] if words else []


def _word(scale: tuple[tuple[float, str], ...], value: float) -> str:
    return next(word for bound, word in scale if value < bound)


def _styles(tags: Mapping[str, float]) -> list[str]:
    likely = _likely_names({style: tags.get(style, 0.0) for style in STYLES})
    return [SPELLING.get(style, style) for style in likely[:MAX_STYLES]]


def _noun(features: Features) -> str:
    if features.voiced_fraction >= VOICED_FRACTION:
        return "melodic piece"
    return "piece" if is_pitched(features) else "percussive piece"


def _instruments(features: Features, tags: Mapping[str, float]) -> list[str]:
    vocabulary = UNPITCHED_INSTRUMENTS | (PITCHED_INSTRUMENTS if is_pitched(features) else {})
    likely = _likely_names(
        {
            name: max(tags.get(tag, 0.0) for tag in tags_of_name)
            for name, tags_of_name in vocabulary.items()
        }
    )
    return likely[:MAX_INSTRUMENTS]


def _likely_names(probabilities: Mapping[str, float]) -> list[str]:
    """Return the names with at least MIN_PROBABILITY, most probable first."""
    likely = [name for name, value in probabilities.items() if value >= MIN_PROBABILITY]
    return sorted(likely, key=lambda name: -probabilities[name])


def _join(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
