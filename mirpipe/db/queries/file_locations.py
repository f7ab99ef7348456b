"""Paths of the tracks' audio files."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.files.addresses import Address, parse_address


@dataclass(frozen=True)
class FileLocation:
    """A path where the last ingest found a track. The file may have been deleted since then."""

    track_id: int
    content_sha256: str
    """Hash of the audio, in hexadecimal."""
    path: Address
    shown: str
    """Path as a single line of printable characters."""
    size: int
    """Size in bytes, when it was last read."""
    etag: str | None
    """ETag of an object in S3. None for a local file and for a clip."""
    format: str
    """Container format, detected from the content: WAV, FLAC, OGG, MP3, MP4, AIFF …"""
    seconds: float | None
    """Length of the decoded audio. None for a rejected track."""
    sample_rate: int | None
    channels: int | None
    rms_dbfs: float
    """RMS level of the mono mix without its silent parts, in dB relative to full scale."""
    silent_share: float
    """Share of the track's length that is silent, 0 to 1."""
    has_guessed_tags: bool
    """Whether the encoding of the file's tags was guessed, and the track is named after the tags.
    """


@dataclass(frozen=True)
class _FileRow:
    track_id: int
    content_sha256: str
    path: memoryview
    shown: str
    size: int
    etag: str | None
    format: str
    seconds: float | None
    sample_rate: int | None
    channels: int | None
    rms_dbfs: float
    silent_share: float
    has_guessed_tags: bool


_FILE_LOCATIONS = """
    SELECT t.track_id, encode(t.content_sha256, 'hex') AS content_sha256,
        f.path, f.path_text AS shown, f.bytes AS size, f.etag,
        coalesce(f.format, '') AS format, t.seconds, t.sample_rate, t.channels,
        coalesce(t.sounding_rms_dbfs, t.rms_dbfs, 0) AS rms_dbfs,
        coalesce(t.silent_share, 0) AS silent_share,
        coalesce(f.tag_encoding_guessed AND t.labels_from = 'tags', false) AS has_guessed_tags
    FROM mirpipe.track_file f JOIN mirpipe.track t USING (track_id)
    WHERE {condition} AND f.gone_at IS NULL ORDER BY t.track_id, f.path
"""
_OF_TRACKS = text(_FILE_LOCATIONS.format(condition="f.track_id = ANY(:track_ids)"))
_OF_CONTENT = text(
    _FILE_LOCATIONS.format(
        condition="(t.collection, t.content_sha256) IN (('reference', :content_sha256), "
        "('target', :content_sha256), ('generated', :content_sha256))"
    )
)


def file_locations(track_ids: Sequence[int]) -> dict[int, list[FileLocation]]:
    """Return the files of these tracks, by track id. Tracks without a file are left out."""
    locations: dict[int, list[FileLocation]] = defaultdict(list)
    for row in read_rows(_FileRow, _OF_TRACKS, track_ids=list(track_ids)):
        locations[row.track_id].append(_location(row))
    return dict(locations)


def locations_of_content(content_sha256: str) -> list[FileLocation]:
    """Return the files that contain this audio, in all collections."""
    content = bytes.fromhex(content_sha256)
    return [_location(row) for row in read_rows(_FileRow, _OF_CONTENT, content_sha256=content)]


def _location(row: _FileRow) -> FileLocation:
    # Paths are stored as bytes, because they are not always valid UTF-8.
    return FileLocation(**{**vars(row), "path": parse_address(bytes(row.path))})
