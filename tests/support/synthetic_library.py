"""Writes synthetic tracks and vectors to the tables, without audio or a model."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from pgvector import Vector
from sqlalchemy import Connection, Engine, text

from mirpipe.db.store import plugin_revisions
from mirpipe.specs import EncoderSpec

SPEC = EncoderSpec(
    name="made_up",
    version=1,
    checkpoint="none",
    checkpoint_sha256="0" * 64,
    sample_rate=16000,
    window_samples=16000,
    dimension=3,
    gain_dbfs=None,
    licence_code="none",
    licence_weights="none",
    citation="none",
)


def unit(vector: Sequence[float]) -> np.ndarray:
    """Return the vector scaled to length 1, as float32."""
    row = np.asarray(vector, np.float64)
    return (row / np.linalg.norm(row)).astype(np.float32)


def sha256(content: object) -> bytes:
    """Return the content hash of a synthetic track with this content."""
    return hashlib.sha256(repr(content).encode()).digest()


class SyntheticLibrary:
    """One encoder and any number of tracks. Tracks with equal content have equal hashes."""

    def __init__(self, app: Engine, *, dimension: int = 3, name: str = "made_up") -> None:
        self.app = app
        self._spec = EncoderSpec(**(asdict(SPEC) | {"name": name, "dimension": dimension}))
        self.register("r1")

    def register(self, revision: str) -> None:
        """Make this revision the configured one. Vectors that are added later belong to it."""
        with self.app.begin() as connection:
            self.encoder_id = plugin_revisions.register_encoder(connection, self._spec, revision)
            self.batch_id = connection.execute(
                text(
                    "INSERT INTO mirpipe.embedding_batch "
                    "(encoder_id, device, versions, tracks, seconds) "
                    "VALUES (:encoder_id, 'cpu', '{}', 0, 0) RETURNING batch_id"
                ),
                {"encoder_id": self.encoder_id},
            ).scalar_one()

    def add(
        self,
        collection: str,
        content: object,
        vector: Sequence[float] | None = None,
        *,
        title: str | None = None,
        labels: dict[str, str] | None = None,
    ) -> int:
        """Add a usable track, with a vector if one is given, and return its id."""
        with self.app.begin() as connection:
            track_id = connection.execute(
                text(
                    "INSERT INTO mirpipe.track "
                    "(collection, content_sha256, title, labels, seconds, rms_dbfs, state) "
                    "VALUES (:collection, :sha256, :title, CAST(:labels AS jsonb), 1, -20, 'ok') "
                    "RETURNING track_id"
                ),
                {
                    "collection": collection,
                    "sha256": sha256(content),
                    "title": title or str(content),
                    "labels": json.dumps(labels or {}),
                },
            ).scalar_one()
            connection.execute(
                text(
                    "INSERT INTO mirpipe.track_file "
                    "(collection, path, path_text, track_id, bytes, mtime_ns) "
                    "VALUES (:collection, :path, :text, :track_id, 1, 1)"
                ),
                {
                    "collection": collection,
                    "path": str(content).encode(),
                    "text": str(content),
                    "track_id": track_id,
                },
            )
            if vector is not None:
                self._write_vector(connection, track_id, vector)
        return int(track_id)

    def set_vector(self, track_id: int, vector: Sequence[float]) -> None:
        """Store a track's vector, or replace the stored one."""
        with self.app.begin() as connection:
            self._write_vector(connection, track_id, vector)

    def delete_vector(self, track_id: int) -> None:
        """Delete the vector of a track."""
        self.execute("DELETE FROM mirpipe.embedding WHERE track_id = :track_id", track_id=track_id)

    def add_same_recording(self, first: int, second: int) -> None:
        """Store that two tracks contain the same recording."""
        self.execute(
            "INSERT INTO mirpipe.same_recording VALUES (:first, :second, 0.9, 1, 0)",
            first=min(first, second),
            second=max(first, second),
        )

    def set_content(self, track_id: int, content: object) -> None:
        """Give a track the content hash of this content, and its file the path."""
        self.execute(
            "UPDATE mirpipe.track_file SET path = :path WHERE track_id = :track_id",
            track_id=track_id,
            path=str(content).encode(),
        )
        self.execute(
            "UPDATE mirpipe.track SET content_sha256 = :sha256 WHERE track_id = :track_id",
            track_id=track_id,
            sha256=sha256(content),
        )

    def set_state(self, track_id: int, state: str) -> None:
        """Set the state of a track: `ok` or `gone`."""
        self.execute(
            "UPDATE mirpipe.track SET state = :state WHERE track_id = :track_id",
            track_id=track_id,
            state=state,
        )

    def execute(self, sql: str, **parameters: object) -> None:
        """Execute a statement in its own transaction."""
        with self.app.begin() as connection:
            connection.execute(text(sql), parameters)

    def rows(self, sql: str, **parameters: object) -> list[tuple]:
        """Return the rows of a query. The query can use the parameter :encoder_id."""
        with self.app.connect() as connection:
            return [
                tuple(row)
                for row in connection.execute(
                    text(sql), {"encoder_id": self.encoder_id, **parameters}
                )
            ]

    def _write_vector(self, connection: Connection, track_id: int, vector: Sequence[float]) -> None:
        connection.execute(
            text(
                "INSERT INTO mirpipe.embedding "
                "SELECT :encoder_id, track_id, collection, :batch_id, CAST(:vector AS vector) "
                "FROM mirpipe.track WHERE track_id = :track_id "
                "ON CONFLICT (encoder_id, track_id) DO UPDATE SET embedding = excluded.embedding"
            ),
            {
                "encoder_id": self.encoder_id,
                "batch_id": self.batch_id,
                "track_id": track_id,
                "vector": Vector(unit(vector)).to_text(),
            },
        )
