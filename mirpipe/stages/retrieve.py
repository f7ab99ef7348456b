"""Retrieve: keeps the neighbour list of each target exact, and computes only what has changed.

A new or changed reference is added to an existing list if it is at or above the list's horizon. A
search of the whole library is needed only for new and changed targets, and for lists that have
become shorter than the number of shown matches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.store import (
    cosine_moments,
    embedding_queue,
    neighbour_list_changes,
    neighbour_lists,
)
from mirpipe.db.store.active_revisions import MaintainedEncoder, maintained_encoders
from mirpipe.db.store.exact_search import search_entries
from mirpipe.db.store.searchable_tracks import searchable_references
from mirpipe.errors import PluginError


@dataclass(frozen=True)
class RetrieveResult:
    """The work that was needed to update the neighbour lists of one encoder revision."""

    encoder: str
    revision: str
    changed: int
    """Number of tracks with a new, changed or deleted vector."""
    removed: int
    """Number of list entries that were removed because a reference changed or was deleted."""
    admitted: int
    """Number of entries that were added to existing lists for new and changed references."""
    searched: int
    """Number of lists that needed a search of the whole library."""


def retrieve(
    encoders: Sequence[str] | None = None,
    *,
    rebuild: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[RetrieveResult]:
    """Update the lists of all configured and active encoder revisions.

    If `encoders` is given, only the lists of these encoders are updated. There is one transaction
    per revision. If `rebuild` is true, the lists are deleted and computed again. If a second
    process runs at the same time, it waits for the first one and then finds no changes. Raises
    PluginError if one of `encoders` is not registered in the database.
    """
    with engine("app").connect() as connection:
        revisions = maintained_encoders(connection, encoders)
    for name in encoders or ():
        if name not in {revision.name for revision in revisions}:
            raise PluginError(
                f"Cannot update the matches of the encoder {name!r}: it has no vectors yet. Run "
                f"`mirpipe embed --encoder {name}`."
            )
    results = []
    for revision in revisions:
        with engine("app").begin() as connection:
            neighbour_list_changes.lock_lists(connection, revision.encoder_id)
            if rebuild:
                cosine_moments.delete_moments(connection, revision.encoder_id)
                neighbour_list_changes.delete_all_lists(connection, revision.encoder_id)
                embedding_queue.queue_all_vectors(connection, revision.encoder_id)
            results.append(_process_queue(connection, revision))
        if progress:
            progress(len(results), len(revisions))
    return results


def _process_queue(connection: Connection, encoder: MaintainedEncoder) -> RetrieveResult:
    """Update one revision's neighbour lists and cosine moments with all changes in its queue."""
    encoder_id = encoder.encoder_id
    changes = embedding_queue.lock_changes(connection, encoder_id)
    if not changes:
        return RetrieveResult(encoder.name, encoder.revision, 0, 0, 0, 0)
    references = [change for change in changes if change.collection == "reference"]
    targets = [change for change in changes if change.collection == "target"]

    removed = neighbour_list_changes.remove_references(
        connection, encoder_id, [change.track_id for change in references]
    )
    neighbour_list_changes.delete_lists(
        connection, encoder_id, [change.track_id for change in targets]
    )
    cosine_moments.update_moments(connection, encoder_id, changes)

    new_references = [change.track_id for change in references if change.is_searchable]
    admitted = 0
    if new_references:
        admitted = _search_and_add(connection, encoder_id, new_references, None)

    searched = neighbour_lists.targets_with_too_short_lists(connection, encoder_id)
    neighbour_list_changes.delete_lists(connection, encoder_id, searched)
    searched += [change.track_id for change in targets if change.is_searchable]
    neighbour_list_changes.create_empty_lists(connection, encoder_id, searched)
    if searched:
        _search_and_add(connection, encoder_id, None, searched)

    embedding_queue.delete_changes(connection, encoder_id, [change.track_id for change in changes])
    return RetrieveResult(
        encoder.name, encoder.revision, len(changes), removed, admitted, len(searched)
    )


def _search_and_add(
    connection: Connection,
    encoder_id: int,
    reference_ids: Sequence[int] | None,
    target_ids: Sequence[int] | None,
) -> int:
    """Add each reference to the neighbour lists whose horizon it reaches or exceeds.

    If `reference_ids` is None, all references are considered. If `target_ids` is None, the lists of
    all targets are considered. Returns the number of new entries.
    """
    lists = neighbour_lists.read_lists(connection, encoder_id, target_ids)
    references = searchable_references(connection, encoder_id, reference_ids)
    added = 0
    for entries in search_entries(
        connection, encoder_id, lists, references, neighbour_lists.MAX_ENTRIES
    ):
        neighbour_list_changes.add_references(
            connection, encoder_id, entries.target_ids, entries.reference_ids, entries.cosines
        )
        added += len(entries.target_ids)
    return added
