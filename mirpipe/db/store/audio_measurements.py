"""Stores how tracks become mono, and the findings about their audio."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from mirpipe.records import AudioMeasurement, Collection

_IDS = text(
    "SELECT content_sha256, track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = ANY(:hashes) ORDER BY track_id"
)
_WRITE = text(
    "INSERT INTO mirpipe.track_audio (track_id, mono_channel, dc_offset, correlation) "
    "VALUES (:track_id, :mono_channel, :dc_offset, :correlation) "
    "ON CONFLICT (track_id) DO UPDATE SET mono_channel = excluded.mono_channel, "
    "dc_offset = excluded.dc_offset, correlation = excluded.correlation"
)
_DELETE_FINDINGS = text("DELETE FROM mirpipe.finding WHERE track_id = :track_id")
_WRITE_FINDING = text(
    "INSERT INTO mirpipe.finding (track_id, number, kind, severity, seconds, detail) "
    "VALUES (:track_id, :number, :kind, :severity, :seconds, :detail)"
)


def write(
    connection: Connection, collection: Collection, measured: Mapping[bytes, AudioMeasurement]
) -> None:
    """Store measurements by the track's content hash. They replace earlier ones.

    Hashes that have no stored track in the collection are ignored.
    """
    parameters = {"collection": collection, "hashes": list(measured)}
    for row in connection.execute(_IDS, parameters).all():
        measurement = measured[bytes(row.content_sha256)]
        connection.execute(
            _WRITE,
            {
                "track_id": row.track_id,
                "mono_channel": measurement.mix.channel,
                "dc_offset": measurement.mix.dc_offset,
                "correlation": measurement.correlation,
            },
        )
        connection.execute(_DELETE_FINDINGS, {"track_id": row.track_id})
        for number, finding in enumerate(measurement.findings):
            connection.execute(
                _WRITE_FINDING,
                {
                    "track_id": row.track_id,
                    "number": number,
                    "kind": finding.kind,
                    "severity": finding.severity,
                    "seconds": finding.seconds,
                    "detail": finding.detail,
                },
            )
