"""Retrieve: keeps the neighbour list of each target exact, and computes only what has changed.

A new or changed reference is added to an existing list if it is at or above the list's horizon. A
search of the whole library is needed only for new and changed targets, and for lists that have
become shorter than the number of shown matches.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.store import (
    cosine_moments,
    embedding_queue,
    neighbour_list_changes,
    neighbour_lists,
)
from mirpipe.db.store.active_revisions import maintained_encoders
from mirpipe.db.store.exact_search import search_entries
from mirpipe.db.store.searchable_tracks import searchable_references
from mirpipe.errors import PluginError
from mirpipe.records import Progress

TARGETS_PER_BLOCK = 1024
"""Maximum number of lists in a transaction that need a search of the whole library."""
REFERENCES_PER_BLOCK = 8192
"""Maximum number of changed references in a transaction."""


@dataclass(frozen=True)
class RetrieveResult:
    """The work that was needed to update the neighbour lists of one encoder revision."""

    encoder: str
    revision: str
    changed: int = 0
    """Number of tracks with a new, changed or deleted vector."""
    removed: int = 0
    """Number of list entries that were removed because a reference changed or was deleted."""
    admitted: int = 0
    """Number of entries that were added to existing lists for new and changed references."""
    searched: int = 0
    """Number of lists that needed a search of the whole library."""


def retrieve(
    encoders: Sequence[str] | None = None,
    *,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> list[RetrieveResult]:
    """Update the lists of all configured and active encoder revisions.

    If `encoders` is given, only the lists of these encoders are updated. Changes are processed in
    blocks, each in one transaction, after which every list is exact for all changes so far. If
    `rebuild` is true, the lists of a revision are deleted and computed again in one transaction, so
    that no report sees them empty. A second process that runs at the same time processes other
    blocks. `progress` receives the number of processed changes. Raises
    PluginError if one of `encoders` is not registered in the database.
    """
    with engine("app").begin() as connection:
        revisions = maintained_encoders(connection, encoders)
        for name in encoders or ():
            if name not in {revision.name for revision in revisions}:
                raise PluginError(
                    f"Cannot update the matches of the encoder {name!r}: it has no vectors yet. "
                    f"Run `mirpipe embed --encoder {name}`."
                )
        total = embedding_queue.count_changes(
            connection, [revision.encoder_id for revision in revisions]
        )
    results = []
    done = 0
    for revision in revisions:
        result = RetrieveResult(revision.name, revision.revision)
        blocks = _rebuild(revision.encoder_id) if rebuild else _blocks(revision.encoder_id)
        for block in blocks:
            result = replace(
                result,
                changed=result.changed + block.changed,
                removed=result.removed + block.removed,
                admitted=result.admitted + block.admitted,
                searched=result.searched + block.searched,
            )
            done += block.changed
            if progress:
                progress(done, max(done, total))
        results.append(result)
    return results


@dataclass(frozen=True)
class _Block:
    """The work that was done in one transaction, in the same numbers as RetrieveResult."""

    changed: int
    removed: int
    admitted: int
    searched: int


_NOTHING = _Block(0, 0, 0, 0)
_Process = Callable[[Connection, int, int], _Block]


def _steps() -> list[tuple[_Process, int]]:
    """Return what processes a block of the queue, and how many changes a block has."""
    return [(_process_references, REFERENCES_PER_BLOCK), (_process_targets, TARGETS_PER_BLOCK)]


def _rebuild(encoder_id: int) -> Iterator[_Block]:
    """Delete all lists of a revision and compute them again, in one transaction."""
    with engine("app").begin() as connection:
        neighbour_list_changes.lock_lists(connection, encoder_id)
        cosine_moments.delete_moments(connection, encoder_id)
        neighbour_list_changes.delete_all_lists(connection, encoder_id)
        embedding_queue.queue_all_vectors(connection, encoder_id)
        for process, most in _steps():
            while (block := process(connection, encoder_id, most)) != _NOTHING:
                yield block


def _blocks(encoder_id: int) -> Iterator[_Block]:
    """Process a revision's queue in blocks, first the references, until nothing is left."""
    for process, most in _steps():
        while True:
            with engine("app").begin() as connection:
                neighbour_list_changes.lock_lists(connection, encoder_id)
                block = process(connection, encoder_id, most)
            if block == _NOTHING:
                break
            yield block


def _process_references(connection: Connection, encoder_id: int, most: int) -> _Block:
    """Remove changed references from all lists, and add them where they belong now."""
    changes = embedding_queue.lock_changes(connection, encoder_id, targets=False, most=most)
    references = [change for change in changes if change.collection == "reference"]
    removed = neighbour_list_changes.remove_references(
        connection, encoder_id, [change.track_id for change in references]
    )
    cosine_moments.update_moments(connection, encoder_id, changes)
    searchable = [change.track_id for change in references if change.is_searchable]
    admitted = _search_and_add(connection, encoder_id, searchable, None) if searchable else 0
    _delete_from_queue(connection, encoder_id, changes)
    return _Block(len(changes), removed, admitted, 0)


def _process_targets(connection: Connection, encoder_id: int, most: int) -> _Block:
    """Search the whole library for changed targets, and for lists that have become too short."""
    changes = embedding_queue.lock_changes(connection, encoder_id, targets=True, most=most)
    changed = [change.track_id for change in changes]
    neighbour_list_changes.delete_lists(connection, encoder_id, changed)
    cosine_moments.update_moments(connection, encoder_id, changes)
    searched = neighbour_lists.targets_with_too_short_lists(
        connection, encoder_id, most=most - len(changes)
    )
    neighbour_list_changes.delete_lists(connection, encoder_id, searched)
    searched += [change.track_id for change in changes if change.is_searchable]
    neighbour_list_changes.create_empty_lists(connection, encoder_id, searched)
    if searched:
        _search_and_add(connection, encoder_id, None, searched)
    _delete_from_queue(connection, encoder_id, changes)
    return _Block(len(changes), 0, 0, len(searched))


def _delete_from_queue(
    connection: Connection, encoder_id: int, changes: Sequence[embedding_queue.Change]
) -> None:
    track_ids = [change.track_id for change in changes]
    embedding_queue.delete_changes(connection, encoder_id, track_ids)


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
