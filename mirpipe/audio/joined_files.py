"""Finds the parts of a file that was made by joining complete files, as `cat a.flac b.flac` does.

Most decoders read only the first part. A part begins where the signature of the file's own format
occurs again. Each signature fixes at least 7 bytes, so it does not occur in audio by chance.
Sources: the specifications of the formats.
"""

import re
from itertools import pairwise

from mirpipe.audio.file_part import FilePart

# Literal bytes that are searched, their position in the signature, and the complete signature.
_Signature = tuple[bytes, int, re.Pattern[bytes]]
_WAVPACK_INITIAL = b"[" + b"".join(b"\\x%02x" % byte for byte in range(256) if byte & 8) + b"]"
_SIGNATURES: list[_Signature] = [
    (literal, position, re.compile(pattern, re.DOTALL))
    for literal, position, pattern in [
        (b"fLaC", 0, rb"fLaC[\x00\x80]\x00\x00\x22"),
        (b"WAVE", 8, rb"(?:RIFF|RF64|BW64).{4}WAVE[ -~]{4}"),
        (b"FORM", 0, rb"FORM.{4}AIF[FC][ -~]{4}"),
        (b"riff\x2e\x91\xcf\x11", 0, rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb"),
        (b"caff\x00\x01\x00\x00", 0, rb"caff\x00\x01\x00\x00desc"),
        (b".snd\x00\x00", 0, rb"\.snd\x00\x00.{6}\x00\x00\x00[\x01-\x1b].{4}\x00\x00\x00"),
        (b"ftyp", 4, rb"\x00\x00\x00.ftyp[ -~]{4}"),
        (b"\x1aE\xdf\xa3", 0, rb"\x1aE\xdf\xa3.{0,40}\x42\x82.(?:webm|matroska)"),
        (b"0&\xb2u\x8ef\xcf\x11", 0, rb"0&\xb2u\x8ef\xcf\x11\xa6\xd9\x00\xaa"),
        (b"TTA1\x01\x00", 0, rb"TTA1\x01\x00.\x00"),
        (b"MAC ", 0, rb"MAC .\x0f\x00\x00\x34\x00\x00\x00"),
        (b"MPCKSH", 0, rb"MPCKSH"),
        (b"tBaK", 0, rb"tBaK\x01.\x00\x00"),
        (b"DSD \x1c\x00\x00\x00", 0, rb"DSD \x1c\x00{7}"),
        # The first block of a WavPack file has the index 0 and the flag INITIAL_BLOCK.
        (b"wvpk", 0, rb"wvpk.{4}[\x02-\x10]\x04.{6}\x00{4}.{4}." + _WAVPACK_INITIAL),
    ]
]
_LONGEST_SIGNATURE = 64
_CHUNK_BYTES = 1 << 18
_MAX_TAG_BYTES = 1 << 24


def split_at_signatures(file: FilePart) -> list[FilePart]:
    """Return the parts of the file, in order. A file that was not joined is one part.

    A first part does not include what precedes its signature, such as an ID3 tag.
    """
    head = file.read_at(0, _LONGEST_SIGNATURE)
    signature = next((each for each in _SIGNATURES if each[2].match(head)), None)
    if signature is None and head[:3] == b"ID3":
        head = file.read_at(0, _MAX_TAG_BYTES)
        signature = next((each for each in _SIGNATURES if _find(head, each)), None)
    if signature is None:
        return [file]
    starts = _find_all(file, signature)
    return [file.between(start, end) for start, end in pairwise([*starts, file.size])]


def _find_all(file: FilePart, signature: _Signature) -> list[int]:
    starts: list[int] = []
    for position in range(0, file.size, _CHUNK_BYTES):
        chunk = file.read_at(position, _CHUNK_BYTES + _LONGEST_SIGNATURE)
        starts += [position + start for start in _find(chunk, signature) if start < _CHUNK_BYTES]
    return starts


def _find(content: bytes, signature: _Signature) -> list[int]:
    literal, position, pattern = signature
    starts = []
    found = content.find(literal)
    while found >= 0:
        if found >= position and pattern.match(content, found - position):
            starts.append(found - position)
        found = content.find(literal, found + 1)
    return starts
