"""Stores vectors that come from a file: matches them with tracks, and marks them as imported."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.db.named_locks import lock_until_transaction_ends
from mirpipe.db.store import active_revisions, embeddings, plugin_revisions
from mirpipe.records import Float32
from mirpipe.specs import EncoderSpec

_DIMENSION = text(
    "SELECT encoder_id, dimension FROM mirpipe.encoder WHERE name = :name AND revision = :revision"
)
_CONFIGURED = text("SELECT encoder_id FROM mirpipe.encoder WHERE name = :name AND wanted")
_SET_CONFIGURED = text(
    "UPDATE mirpipe.encoder SET wanted = :wanted "
    "WHERE encoder_id = :encoder_id AND wanted <> :wanted"
)
_TRACKS = text("""
    SELECT track_id, title, content_sha256 FROM mirpipe.track
    WHERE state = 'ok' AND content_sha256 = ANY(CAST(:hashes AS bytea[])) ORDER BY track_id
""")
_BATCH = text("""
    INSERT INTO mirpipe.embedding_batch (encoder_id, tracks, is_imported)
    VALUES (:encoder_id, :tracks, true) RETURNING batch_id
""")
_OTHER_CONFIGURED = text("""
    SELECT EXISTS (SELECT FROM mirpipe.encoder o JOIN mirpipe.encoder e USING (name)
        WHERE e.encoder_id = :encoder_id AND o.encoder_id <> e.encoder_id AND o.wanted)
""")
_ACTIVE = text("""
    SELECT s.encoder_id FROM mirpipe.serving_revision s JOIN mirpipe.encoder e USING (name)
    WHERE e.encoder_id = :encoder_id
""")
_HAS_VECTORS = text(
    "SELECT EXISTS (SELECT FROM mirpipe.embedding v WHERE v.encoder_id = :encoder_id)"
)


@dataclass(frozen=True)
class MatchedTrack:
    """A usable track whose content hash is in the file."""

    track_id: int
    title: str


@dataclass(frozen=True)
class RevisionState:
    """Whether a revision is active, and what keeps it from becoming active."""

    active: bool
    other_active: bool
    """Whether another revision of the encoder is active."""
    other_configured: bool
    """Whether another revision of the encoder is configured."""


def registered_dimension(connection: Connection, name: str, revision: str) -> int | None:
    """Return the dimension of a registered revision, or None if it is not registered."""
    row = connection.execute(_DIMENSION, {"name": name, "revision": revision}).one_or_none()
    return None if row is None else int(row.dimension)


def register(connection: Connection, spec: EncoderSpec, revision: str) -> int:
    """Return the id of the revision. If it is new, register it without configuring it."""
    # The function that registers a revision takes the same lock, and configures the revision.
    lock_until_transaction_ends(connection, "register_encoder")
    key = {"name": spec.name, "revision": revision}
    if row := connection.execute(_DIMENSION, key).one_or_none():
        return int(row.encoder_id)
    configured = list(connection.execute(_CONFIGURED, {"name": spec.name}).scalars())
    encoder_id = plugin_revisions.register_encoder(connection, spec, revision)
    for each, wanted in ((encoder_id, False), *((other, True) for other in configured)):
        connection.execute(_SET_CONFIGURED, {"encoder_id": each, "wanted": wanted})
    return encoder_id


def matched_tracks(
    connection: Connection, hashes: Sequence[bytes]
) -> dict[bytes, list[MatchedTrack]]:
    """Return the usable tracks with these content hashes, by hash."""
    found: dict[bytes, list[MatchedTrack]] = defaultdict(list)
    for row in connection.execute(_TRACKS, {"hashes": list(hashes)}):
        found[bytes(row.content_sha256)].append(MatchedTrack(row.track_id, row.title))
    return dict(found)


def write(connection: Connection, encoder_id: int, vectors: Mapping[int, Float32]) -> None:
    """Store vectors by track id as imported: shape (dimension,), float32, of length 1."""
    if vectors:
        batch = {"encoder_id": encoder_id, "tracks": len(vectors)}
        batch_id = connection.execute(_BATCH, batch).scalar_one()
        embeddings.write_in_batch(connection, encoder_id, batch_id, vectors)


def make_active(connection: Connection, encoder_id: int, *, replace: bool) -> RevisionState:
    """Make the revision active if no other revision is active or configured. Return its state.

    A revision without vectors does not become active. If `replace` is true, the revision also
    replaces another active revision, but never a configured one.
    """
    parameters = {"encoder_id": encoder_id}
    active_revisions.lock_encoder(connection, encoder_id)
    other_configured = bool(connection.execute(_OTHER_CONFIGURED, parameters).scalar_one())
    active = connection.execute(_ACTIVE, parameters).scalar_one_or_none()
    has_vectors = bool(connection.execute(_HAS_VECTORS, parameters).scalar_one())
    if has_vectors and not other_configured and (replace or active is None):
        active_revisions.make_active(connection, encoder_id)
        active = encoder_id
    return RevisionState(active == encoder_id, active not in (None, encoder_id), other_configured)
