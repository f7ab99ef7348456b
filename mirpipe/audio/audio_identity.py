"""Hashes a file's audio, so that the audio is recognised in another file.

Decoded samples identify lossless audio: all decoders return the same integers, and float32 stores
integers of up to 24 bits exactly. Decoded samples of lossy codecs differ between processors and
decoder versions, so the coded packets are hashed instead. Tags are part of neither (ADR 26).
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from mirpipe.audio import hanging_programs
from mirpipe.audio.audio_parts import AudioPart
from mirpipe.audio.decode import decode, open_parts
from mirpipe.audio.ffmpeg import input_arguments
from mirpipe.audio.file_part import FilePart
from mirpipe.audio.lossless_codecs import codec_name, is_lossless
from mirpipe.audio.regular_files import open_regular_file
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import ContentKind, Float32

_EMPTY_SHA256 = hashlib.sha256().digest()


@dataclass(frozen=True)
class AudioIdentity:
    """A hash of a file's audio, and what was hashed."""

    sha256: bytes
    """32 bytes."""
    kind: ContentKind


class SampleHash:
    """SHA-256 of decoded audio: rate and channels, then interleaved little-endian float32."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._digest = hashlib.sha256(f"{sample_rate} Hz, {channels} channels\n".encode())

    def add(self, block: Float32) -> None:
        """Add the next block of samples, shape (frames, channels)."""
        self._digest.update(block.astype("<f4", order="C", copy=False).data)

    def identity(self) -> AudioIdentity:
        """Return the identity of the samples that were added."""
        return AudioIdentity(self._digest.digest(), "samples")


@dataclass(frozen=True)
class CodedPart:
    """A part of a file: its position in bytes, and its codec."""

    start: int
    end: int
    codec: str
    """A result of `codec_name`."""


def coded_parts(path: AnyPath, parts: Sequence[AudioPart]) -> tuple[CodedPart, ...]:
    """Return the open parts of a file with their codecs. Only headers are read.

    Call it before the parts are decoded, because it moves their reading positions. Raises
    RejectedInput.
    """
    return tuple(
        CodedPart(part.file.start, part.file.end, codec_name(path, part.file)) for part in parts
    )


def are_lossless(parts: Sequence[CodedPart]) -> bool:
    """Return whether the codec of all parts is lossless, so that the samples identify them."""
    return all(is_lossless(part.codec) for part in parts)


def identify(
    path: AnyPath,
    samples: AudioIdentity | None = None,
    parts: Sequence[CodedPart] | None = None,
) -> AudioIdentity | None:
    """Return the identity of the file's audio, or None if the program ffmpeg is needed for it.

    `samples` is the identity by samples, if the file has been decoded and is lossless. `parts` are
    the file's parts, if they are known. If ffmpeg cannot read the packets of a lossy file, its
    samples are hashed. Raises RejectedInput.
    """
    if samples is not None:
        return samples
    if parts is None:
        with open_parts(path) as opened:
            parts = coded_parts(path, opened)
    if are_lossless(parts):
        return _hash_samples(path)
    if shutil.which("ffmpeg") is None:
        return None
    return _hash_packets(path, parts) or _hash_samples(path)


def _hash_packets(path: AnyPath, parts: Sequence[CodedPart]) -> AudioIdentity | None:
    """Return the identity by coded packets, or None if ffmpeg finds no packets.

    The identity of a file with several parts is a hash over the hashes of the parts.
    """
    with open_regular_file(path) as descriptor:
        digests = [_packet_digest(path, descriptor, part) for part in parts]
    if None in digests:
        return None
    first, *others = [digest or b"" for digest in digests]
    sha256 = hashlib.sha256(b"".join([first, *others])).digest() if others else first
    return AudioIdentity(sha256, "packets")


def _packet_digest(path: AnyPath, descriptor: int, part: CodedPart) -> bytes | None:
    file = FilePart(descriptor, part.start, part.end, printable_path(path))
    # The packets of raw AAC (ADTS) have headers that the packets in MP4 do not have.
    headers = ["-bsf:a", "aac_adtstoasc"] if part.codec == "aac" else []
    output = ["-map", "0:a:0", "-c", "copy", *headers, "-f", "hash", "-hash", "sha256", "pipe:1"]
    command = ["ffmpeg", "-nostdin", "-v", "error", *input_arguments(path, file), *output]
    process = hanging_programs.run(command, file)
    name, _, digest = process.stdout.strip().partition("=")
    if process.returncode != 0 or name != "SHA256" or digest == _EMPTY_SHA256.hex():
        return None
    return bytes.fromhex(digest)


def _hash_samples(path: AnyPath) -> AudioIdentity:
    with decode(path) as audio:
        samples = SampleHash(audio.sample_rate, audio.channels)
        for block in audio.blocks:
            samples.add(block)
    return samples.identity()
