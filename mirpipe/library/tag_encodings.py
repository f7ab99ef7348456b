"""Guesses in which encoding the undecoded texts of a folder's tags are written.

Many programs write tags in the encoding of their user's language, such as GBK or Shift-JIS, and
mark them as Latin-1. One title is too short for a guess, so the texts of all files in a folder are
used together. The statistics are those of the library chardet, limited to the encodings that occur
in tags. Of charset-normalizer, Python's other detector, a third of the guesses from three titles
was wrong.
"""

import codecs
import re
from collections.abc import Iterable

import chardet

from mirpipe.library.tags import WESTERN, decode_western

ENCODINGS = ("utf-8", "gb18030", "big5hkscs", "cp932", "cp949", "cp1251", WESTERN)
"""Encodings that are recognised. gb18030 includes GBK, cp932 Shift-JIS, and cp949 EUC-KR."""
_CUT_BYTES = 30
"""Length of the fields in ID3v1, which can end within a character."""
_NEIGHBOURING_HIGH_BYTES = re.compile(rb"[\x80-\xff]{2}")
_ASCII = bytes(range(0x20, 0x7F)) + rb" \u0041"
"""Text that an encoding must not change. Escapes are no letters in a tag."""


def guess_encoding(texts: Iterable[bytes]) -> str:
    """Return the encoding from ENCODINGS that fits the texts of a folder best.

    The result depends only on the set of texts. In Western texts, only single letters have accents.
    Texts without two neighbouring bytes above ASCII therefore do not enter the comparison, and if
    more than half of the texts are such texts, the encoding is Western.
    """
    undecided = {text for text in texts if not text.isascii() and not _is_surely_utf8(text)}
    complete = {text for text in undecided if len(text) < _CUT_BYTES} or undecided
    sample = sorted(text for text in complete if _NEIGHBOURING_HIGH_BYTES.search(text))
    if 2 * len(sample) < len(complete) or not sample:
        return WESTERN
    found = chardet.detect(
        b"\n".join(sample),
        include_encodings=ENCODINGS,
        no_match_encoding=WESTERN,
        compat_names=False,
    )
    return codec_name(found["encoding"] or WESTERN)


def decode_text(text: bytes, encoding: str) -> str:
    """Return the text. If it is not valid in `encoding`, UTF-8 and then Western is used.

    An incomplete character at the end of a text that ID3v1 may have cut is left out.
    """
    if _is_surely_utf8(text):
        return text.decode("utf-8")
    attempts = [text, text[:-1]] if len(text) == _CUT_BYTES else [text]
    for attempt in attempts:
        for codec in dict.fromkeys((encoding, "utf-8")):
            try:
                return attempt.decode(codec)
            except UnicodeDecodeError:
                continue
    return decode_western(text)


def codec_name(encoding: str) -> str:
    """Return Python's name of an encoding. Raises LookupError if tags cannot be written in it."""
    try:
        # Unlike `codecs.decode`, this raises LookupError for codecs that do not decode text.
        is_ascii_superset = _ASCII.decode(encoding) == _ASCII.decode("ascii")
    except UnicodeError:
        is_ascii_superset = False
    if not is_ascii_superset:
        raise LookupError(f"{encoding} does not contain ASCII")
    return codecs.lookup(encoding).name


def _is_surely_utf8(text: bytes) -> bool:
    """Return whether the text is UTF-8, and too long to be so by chance.

    By chance, a text in GBK or Cyrillic can look like one or two characters of two bytes.
    """
    try:
        characters = [character for character in text.decode("utf-8") if not character.isascii()]
    except UnicodeDecodeError:
        return False
    return len(characters) > 3 or any(ord(character) > 0x7FF for character in characters)
