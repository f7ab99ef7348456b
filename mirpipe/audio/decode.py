"""Decodes an audio file block by block.

libsndfile decodes what it reads completely, and ffmpeg the rest: other formats, MP3 files whose
length libsndfile does not know, and everything after damaged audio. The file's content alone
decides which program decodes it.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import soundfile

from mirpipe.audio import ffmpeg, libsndfile
from mirpipe.audio.audio_parts import AudioPart, find_parts
from mirpipe.audio.channel_layout import default_mask, has_own_order
from mirpipe.audio.containers import HEAD_BYTES, container_name, is_for_ffmpeg_alone
from mirpipe.audio.file_part import FilePart
from mirpipe.audio.flac_checksum import flac_checksum
from mirpipe.audio.limits import require_supported_format
from mirpipe.audio.losses import Loss, damage, disagreement, early_end, wrong_checksum
from mirpipe.audio.regular_files import open_regular_file
from mirpipe.audio.rejected_files import (
    mixed_formats_error,
    needs_ffmpeg_error,
    no_frames_error,
    not_audio_error,
)
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import Float32

BLOCK_SECONDS = 10.0
# libsndfile leaves out the delay and the padding of an MP3 encoder, which are at most this long.
_MP3_PADDING_FRAMES = 8192
_TOLERATED_MP3_FRAMES = 2 * 1152
_TOLERATED_SECONDS = 0.1


@dataclass(frozen=True)
class AudioStream:
    """An audio file that is being decoded."""

    sample_rate: int
    channels: int
    format: str
    channel_mask: int | None
    """Loudspeaker positions of the channels, as the bits of WAVEFORMATEXTENSIBLE. None if they are
    unknown."""
    blocks: Iterator[Float32]
    """Blocks of decoded samples, each of shape (frames, channels), with full scale at ±1.

    The iterator raises RejectedInput if the file cannot be read to the end.
    """
    losses: list[Loss]
    """Audio that is missing in the blocks. The list is complete after the last block."""


@contextmanager
def open_parts(path: AnyPath) -> Iterator[list[AudioPart]]:
    """Yield the parts of the file, which stays open in the context. Raises RejectedInput."""
    with open_regular_file(path) as descriptor:
        yield find_parts(FilePart.complete(descriptor, printable_path(path)))


@contextmanager
def decode(
    path: AnyPath, *, block_seconds: float = BLOCK_SECONDS, verify: bool = False
) -> Iterator[AudioStream]:
    """Yield the audio of a file as a stream, as `decode_parts` does."""
    with (
        open_parts(path) as parts,
        decode_parts(path, parts, block_seconds=block_seconds, verify=verify) as audio,
    ):
        yield audio


@contextmanager
def decode_parts(
    path: AnyPath, parts: Sequence[AudioPart], *, block_seconds: float, verify: bool
) -> Iterator[AudioStream]:
    """Yield the audio of open parts as a stream. A block is decoded when the caller requests it.

    Damaged audio is left out and reported in `losses`; the caller decides how much of it is
    acceptable. The parts of a joined file are decoded in order. If `verify` is true, the checksum
    of a FLAC file is also compared. Raises RejectedInput, either here or while the blocks are read,
    with one of the reasons unreadable, not_a_file, empty, too_large,
    not_audio, no_sound, needs_ffmpeg, absurd_header, mixed_formats, no_frames and truncated.
    """
    with _open_part(path, parts[0], block_seconds, verify) as first:
        losses: list[Loss] = []
        blocks = _joined_blocks(path, parts, first, block_seconds, verify, losses)
        yield AudioStream(
            first.sample_rate, first.channels, first.format, first.channel_mask, blocks, losses
        )


def _joined_blocks(
    path: AnyPath,
    parts: Sequence[AudioPart],
    first: AudioStream,
    block_seconds: float,
    verify: bool,
    losses: list[Loss],
) -> Iterator[Float32]:
    """Yield the blocks of all parts in order, and add what is missing to `losses`."""
    name, decoded = parts[0].file.name, 0
    for index, part in enumerate(parts):
        with ExitStack() as stack:
            stream = first
            if index > 0:
                stream = stack.enter_context(_open_part(path, part, block_seconds, verify))
            if (stream.sample_rate, stream.channels) != (first.sample_rate, first.channels):
                raise mixed_formats_error(name, len(parts))
            start = decoded / first.sample_rate
            for block in stream.blocks:
                decoded += len(block)
                yield block
            losses.extend(loss.shifted(start) for loss in stream.losses)
    if not decoded:
        raise no_frames_error(name)


@contextmanager
def _open_part(
    path: AnyPath, part: AudioPart, block_seconds: float, verify: bool
) -> Iterator[AudioStream]:
    """Yield one part as a stream. A part without samples is a stream without blocks."""
    name, head = part.file.name, part.file.read_at(0, HEAD_BYTES)
    sound = libsndfile.open_part(part.file)
    with ExitStack() as stack:
        if sound is not None:
            stack.enter_context(sound)
            require_supported_format(sound.samplerate, sound.channels, name)
        if sound is not None and _reads_completely(sound, part):
            yield _libsndfile_stream(path, part, sound, block_seconds, verify)
            return
        if sound is None and part.frames is None and not _may_ffmpeg_decode(head):
            raise not_audio_error(name)
        decoding = ffmpeg.decode(path, part.file, block_seconds=block_seconds)
        stream = stack.enter_context(decoding)
        container = container_name(head) or ("ffmpeg" if part.frames is None else "MP3")
        losses: list[Loss] = []
        yield AudioStream(
            stream.sample_rate,
            stream.channels,
            container if sound is None else sound.format,
            stream.channel_mask,
            _ffmpeg_blocks(part, stream, sound, losses),
            losses,
        )


def _may_ffmpeg_decode(head: bytes) -> bool:
    """Return whether to try ffmpeg, or to ask the user to install it.

    Most files that libsndfile cannot read although it supports the container are damaged, so the
    user is not asked to install ffmpeg.
    """
    return is_for_ffmpeg_alone(head) or (ffmpeg.has_ffmpeg() and container_name(head) is not None)


def _reads_completely(sound: soundfile.SoundFile, part: AudioPart) -> bool:
    """Return whether libsndfile reads all audio of this part, in a known order of channels."""
    if has_own_order(sound.format, sound.channels) or part.has_skipped_bytes:
        return False
    return part.frames is None or abs(sound.frames - part.frames) <= _MP3_PADDING_FRAMES


def _libsndfile_stream(
    path: AnyPath, part: AudioPart, sound: soundfile.SoundFile, block_seconds: float, verify: bool
) -> AudioStream:
    mask = part.samples.channel_mask if part.samples else None
    losses: list[Loss] = []
    return AudioStream(
        sound.samplerate,
        sound.channels,
        sound.format,
        mask or default_mask(sound.format, sound.channels),
        _libsndfile_blocks(path, part, sound, block_seconds, verify, losses),
        losses,
    )


def _libsndfile_blocks(
    path: AnyPath,
    part: AudioPart,
    sound: soundfile.SoundFile,
    block_seconds: float,
    verify: bool,
    losses: list[Loss],
) -> Iterator[Float32]:
    """Yield the blocks. If libsndfile stops at damaged audio, ffmpeg decodes the rest."""
    rate, decoded = sound.samplerate, 0
    declared = libsndfile.declared_frames(sound)
    checksum = flac_checksum(part.file) if verify else None
    losses += part.losses
    read = libsndfile.read_blocks if checksum is None else checksum.read_blocks
    try:
        for block in read(sound, part.file, max(1, int(block_seconds * rate))):
            decoded += len(block)
            yield block
    except libsndfile.DecodingStopped:
        if not ffmpeg.has_ffmpeg():
            raise needs_ffmpeg_error(part.file.name, ", because it is damaged") from None
        seconds = None if declared is None else declared / rate
        with ffmpeg.decode(
            path, part.file, block_seconds=block_seconds, declared_seconds=seconds
        ) as stream:
            yield from _without_first(stream.blocks, part.delay_left_by_ffmpeg + decoded)
        losses += stream.losses
        return
    missing = _missing_in_libsndfile(path, part, sound, decoded)
    losses += missing
    if checksum is not None and not missing and checksum.is_wrong():
        losses.append(wrong_checksum())


def _missing_in_libsndfile(
    path: AnyPath, part: AudioPart, sound: soundfile.SoundFile, decoded: int
) -> list[Loss]:
    """Return what is missing after libsndfile has read a part without an error."""
    seconds = decoded / sound.samplerate
    if part.samples is not None and part.samples.missing and part.samples.present:
        return [early_end(seconds, seconds * part.samples.missing / part.samples.present)]
    declared = libsndfile.declared_frames(sound)
    tolerated = 0 if part.frames is None else _TOLERATED_MP3_FRAMES
    if declared is None or declared - decoded <= tolerated or part.losses:
        return []
    missing = (declared - decoded) / sound.samplerate
    if sound.format != "OGG":
        return [early_end(seconds, missing)]
    # libsndfile leaves out damaged pages of an Ogg file without an error.
    gaps = ffmpeg.find_gaps(path, part.file) if ffmpeg.has_ffmpeg() else []
    return [damage(at, lost) for at, lost in gaps] or [damage(None, missing)]


def _ffmpeg_blocks(
    part: AudioPart,
    stream: ffmpeg.FfmpegStream,
    sound: soundfile.SoundFile | None,
    losses: list[Loss],
) -> Iterator[Float32]:
    decoded = 0
    for block in _without_first(stream.blocks, part.delay_left_by_ffmpeg):
        decoded += len(block)
        yield block
    # The frame headers of MPEG audio show the losses better than ffmpeg's messages.
    losses += part.losses or stream.losses
    declared = None if sound is None else libsndfile.declared_frames(sound)
    if sound is not None and declared is not None and not losses:
        libsndfile_seconds = declared / sound.samplerate
        ffmpeg_seconds = decoded / stream.sample_rate
        if abs(libsndfile_seconds - ffmpeg_seconds) > _TOLERATED_SECONDS:
            losses.append(disagreement(libsndfile_seconds, ffmpeg_seconds))


def _without_first(blocks: Iterator[Float32], frames: int) -> Iterator[Float32]:
    """Yield the blocks without this number of frames at their start."""
    for block in blocks:
        rest = block[min(frames, len(block)) :]
        frames -= len(block) - len(rest)
        if len(rest):
            yield rest
