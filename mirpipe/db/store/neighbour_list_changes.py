"""Changes neighbour lists: adds and removes references, and creates and deletes lists."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.named_locks import lock_until_transaction_ends
from mirpipe.db.store import binary_copy
from mirpipe.db.store.neighbour_horizon import trim_lists_and_raise_horizons
from mirpipe.records import Float64, Int64

_CREATE_LISTS = text(
    "INSERT INTO mirpipe.neighbour_state (encoder_id, target_id) "
    "SELECT :encoder_id, unnest(CAST(:ids AS bigint[]))"
)
_REMOVE_REFERENCES = text(
    "DELETE FROM mirpipe.neighbour WHERE encoder_id = :encoder_id AND reference_id = ANY(:ids)"
)
_DELETE_LISTS = (
    text("DELETE FROM mirpipe.neighbour WHERE encoder_id = :encoder_id AND target_id = ANY(:ids)"),
    text(
        "DELETE FROM mirpipe.neighbour_state "
        "WHERE encoder_id = :encoder_id AND target_id = ANY(:ids)"
    ),
)
_DELETE_ALL_LISTS = (
    text("DELETE FROM mirpipe.neighbour WHERE encoder_id = :encoder_id"),
    text("DELETE FROM mirpipe.neighbour_state WHERE encoder_id = :encoder_id"),
)


def lock_lists(connection: Connection, encoder_id: int) -> None:
    """Lock the encoder's lists until the transaction ends.

    Waits if another process has locked them.
    """
    lock_until_transaction_ends(connection, f"retrieve.{encoder_id}")


def create_empty_lists(connection: Connection, encoder_id: int, target_ids: Sequence[int]) -> None:
    """Create an empty list without a horizon for each target. The targets must not have a list."""
    connection.execute(_CREATE_LISTS, {"encoder_id": encoder_id, "ids": list(target_ids)})


def add_references(
    connection: Connection,
    encoder_id: int,
    target_ids: Int64,
    reference_ids: Int64,
    cosines: Float64,
) -> None:
    """Add references to lists: one entry per item of the arrays, which have the shape (n,).

    Lists that become too long are trimmed, and the horizons of full lists are raised.
    """
    binary_copy.copy_rows(
        connection,
        "mirpipe.neighbour",
        ["encoder_id", "target_id", "reference_id", "cosine"],
        [np.full(len(target_ids), encoder_id), target_ids, reference_ids, cosines],
    )
    trim_lists_and_raise_horizons(connection, encoder_id, np.unique(target_ids).tolist())


def remove_references(connection: Connection, encoder_id: int, track_ids: Sequence[int]) -> int:
    """Remove these references from all lists, and return the number of removed entries.

    Horizons do not change: a shorter list is still complete down to its horizon.
    """
    return connection.execute(
        _REMOVE_REFERENCES, {"encoder_id": encoder_id, "ids": list(track_ids)}
    ).rowcount


def delete_lists(connection: Connection, encoder_id: int, target_ids: Sequence[int]) -> None:
    """Delete the lists of these targets."""
    for statement in _DELETE_LISTS:
        connection.execute(statement, {"encoder_id": encoder_id, "ids": list(target_ids)})


def delete_all_lists(connection: Connection, encoder_id: int) -> None:
    """Delete all lists of the encoder."""
    for statement in _DELETE_ALL_LISTS:
        connection.execute(statement, {"encoder_id": encoder_id})
