"""Everything that is stored about single tracks: state, labels, audio format and features."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class TrackDescription:
    """A track of any state. Numbers that were not measured are None."""

    track_id: int
    collection: str
    title: str
    state: str
    """ok, rejected or gone."""
    has_audio: bool
    """Whether a file of the track was ever ingested. If not, only its vectors are known."""
    reason: str
    """Code of the reason why the track was rejected. Empty if it was not rejected."""
    labels: dict[str, str]
    content_sha256: str
    """SHA-256 of the content, in hexadecimal."""
    format: str
    """Container format, detected from the content. Empty if it is unknown."""
    seconds: float | None
    sample_rate: int | None
    channels: int | None
    rms_dbfs: float | None
    silent_share: float | None
    """Share of the track's length that is silent, 0 to 1."""
    voiced: bool | None
    """Whether the track is pitched."""
    voiced_fraction: float | None
    """Share of the frames that are pitched, 0 to 1."""
    tempo_bpm: float | None
    octave_ambiguous: bool | None
    """Whether half or double the tempo is about as likely."""
    meter: int | None
    """Number of beats per bar."""
    key: str
    key_clarity: float | None
    """How clearly the key stands out, 0 to 1."""
    onsets_per_second: float | None
    brightness_hz: float | None
    """Mean spectral centroid, in Hz."""
    feature_reasons: dict[str, str]
    """Codes of the reasons why features are missing, by feature."""
    has_features: bool
    """Whether the features have been measured."""
    first_seen: datetime
    """Time at which the track was ingested, with its time zone."""
    changed_at: datetime
    """Time at which the state, the title or the labels last changed, with its time zone."""


_TRACKS = """
    SELECT t.track_id, t.collection, t.title, t.state, t.has_audio, t.labels,
        coalesce(t.reason, '') AS reason,
        encode(t.content_sha256, 'hex') AS content_sha256, coalesce((
            SELECT (array_agg(d.format ORDER BY d.path_text))[1] FROM mirpipe.track_file d
            WHERE d.track_id = t.track_id AND d.gone_at IS NULL), '') AS format,
        t.seconds, t.sample_rate, t.channels, t.rms_dbfs, t.silent_share, m.voiced,
        coalesce(f.voiced_fraction, m.voiced_fraction) AS voiced_fraction, f.tempo_bpm,
        f.octave_ambiguous, f.meter, coalesce(f.key, '') AS key, f.key_clarity,
        f.onsets_per_second, f.brightness_hz, coalesce(f.reasons, '{{}}') AS feature_reasons,
        f.track_id IS NOT NULL AS has_features, t.first_seen, t.changed_at
    FROM mirpipe.track t
    LEFT JOIN mirpipe.shown_metric k ON k.name = 'features'
    LEFT JOIN mirpipe.track_feature f ON f.metric_id = k.metric_id AND f.track_id = t.track_id
    LEFT JOIN mirpipe.shown_metric n ON n.name = 'melody'
    LEFT JOIN mirpipe.melody m ON m.metric_id = n.metric_id AND m.track_id = t.track_id
    WHERE t.collection IN ('target', 'reference', 'generated') AND {condition}
    ORDER BY array_position(ARRAY['target', 'reference', 'generated'], t.collection), t.track_id
    LIMIT 10
"""
_BY_HASH = text(_TRACKS.format(condition="t.content_sha256 BETWEEN :lowest AND :highest"))
_BY_ID = text(_TRACKS.format(condition="t.track_id = :track_id"))
_HASH = re.compile(r"[0-9a-f]{8,64}")


def tracks_by_hash(digits: str) -> list[TrackDescription]:
    """Return the tracks whose content hash begins with these hexadecimal digits.

    The same audio can be in several collections: the target comes first, then the reference. The
    list is empty for fewer than 8 digits, and has at most 10 tracks.
    """
    if not _HASH.fullmatch(digits):
        return []
    lowest, highest = (bytes.fromhex(digits.ljust(64, digit)) for digit in "0f")
    return read_rows(TrackDescription, _BY_HASH, lowest=lowest, highest=highest)


def track_by_id(track_id: int) -> TrackDescription | None:
    """Return the track with this id, or None if there is no such track."""
    return next(iter(read_rows(TrackDescription, _BY_ID, track_id=track_id)), None)
