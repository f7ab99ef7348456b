"""The references that are most similar to any track, by each encoder that has embedded it."""

from dataclasses import dataclass

from mirpipe.db.queries.vector_search import (
    NearReference,
    nearest_references,
    searchable_revisions,
    stored_vector,
)


@dataclass(frozen=True)
class SimilarReferences:
    """The nearest references of one track in the space of one encoder."""

    encoder: str
    random: bool
    """Whether the weights are random. The result is then not meaningful for music."""
    imported: bool
    """Whether vectors of the revision were imported from a file, so that their origin is unknown.
    """
    references: list[NearReference] | None
    """Nearest references, most similar first. None if the encoder has not embedded the track."""


def similar_references(
    track_id: int, content_sha256: str, *, k: int, encoder: str | None = None
) -> list[SimilarReferences]:
    """Return the k nearest references of a track by each encoder, sorted by encoder.

    With `encoder`, only this encoder is used; the list is empty if it is unknown.
    `content_sha256` is the track's content hash in hexadecimal. References with the same hash are
    left out. The active revision of an encoder is searched, or the configured one if none is
    active.
    """
    results: dict[str, SimilarReferences] = {}
    for revision in searchable_revisions():
        if revision.encoder in results or encoder not in (None, revision.encoder):
            continue
        vector, nearest = stored_vector(revision, track_id), None
        if vector is not None:
            excluded = bytes.fromhex(content_sha256)
            nearest = nearest_references(revision, vector, k=k, excluded_sha256=excluded)
        results[revision.encoder] = SimilarReferences(
            revision.encoder, revision.random, revision.imported, nearest
        )
    return list(results.values())
