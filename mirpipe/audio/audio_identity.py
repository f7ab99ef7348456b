"""Hashes a file's audio, so that the audio is recognised in another file.

Decoded samples identify lossless audio: all decoders return the same integers, and float32 stores
integers of up to 24 bits exactly. Decoded samples of lossy codecs differ between processors and
decoder versions, so the coded packets are hashed instead. Tags are part of neither (ADR 26).
"""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass

from mirpipe.audio.audio_parts import find_parts
from mirpipe.audio.decode import decode
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


def is_identified_by_samples(path: AnyPath) -> bool:
    """Return whether the file's codec is lossless. Only headers are read. Raises RejectedInput."""
    with open_regular_file(path) as descriptor:
        parts = find_parts(FilePart.complete(descriptor, printable_path(path)))
        return all(is_lossless(codec_name(path, part.file)) for part in parts)


def identify(path: AnyPath, samples: AudioIdentity | None = None) -> AudioIdentity | None:
    """Return the identity of the file's audio, or None if the program ffmpeg is needed for it.

    `samples` is the identity by samples, if the file has been decoded and is lossless. If ffmpeg
    cannot read the packets of a lossy file, its samples are hashed. Raises RejectedInput.
    """
    if samples is not None:
        return samples
    if is_identified_by_samples(path):
        return _hash_samples(path)
    if shutil.which("ffmpeg") is None:
        return None
    return _hash_packets(path) or _hash_samples(path)


def _hash_packets(path: AnyPath) -> AudioIdentity | None:
    """Return the identity by coded packets, or None if ffmpeg finds no packets.

    The identity of a file with several parts is a hash over the hashes of the parts.
    """
    with open_regular_file(path) as descriptor:
        parts = find_parts(FilePart.complete(descriptor, printable_path(path)))
        digests = [_packet_digest(path, part.file) for part in parts]
    if None in digests:
        return None
    first, *others = [digest or b"" for digest in digests]
    sha256 = hashlib.sha256(b"".join([first, *others])).digest() if others else first
    return AudioIdentity(sha256, "packets")


def _packet_digest(path: AnyPath, part: FilePart) -> bytes | None:
    # The packets of raw AAC (ADTS) have headers that the packets in MP4 do not have.
    headers = ["-bsf:a", "aac_adtstoasc"] if codec_name(path, part) == "aac" else []
    output = ["-map", "0:a:0", "-c", "copy", *headers, "-f", "hash", "-hash", "sha256", "pipe:1"]
    process = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", *input_arguments(path, part), *output],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
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
