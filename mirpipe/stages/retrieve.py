"""Retrieve: keeps every target's list of nearest references exact, at the cost of what changed.

New and changed references meet the existing lists, which admit them at or above their horizon;
only new and changed targets, and lists that fell below what is served, meet the whole library.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.store import cosine_moments, embedding_queue, neighbour_lists
from mirpipe.db.store.exact_search import nearest
from mirpipe.errors import PluginError


@dataclass(frozen=True)
class RetrieveResult:
    """What it took to bring one encoder revision's lists up to date."""

    encoder: str
    revision: str
    changed: int
    """Tracks whose vector came, went or changed."""
    removed: int
    """Entries that left lists because their reference changed or went."""
    admitted: int
    """Entries that new and changed references won in lists that were there."""
    searched: int
    """Lists that were searched for in the whole library."""


def retrieve(
    encoders: Sequence[str] | None = None,
    *,
    rebuild: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[RetrieveResult]:
    """Brings the lists of every revision that is wanted or answers up to date, a transaction each.

    Of `encoders` alone where given; PluginError where one of them is not known to the database.
    A second retrieve at the same time waits and finds nothing to do. `rebuild` forgets the lists
    first and makes them anew.
    """
    with engine("app").connect() as connection:
        revisions = neighbour_lists.kept_up(connection, encoders)
    for name in encoders or ():
        if name not in {revision.name for revision in revisions}:
            raise PluginError(f"{name!r} has no vectors here: run `mirpipe embed --encoder {name}`")
    results = []
    for revision in revisions:
        with engine("app").begin() as connection:
            neighbour_lists.lock(connection, revision.encoder_id)
            if rebuild:
                cosine_moments.forget(connection, revision.encoder_id)
                neighbour_lists.forget(connection, revision.encoder_id)
                embedding_queue.queue_all(connection, revision.encoder_id)
            results.append(_refresh(connection, revision))
        if progress:
            progress(len(results), len(revisions))
    return results


def _refresh(connection: Connection, revision: neighbour_lists.Encoder) -> RetrieveResult:
    encoder_id = revision.encoder_id
    queued = embedding_queue.take(connection, encoder_id)
    if not queued:
        return RetrieveResult(revision.name, revision.revision, 0, 0, 0, 0)
    references = [c for c in queued if c.collection == "reference"]
    targets = [c for c in queued if c.collection == "target"]

    removed = neighbour_lists.drop_references(
        connection, encoder_id, [c.track_id for c in references]
    )
    neighbour_lists.drop_lists(connection, encoder_id, [c.track_id for c in targets])
    cosine_moments.follow(connection, encoder_id, queued)

    arrived = [c.track_id for c in references if c.live]
    admitted = _admit(connection, encoder_id, arrived, None) if arrived else 0

    anew = neighbour_lists.short_lists(connection, encoder_id)
    neighbour_lists.drop_lists(connection, encoder_id, anew)
    anew += [c.track_id for c in targets if c.live]
    neighbour_lists.start_lists(connection, encoder_id, anew)
    if anew:
        _admit(connection, encoder_id, None, anew)

    embedding_queue.done(connection, encoder_id, [c.track_id for c in queued])
    return RetrieveResult(
        revision.name, revision.revision, len(queued), removed, admitted, len(anew)
    )


def _admit(
    connection: Connection,
    encoder_id: int,
    reference_ids: Sequence[int] | None,
    target_ids: Sequence[int] | None,
) -> int:
    """Lets references (None: all) into lists (None: all); returns how many entries they won."""
    lists = neighbour_lists.lists(connection, encoder_id, target_ids)
    references = neighbour_lists.references(connection, encoder_id, reference_ids)
    admitted = 0
    for entries in nearest(connection, encoder_id, lists, references, neighbour_lists.KEPT):
        neighbour_lists.admit(
            connection, encoder_id, entries.target_ids, entries.reference_ids, entries.cosines
        )
        admitted += len(entries.target_ids)
    return admitted
