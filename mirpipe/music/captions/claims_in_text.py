"""What a caption claims of the music: tempo, key, meter, speed and what plays, read from English.

Made for how audio language models write: "The tempo is 84.5 BPM", "in the key of F# minor", "a slow
piece with electric guitar and no vocals". What is denied is not claimed.
"""

import re
from collections.abc import Iterator

_NUMBER = r"(\d{2,3}(?:\.\d+)?)"
_RANGE = re.compile(
    rf"{_NUMBER}\s*(?:-|–|to|and)\s*{_NUMBER}\s*(?:bpm|beats per minute)\b", re.IGNORECASE
)
_TEMPI = (
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
DRUMS_ALONE = (
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
# A denial holds to the end of its clause, or to what the clause has instead.
_DENIED = re.compile(
    rf"\b{_DENIAL}.*?(?=[.;!?\n]|\b(?:but|however|although|though|only|just|instead|with)\b|$)",
    re.IGNORECASE,
)


def tempi(text: str) -> list[tuple[float, float]]:
    """Every claimed tempo in BPM as its range, a single number twice, in order of the patterns."""
    ranges = [(float(low), float(high)) for low, high in _RANGE.findall(text)]
    rest = _RANGE.sub(" ", text)
    singles = [float(found) for pattern in _TEMPI for found in pattern.findall(rest)]
    return list(dict.fromkeys([*ranges, *((bpm, bpm) for bpm in singles)]))


def keys(text: str) -> list[str]:
    """Every claimed key, spelt as in `Bb minor`; `A major hit.` at a sentence's start is none."""
    return list(dict.fromkeys(_keys(text)))


def tonic(key: str) -> int:
    """The pitch class, 0 (C) … 11 (B), of a key as `keys` spells it."""
    return sum(_SEMITONES[sign] for sign in key.split()[0]) % 12


def meters(text: str) -> list[str]:
    """Every claimed time signature in quarters: `2/4`, `3/4`, `4/4`."""
    return list(dict.fromkeys(found[0] for found in _METER.finditer(text)))


def claimed(words: str, text: str) -> list[str]:
    """What of the pattern `words` the text claims and does not deny, in lower case, in order."""
    affirmed = _DENIED.sub(" ", text)
    found = re.findall(rf"(?<![\w-])(?:{words})(?![\w-])", affirmed, re.IGNORECASE)
    return list(dict.fromkeys(word.lower() for word in found))


def _keys(text: str) -> Iterator[str]:
    for found in _KEY.finditer(text):
        letter, accidental, mode = found.groups()
        is_article = letter == "A" and not accidental and found[0][1] == " "
        if is_article and _SENTENCE_START.search(text[: found.start()]):
            continue
        yield f"{letter}{_ACCIDENTAL.get(accidental, '')} {mode.lower()}"
