"""Stores the last comparison of the active and the configured revision of each plug-in."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from mirpipe.db.store.stored_revisions import StoredRevision

_WRITE = text("""
    INSERT INTO mirpipe.revision_comparison
        (kind, name, old_revision, new_revision, verdict, margins, sentences)
    VALUES (:kind, :name, :old, :new, :verdict, :margins, :sentences)
    ON CONFLICT (kind, name) DO UPDATE
    SET (old_revision, new_revision, verdict, margins, sentences, compared_at)
        = (excluded.old_revision, excluded.new_revision, excluded.verdict, excluded.margins,
            excluded.sentences, now())
""")


def is_challenge(old: StoredRevision, new: StoredRevision) -> bool:
    """Return whether the new revision is configured and waits, while the old one is active."""
    same_plugin = (old.kind, old.name) == (new.kind, new.name)
    return same_plugin and old.active and new.configured and not new.active


def write(
    connection: Connection,
    old: StoredRevision,
    new: StoredRevision,
    *,
    verdict: str,
    margins: Sequence[str],
    sentences: Sequence[str],
) -> None:
    """Store the verdict on a challenger, and what would change. It replaces an earlier verdict.

    `margins` are those with which the verdict was computed, as METRIC=MARGIN.
    """
    key = {"kind": old.kind, "name": old.name, "old": old.revision, "new": new.revision}
    values = {"verdict": verdict, "margins": list(margins), "sentences": list(sentences)}
    connection.execute(_WRITE, key | values)
