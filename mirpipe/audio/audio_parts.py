"""Splits a file into the parts that are decoded one after another, and chooses their decoder.

Most files have one part. The parts of a joined file are decoded as if each were a file.
"""

from dataclasses import dataclass, field

from mirpipe.audio.containers import HEAD_BYTES, container_name
from mirpipe.audio.file_part import FilePart
from mirpipe.audio.joined_files import split_at_signatures
from mirpipe.audio.losses import Loss, damage, early_end, incomplete_end, unknown_length
from mirpipe.audio.mpeg_frames import MpegStream, read_mpeg_streams, skipped_audio
from mirpipe.audio.ogg_links import OggLink, read_ogg_links
from mirpipe.audio.rejected_files import truncated_error
from mirpipe.audio.sample_bytes import SampleBytes, find_sample_bytes

_TOLERATED_SAMPLES = 2 * 1152  # Some encoders also count the frame that declares the length.


@dataclass(frozen=True)
class AudioPart:
    """A part of a file that is decoded as if it were a file, and what its structure shows."""

    file: FilePart
    losses: list[Loss] = field(default_factory=list)
    """Losses that are known before decoding."""
    samples: SampleBytes | None = None
    """Where the samples are, if the part is a container of samples."""
    frames: int | None = None
    """Number of audio frames (samples per channel) that the frame headers of MPEG audio add up to.
    """
    has_skipped_bytes: bool = False
    """Whether there are bytes between the frames of MPEG audio that are not audio."""
    delay_left_by_ffmpeg: int = 0
    """Number of audio frames at the start that libsndfile leaves out as encoder delay, but ffmpeg
    does not."""


def find_parts(file: FilePart) -> list[AudioPart]:
    """Return the parts of the file in order. There is at least one.

    Raises RejectedInput with one of the reasons unreadable and absurd_header.
    """
    links = read_ogg_links(file) if file.read_at(0, 4) == b"OggS" else []
    if links:
        return [_ogg_part(file, link) for link in links]
    parts = split_at_signatures(file)
    if parts[0] is not file or not _may_be_mpeg(file):
        return [_sample_part(find_sample_bytes(part)) for part in parts]
    streams = read_mpeg_streams(file)
    if streams:
        return [_mpeg_part(file, stream) for stream in streams]
    return [AudioPart(file)]


def _ogg_part(file: FilePart, link: OggLink) -> AudioPart:
    if link.is_cut:
        raise truncated_error(file.name, "breaks off in the middle of an Ogg page")
    losses = [] if link.has_last_page else [incomplete_end(None, "The last Ogg page")]
    return AudioPart(file.between(link.start, link.end), losses)


def _sample_part(samples: SampleBytes) -> AudioPart:
    losses = [] if samples.is_declared else [unknown_length()]
    return AudioPart(samples.file, losses, samples)


def _may_be_mpeg(file: FilePart) -> bool:
    head = file.read_at(0, HEAD_BYTES)
    return head[:3] == b"ID3" or container_name(head) is None


def _mpeg_part(file: FilePart, stream: MpegStream) -> AudioPart:
    seconds = stream.samples / stream.sample_rate
    skipped = skipped_audio(stream)
    losses = [damage(at, lost) for at, lost in skipped if at < seconds]
    if stream.declared_samples is None:
        losses += [early_end(at, lost) for at, lost in skipped if at >= seconds]
        if stream.is_cut:
            losses.append(incomplete_end(seconds, "The last frame"))
    else:
        declared = stream.declared_samples / stream.sample_rate
        missing = declared - seconds - sum(loss.lost_seconds for loss in losses)
        if missing * stream.sample_rate > _TOLERATED_SAMPLES:
            losses.append(early_end(seconds, missing))
    end = file.size if stream.is_cut else stream.end
    return AudioPart(
        file.between(stream.start, end),
        losses,
        frames=stream.samples,
        has_skipped_bytes=any(at < seconds for at, _ in skipped),
        delay_left_by_ffmpeg=stream.delay_left_by_ffmpeg,
    )
