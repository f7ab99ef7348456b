"""Writes about sixty broken files with known reasons, and usable files with unusual names.

`write_broken` and `write_good` fill a folder. This module uses mirpipe's reason codes but does not
import mirpipe.
"""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.support.encoded_audio import (
    HAS_FFMPEG,
    RATE,
    encode,
    encode_with_ffmpeg,
    faded_out,
    music,
)


def riff(
    data: bytes = bytes(range(256)) * 400,
    *,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    codec: int = 1,
    declared_bytes: int | None = None,
) -> bytes:
    """Return a WAV file whose header can contain any wrong value."""
    frame = max(1, channels * bits // 8) & 0xFFFF
    fmt = struct.pack("<HHIIHH", codec, channels, rate, rate * frame & 0xFFFFFFFF, frame, bits)
    size = len(data) if declared_bytes is None else declared_bytes
    body = (
        b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size) + data
    )
    return b"RIFF" + struct.pack("<I", min(36 + size, 0xFFFFFFFF)) + body


def broken_files() -> Iterator[tuple[str, bytes, str]]:
    """Yield the name, content and expected reason of each broken file that is a regular file."""
    yield from _not_audio()
    yield from _truncated()
    yield from _wrong_headers()
    yield from _unusable_samples()


def write_broken(folder: Path) -> dict[bytes, str]:
    """Fill `folder` with broken files, and return their expected reasons by relative path."""
    folder.mkdir(parents=True, exist_ok=True)
    expected: dict[bytes, str] = {}
    for name, content, reason in broken_files():
        (folder / name).write_bytes(content)
        expected[os.fsencode(name)] = reason
    return expected | _write_odd_names(folder) | _write_special(folder)


