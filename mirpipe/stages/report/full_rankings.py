"""One encoder's rankings of the whole library: for every target, and for some references."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import neighbour_lists, run_rankings
from mirpipe.db.store.reference_vectors import ReferenceVectors, vectors
from mirpipe.records import LABELS, Float32, Float64, Int64
from mirpipe.statistics.full_ranking import NOBODY, full_ranking
from mirpipe.statistics.label_relevance_metrics import (
    UNLABELLED,
    Relevance,
    codes_of,
    joined,
    relevance,
)

REFERENCE_QUERIES = 1_000
"""References, the first by content hash, that are queries against all others."""
_AT_ONCE = 2_048
"""Queries whose vectors are in memory at once."""


@dataclass(frozen=True)
class Library:
    """An encoder's live references, by content hash, and what they are labelled."""

    encoder_id: int
    references: ReferenceVectors
    codes: dict[str, Int64]
    """A code a reference for each label that any has."""


@dataclass(frozen=True)
class Lists:
    """The nearest references of each query, shape (n, K), and how relevant its full ranking is."""

    name: str
    """Of the set of queries: targets or references."""
    track_ids: Int64
    own: Int64
    """Place of the query's own reference, shape (n,); NOBODY for none."""
    places: Int64
    """Best first; -1 behind the last."""
    cosines: Float64
    relevance: dict[str, Relevance]
    """By label."""


def full_lists(connection: Connection, encoder_id: int) -> tuple[Library, list[Lists]] | None:
    """Both sets of queries, those that are empty left out; None where there is no reference."""
    references = neighbour_lists.references(connection, encoder_id)
    if not len(references.track_ids):
        return None
    target_ids = neighbour_lists.targets(connection, encoder_id)
    query_ids = references.track_ids[:REFERENCE_QUERIES]
    known = run_rankings.labelled(connection, np.concatenate((references.track_ids, target_ids)))
    count = len(references.track_ids)
    coded = {label: codes_of(known.labels[label]) for label in LABELS}
    codes = {label: code for label, code in coded.items() if (code[:count] != UNLABELLED).any()}
    library = Library(
        encoder_id,
        ReferenceVectors(connection, encoder_id, references.track_ids),
        {label: code[:count] for label, code in codes.items()},
    )
    sets = [
        ("targets", target_ids, references.order_of(known.hashes[count:]), slice(count, None)),
        ("references", query_ids, np.arange(len(query_ids)), slice(len(query_ids))),
    ]
    return library, [
        _lists(connection, library, name, ids, own, {one: codes[one][rows] for one in codes})
        for name, ids, own, rows in sets
        if len(ids) and not (name == "references" and count < 2)
    ]


def _lists(
    connection: Connection,
    library: Library,
    name: str,
    track_ids: Int64,
    own: Int64,
    codes: dict[str, Int64],
) -> Lists:
    count = len(library.references.track_ids)
    places, cosines = [], []
    found: dict[str, list[Relevance]] = {label: [] for label in codes}
    for start, block in _blocks(connection, library.encoder_id, track_ids):
        mine = own[start : start + len(block)]
        ranked = full_ranking(
            block, library.references.blocks, count, own=mine, kept=neighbour_lists.KEPT
        )
        for part in ranked:
            head = part.places[:, : neighbour_lists.KEPT].copy()
            if head.shape[1] == count:
                head[part.own, -1] = NOBODY
            places.append(head)
            cosines.append(part.cosines)
            for label in codes:
                found[label].append(
                    relevance(
                        part.places,
                        part.own,
                        library.codes[label],
                        codes[label][start + part.rows],
                        kept=neighbour_lists.KEPT,
                    )
                )
    return Lists(
        name,
        track_ids,
        own,
        np.concatenate(places),
        np.concatenate(cosines),
        {label: joined(parts) for label, parts in found.items()},
    )


def _blocks(
    connection: Connection, encoder_id: int, track_ids: Int64
) -> Iterator[tuple[int, Float32]]:
    for start in range(0, len(track_ids), _AT_ONCE):
        yield start, vectors(connection, encoder_id, track_ids[start : start + _AT_ONCE])
