"""Deletes rows that no view shows any more, and the audio of removed clips.

Every block of rows is deleted in its own transaction. If the program is killed, the next call
deletes the rest.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import pair_input_changes, unsettled_tracks, unused_clips, unused_vectors
from mirpipe.db.store.retention_rules import RULES, Days, RetentionRule, count_rows, delete_block
from mirpipe.db.table_sizes import TableSize, table_sizes
from mirpipe.settings import Settings
from mirpipe.storage.stored_files import delete_file, old_among

MIN_AUDIO_AGE_SECONDS = 86_400.0
"""Audio that was written later is kept, because the row of a new clip with this audio may follow.

The file is then deleted by a later call.
"""


@dataclass(frozen=True)
class TableChange:
    """A table, and the rows that were deleted from it, or would be deleted."""

    table: str
    before: TableSize
    after: TableSize
    """The same as `before` if nothing was deleted."""
    unneeded: int
    """Number of rows that are not needed any more."""


@dataclass(frozen=True)
class PruneResult:
    """The tables, largest first, and the deleted audio files."""

    tables: list[TableChange]
    audio_files: int
    """Number of audio files of removed clips that were deleted, or would be deleted."""


def retention(settings: Settings) -> Days:
    """Return the configured retention times."""
    return {
        "unused": settings.keep_unused_days,
        "history": settings.keep_history_days,
        "clips": settings.keep_clips_days,
    }


def count_unneeded(settings: Settings) -> PruneResult:
    """Return what `prune` would delete now."""
    days = retention(settings)
    with engine("app").connect() as connection:
        sizes = table_sizes(connection)
        counts = Counter(
            generation=unused_clips.count_clips(connection, days["clips"]),
            embedding=unused_vectors.count_vectors(connection, settings.keep_unused_days),
            **unused_vectors.count_rows_of_lists(connection, settings.keep_unused_days),
        )
        counts.update({rule.table: count_rows(connection, rule, days) for rule in RULES})
        audio = old_among(unused_clips.removed_audio(connection), MIN_AUDIO_AGE_SECONDS)
    tables = [TableChange(name, size, size, counts[name]) for name, size in sizes.items()]
    return PruneResult(tables, len(audio))


def prune(settings: Settings) -> PruneResult:
    """Delete all rows and files whose retention time is over.

    The list of tracks that may have pending work is completed and shortened.

    If a second process runs at the same time, it waits for the first one.
    """
    days = retention(settings)
    with hold_lock("prune"):
        with engine("app").connect() as connection:
            before = table_sizes(connection)
            lists = unused_vectors.count_rows_of_lists(connection, settings.keep_unused_days)
        counts = Counter(lists)
        counts["generation"] = _repeat(lambda c: unused_clips.remove_clips(c, days["clips"]))
        audio_files = _delete_removed_audio()
        counts["embedding"] = sum(_delete_vectors(settings.keep_unused_days))
        counts.update({rule.table: _repeat(_block_of(rule, days)) for rule in RULES})
        with engine("app").begin() as connection:
            pair_input_changes.add_missing_mark(connection)
            unsettled_tracks.add_missing(connection)
            pair_input_changes.delete_marks(connection)
        with engine("app").begin() as connection:
            unsettled_tracks.delete_complete(connection)
        with engine("app").connect() as connection:
            after = table_sizes(connection)
    tables = [TableChange(name, before[name], after[name], counts[name]) for name in before]
    return PruneResult(tables, audio_files)


def _delete_vectors(days: int) -> Iterator[int]:
    """Delete unused vectors, and yield the number of vectors of each group."""
    with engine("app").connect() as connection:
        encoder_ids = unused_vectors.replaced_encoders(connection, days)
    for encoder_id in encoder_ids:
        with engine("app").begin() as connection:
            unused_vectors.delete_lists(connection, encoder_id, days)
        yield _repeat(_vectors_of(encoder_id, days))
    yield _repeat(lambda c: unused_vectors.delete_vectors_of_removed_tracks(c, days))


def _vectors_of(encoder_id: int, days: int) -> Callable[[Connection], int]:
    return lambda c: unused_vectors.delete_vectors_of_encoder(c, encoder_id, days)


def _block_of(rule: RetentionRule, days: Days) -> Callable[[Connection], int]:
    return lambda c: delete_block(c, rule, days)


def _repeat(delete: Callable[[Connection], int]) -> int:
    """Delete block by block, each in its own transaction. Return the number of deleted rows."""
    total = 0
    while True:
        with engine("app").begin() as connection:
            deleted = delete(connection)
        if deleted == 0:
            return total
        total += deleted


def _delete_removed_audio() -> int:
    """Delete the audio of removed clips, and return the number of files.

    Files without a row are not deleted, because another database may use the same folder.
    """
    with engine("app").connect() as connection:
        paths = unused_clips.removed_audio(connection)
    old = old_among(paths, MIN_AUDIO_AGE_SECONDS)
    for path in old:
        delete_file(path)
    return len(old)