def write_good(folder: Path) -> list[Path]:
    """Fill `folder` with usable files in all formats, with difficult names; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    names = _good_names()
    written = []
    for seed, (kind, suffix, rate, channels, options) in enumerate(_GOOD):
        path = folder / f"{next(names)}.{suffix}"
        samples = faded_out(music(rate=rate, channels=channels, seed=seed), rate=rate)
        path.write_bytes(encode(kind, samples, rate=rate, **options))
        written.append(path)
    if HAS_FFMPEG:
        for seed, (suffix, options) in enumerate(_GOOD_WITH_FFMPEG):
            path = folder / f"{next(names)}.{suffix}"
            encode_with_ffmpeg(path, *options, samples=faded_out(music(seed=100 + seed)))
            written.append(path)
    return written


_GOOD: list[tuple[str, str, int, int, dict[str, str]]] = [
    ("WAV", "wav", RATE, 1, {"subtype": "PCM_16"}),
    ("WAV", "WAV", 44_100, 2, {"subtype": "PCM_24"}),
    ("WAV", "wav", 96_000, 1, {"subtype": "FLOAT"}),
    ("WAV", "wave", 8_000, 1, {"subtype": "PCM_U8"}),
    ("WAVEX", "wav", 48_000, 6, {}),
    ("RF64", "rf64", RATE, 1, {}),
    ("W64", "w64", RATE, 1, {}),
    ("FLAC", "flac", 44_100, 2, {}),
    ("OGG", "ogg", 44_100, 2, {"subtype": "VORBIS"}),
    ("OGG", "opus", 48_000, 2, {"subtype": "OPUS"}),
    ("MP3", "mp3", 44_100, 2, {}),
    ("AIFF", "aiff", RATE, 1, {}),
    ("AU", "au", RATE, 1, {}),
    ("CAF", "caf", RATE, 1, {}),
]
_GOOD_WITH_FFMPEG: list[tuple[str, list[str]]] = [
    ("m4a", ["-c:a", "aac"]),
    ("aac", ["-c:a", "aac"]),
    ("mka", ["-c:a", "aac"]),
    ("wma", []),
    ("mp3", ["-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0"]),
]


def _good_names() -> Iterator[str]:
    yield from ("plain", "-rf", "line\nbreak", 'it\'s "quoted"', "sheng 笙 🎵", "with %d and %s")
    yield os.fsdecode(b"latin\xe9")
    yield from ("back\\slash", "a" * 200, " spaces ", "file:pipe:0|x;$(id)", "two.dots")
    for number in range(100):
        yield f"track {number}"


def _not_audio() -> Iterator[tuple[str, bytes, str]]:
    rng = np.random.default_rng(1)
    yield "empty.wav", b"", "empty"
    yield "empty.mp3", b"", "empty"
    yield "text.mp3", b"no music, only words\n" * 500, "not_audio"
    yield "page.flac", b"<!doctype html><title>404</title>" * 50, "not_audio"
    yield "photo.ogg", bytes.fromhex("ffd8ffe000104a464946000101") + rng.bytes(20_000), "not_audio"
    yield "picture.m4a", b"\x89PNG\r\n\x1a\n" + rng.bytes(20_000), "not_audio"
    yield "archive.wav", b"PK\x03\x04" + rng.bytes(20_000), "not_audio"
    yield "noise.mp3", b"\0" + rng.bytes(50_000), "not_audio"
    yield "zeros.wav", bytes(50_000), "not_audio"
    yield "ones.mp3", b"\xff" * 50_000, "not_audio"
    yield "playlist.m4a", b"#EXTM3U\n#EXTINF:1,x\nfile:///etc/passwd\n", "not_audio"
    yield "concat.mp3", b"ffconcat version 1.0\nfile /etc/hostname\n", "not_audio"
    yield "score.wav", b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0", "not_audio"
    yield "tag only.mp3", b"ID3\4\0\0\0\0\x0f\x7f" + bytes(2047), "not_audio"
    yield "marks only.flac", b"fLaC", "not_audio"
    yield "codec.wav", riff(codec=0x1234), "not_audio"
    yield "riff without wave.wav", b"RIFF\xff\xff\xff\xffAVI " + bytes(500), "not_audio"
    yield "a.wav", b"R", "not_audio"


def _truncated() -> Iterator[tuple[str, bytes, str]]:
    complete = {
        "wav": encode("WAV"),
        "flac": encode("FLAC"),
        "ogg": encode("OGG", subtype="VORBIS"),
        "opus": encode("OGG", music(rate=48_000), rate=48_000, subtype="OPUS"),
        "mp3": encode("MP3"),
    }
    for suffix, content in complete.items():
        for percent in (20, 50, 90):
            cut = content[: len(content) * percent // 100]
            yield f"cut at {percent} percent.{suffix}", cut, "truncated"
    for kind in ("AIFF", "AU", "CAF", "W64", "RF64"):
        content = encode(kind)
        yield f"cut.{kind.lower()}", content[: len(content) // 2], "truncated"
    yield "header cut.wav", complete["wav"][:30], "not_audio"
    yield "header only.wav", riff(b""), "no_frames"
    boxes = b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + b"\0\1\0\0mdat" + bytes(5000)
    yield "no index.m4a", boxes, "truncated" if HAS_FFMPEG else "needs_ffmpeg"


def _wrong_headers() -> Iterator[tuple[str, bytes, str]]:
    complete = encode("WAV")
    yield "65535 channels.wav", riff(channels=65_535), "absurd_header"
    yield "1000 channels.wav", riff(channels=1000), "absurd_header"
    yield "no channel.wav", riff(channels=0), "absurd_header"
    yield "no rate.wav", riff(rate=0), "absurd_header"
    yield "4 GHz.wav", riff(rate=0xFFFFFFFF), "absurd_header"
    yield "1 Hz.wav", riff(rate=1), "absurd_header"
    au = b".snd" + struct.pack(">IIIII", 24, 0xFFFFFFFF, 3, RATE, 65_535)
    yield "65535 channels.au", au + bytes(50_000), "absurd_header"
    yield "claims one more second.wav", _with_larger_size(complete, 2 * RATE), "truncated"
    flac = bytearray(encode("FLAC"))
    flac[21] |= 0x0F  # STREAMINFO stores the number of samples in 36 bits.
    flac[22:26] = b"\xff" * 4
    yield "68 billion samples.flac", bytes(flac), "truncated"
    mp3 = bytearray(encode("MP3"))
    at = max(mp3.find(b"Xing"), mp3.find(b"Info")) + 8
    mp3[at : at + 4] = b"\x7f\xff\xff\xff"
    yield "2 billion frames.mp3", bytes(mp3), "truncated"


def _unusable_samples() -> Iterator[tuple[str, bytes, str]]:
    damaged, sound = music(), music()
    damaged[1000] = np.nan
    yield "nan.wav", encode("WAV", damaged, subtype="FLOAT"), "non_finite"
    damaged[1000] = -np.inf
    yield "inf.wav", encode("WAV", damaged, subtype="FLOAT"), "non_finite"
    yield "far too loud.wav", encode("WAV", sound * 1e30, subtype="FLOAT"), "absurd_level"
    yield "silence.wav", encode("WAV", sound * 0), "silent"
    yield "silence.flac", encode("FLAC", sound * 0), "silent"
    yield "constant.wav", encode("WAV", sound * 0 + 0.5), "silent"
    yield "half a second.wav", encode("WAV", sound[: RATE // 2]), "too_short"
    yield "half a second.ogg", encode("OGG", sound[: RATE // 2]), "too_short"
    yield "one sample.wav", encode("WAV", sound[:1]), "too_short"


def _write_odd_names(folder: Path) -> dict[bytes, str]:
    names = [b"-v.wav", b"two\nlines.wav", b"\xff\xfe.wav", b"'\";--.wav", "🎻.wav".encode()]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(b"nothing")
    return dict.fromkeys(names, "not_audio")


def _write_special(folder: Path) -> dict[bytes, str]:
    """Write entries that are not regular files or cannot be opened; return their reasons."""
    (folder / "folder.wav").mkdir()
    (folder / "folder.wav" / "inside.wav").write_bytes(riff())
    os.mkfifo(folder / "pipe.wav")
    _make_socket(folder, "socket.wav")
    (folder / "device.wav").symlink_to("/dev/zero")
    (folder / "nowhere.wav").symlink_to("missing.wav")
    (folder / "itself.wav").symlink_to("itself.wav")
    (folder / "sub").mkdir()
    (folder / "sub" / "loop").symlink_to(folder)
    with (folder / "a terabyte.wav").open("wb") as sparse:
        sparse.write(riff())
        sparse.truncate(2**40)
    expected = {
        b"folder.wav": "not_a_file",
        b"pipe.wav": "not_a_file",
        b"socket.wav": "not_a_file",
        b"device.wav": "not_a_file",
        b"nowhere.wav": "dangling_link",
        b"itself.wav": "link_loop",
        b"sub/loop": "link_loop",
        b"a terabyte.wav": "too_large",
    }
    if os.geteuid() != 0:  # The root user can read any file.
        (folder / "locked.wav").write_bytes(riff())
        (folder / "locked.wav").chmod(0)
        expected[b"locked.wav"] = "unreadable"
    return expected


def _make_socket(folder: Path, name: str) -> None:
    # A descriptor is used, because a socket path must not be longer than 108 bytes.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{descriptor}/{name}")
    finally:
        os.close(descriptor)


def _with_larger_size(wav: bytes, added_bytes: int) -> bytes:
    at = wav.index(b"data") + 4
    (size,) = struct.unpack("<I", wav[at : at + 4])
    return wav[:at] + struct.pack("<I", size + added_bytes) + wav[at + 4 :]
