"""Finds a caption's claims about the music: tempo, key, meter, speed and instruments.

The patterns match the English sentences that audio language models write, such as "The tempo is
84.5 BPM", "in the key of F# minor", "a slow piece with electric guitar and no vocals". A word that
the caption negates is not a claim.
"""

import re
from collections.abc import Iterator

_NUMBER = r"(\d{2,3}(?:\.\d+)?)"
_TEMPO_RANGE = re.compile(
    rf"{_NUMBER}\s*(?:-|–|to|and)\s*{_NUMBER}\s*(?:bpm|beats per minute)\b", re.IGNORECASE
)
_TEMPOS = (
    re.compile(rf"(?<![\d.]){_NUMBER}[\s-]*(?:bpm|beats per minute)\b", re.IGNORECASE),
    re.compile(
        r"\b(?:bpm|beats per minute|tempo)\b(?:\s+(?:is|of|at|around|about|approximately|roughly))*"
        rf"\s*[:=]?\s*{_NUMBER}\b(?![\d/])",
        re.IGNORECASE,
    ),
)
_KEY = re.compile(r"\b([A-G])[ -]?(#|♯|sharp\b|b\b|b(?=[ -]?m)|♭|flat\b)?[ -]?((?i:major|minor))\b")
_SENTENCE_START = re.compile(r"(?:^|[.!?\n])\s*$")
_ACCIDENTAL = {"#": "#", "♯": "#", "sharp": "#", "b": "b", "♭": "b", "flat": "b"}
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "#": 1, "b": -1}
_METER = re.compile(r"(?<![\d/])([234])/4(?!\d)")

SLOW = r"slow(?:-paced|-tempo)?|slower|largo|lento|adagio"
FAST = r"fast(?:-paced|-tempo)?|up-?tempo|rapid|presto|vivace"
DRUMS_ONLY = (
    r"drums? only|percussion only|(?:only|just|solely) (?:of )?(?:the )?(?:drums|a drum|percussion)"
    r"|solo drums?|drum solo|drum loop|unaccompanied (?:drums|percussion)"
)
MELODIC = (
    r"(?:electric |acoustic |bass )?guitars?|pianos?|keyboards?|organ|harpsichord|accordion|strings"
    r"|violins?|fiddle|viola|cello|erhu|harp|flutes?|whistle|clarinet|oboe|bassoon|saxophones?|sax"
    r"|trumpets?|trombones?|horns|brass|bagpipes?|banjo|mandolin|ukulele|sitar|zither|guzheng|pipa"
    r"|dizi|suona|choir|vocals?|vocalists?|singers?|singing|sings|melody|melodies|chords"
)
_DENIAL = r"(?:no|not|without|lacks?|lacking|neither|never|absence of|devoid of|\w+n't)\b"
# A denial extends to the end of its clause, or to a word such as "but" or "only" that starts an
# affirmative part.
_DENIED = re.compile(
    rf"\b{_DENIAL}.*?(?=[.;!?\n]|\b(?:but|however|although|though|only|just|instead|with)\b|$)",
    re.IGNORECASE,
)


def claimed_tempos(text: str) -> list[tuple[float, float]]:
    """Return all claimed tempos as ranges (low, high) in BPM.

    A single number is a range whose low and high are equal. Ranges come first, then single numbers,
    without duplicates.
    """
    ranges = [(float(low), float(high)) for low, high in _TEMPO_RANGE.findall(text)]
    rest = _TEMPO_RANGE.sub(" ", text)
    singles = [float(number) for pattern in _TEMPOS for number in pattern.findall(rest)]
    return list(dict.fromkeys([*ranges, *((bpm, bpm) for bpm in singles)]))


def claimed_keys(text: str) -> list[str]:
    """Return all claimed keys in the form `Bb minor`, without duplicates.

    `A major` and `A minor` at the start of a sentence are not taken as keys, because `A` may be an
    article.
    """
    return list(dict.fromkeys(_keys(text)))


def tonic_pitch_class(key: str) -> int:
    """Return the tonic's pitch class, 0 (C) … 11 (B), for a key such as `Bb minor`."""
    return sum(_SEMITONES[sign] for sign in key.split()[0]) % 12


def claimed_meters(text: str) -> list[str]:
    """Return all claimed time signatures (`2/4`, `3/4` or `4/4`), without duplicates."""
    return list(dict.fromkeys(match[0] for match in _METER.finditer(text)))


def claimed_words(pattern: str, text: str) -> list[str]:
    """Return the pattern's matches that the text does not negate, in lower case and in order."""
    affirmed = _DENIED.sub(" ", text)
    words = re.findall(rf"(?<![\w-])(?:{pattern})(?![\w-])", affirmed, re.IGNORECASE)
    return list(dict.fromkeys(word.lower() for word in words))


def _keys(text: str) -> Iterator[str]:
    for match in _KEY.finditer(text):
        letter, accidental, mode = match.groups()
        is_article = letter == "A" and not accidental and match[0][1] == " "
        if is_article and _SENTENCE_START.search(text[: match.start()]):
            continue
        yield f"{letter}{_ACCIDENTAL.get(accidental, '')} {mode.lower()}"
