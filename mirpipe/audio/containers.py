"""Recognises the container of a file by its first bytes."""

# Containers that only ffmpeg can read: position of the identifying bytes, the bytes, and the name.
_MARKS = [
    (4, b"ftyp", "MP4"),
    (4, b"moov", "MP4"),
    (4, b"mdat", "MP4"),
    (4, b"wide", "MP4"),
    (0, b"\x1aE\xdf\xa3", "Matroska"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "ASF"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"TTA1", "TTA"),
    (0, b"tBaK", "TAK"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x0bw", "AC-3"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"FLV\x01", "Flash"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"),
    (0, b".RMF", "RealMedia"),
]
# Containers that libsndfile can also read if it supports the codec inside.
_LIBSNDFILE_CONTAINERS = {
    b"RIFF": "WAV",
    b"FORM": "AIFF",
    b"caff": "CAF",
    b"fLaC": "FLAC",
    b"OggS": "OGG",
    b"RF64": "RF64",
    b"BW64": "RF64",
    b"riff": "W64",
}
HEAD_BYTES = 16
"""Number of bytes at the start of a file that are needed to recognise its container."""


def container_name(head: bytes) -> str | None:
    """Return the name of the container that a file's first bytes identify, or None if unknown."""
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "AAC"
    for position, mark, name in _MARKS:
        if head[position : position + len(mark)] == mark:
            return name
    return _LIBSNDFILE_CONTAINERS.get(head[:4])


def is_for_ffmpeg_alone(head: bytes) -> bool:
    """Return whether only ffmpeg can read the container, so that installing it helps."""
    return container_name(head) is not None and head[:4] not in _LIBSNDFILE_CONTAINERS


def declares_length(head: bytes) -> bool:
    """Return whether files in this container declare their length.

    A bare stream of AAC, AC-3, DTS, AMR or MPEG audio does not.
    """
    return container_name(head) not in {None, "AAC", "AC-3", "DTS", "AMR"}
