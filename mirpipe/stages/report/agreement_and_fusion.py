"""Encoders beside each other: how far they agree on a target, and their answers fused."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import neighbour_lists, run_rankings
from mirpipe.records import Float64, Int64
from mirpipe.stages.report.label_relevance import Judged, label_rows
from mirpipe.statistics.label_relevance_metrics import UNLABELLED, Relevance, codes_of
from mirpipe.statistics.rank_biased_overlap import rbo
from mirpipe.statistics.reciprocal_rank_fusion import fused


@dataclass(frozen=True)
class Nearest:
    """An encoder's answers: references (n, K) of each target (n,), -1 behind the last."""

    target_ids: Int64
    answers: Int64
    references: Int64
    """All that it has."""


@dataclass(frozen=True)
class Fused:
    """The first answers (n, SERVED) of each target (n,) and their scores; -1 behind the last."""

    target_ids: Int64
    places: Int64
    scores: Float64


def insert_agreement(
    connection: Connection, run_id: int, nearest: Mapping[run_rankings.Serving, Nearest]
) -> None:
    """Stores how far each two encoders agree on the targets that both answer."""
    rows = [
        _agreement(one, nearest[one], other, nearest[other])
        for one, other in permutations(nearest, 2)
    ]
    run_rankings.write(connection, run_id, [row for row in rows if row is not None])


def insert_fusion(
    connection: Connection, run_id: int, nearest: Mapping[run_rankings.Serving, Nearest]
) -> None:
    """Stores each target's first answers by all encoders together, where there are two at least.

    Those with random weights take no part.
    """
    meant = [found for encoder, found in nearest.items() if not encoder.random]
    if len(meant) < 2:
        return
    references = np.unique(np.concatenate([one.references for one in meant]))
    known = run_rankings.labelled(connection, references)
    by_hash = np.argsort(known.hashes)
    library = neighbour_lists.References(references[by_hash], known.hashes[by_hash])
    found = _fused(meant, library.track_ids)
    row, column = np.nonzero(found.places >= 0)
    answers = run_rankings.Answers(
        found.target_ids[row],
        column + 1,
        library.track_ids[found.places[row, column]],
        found.scores[row, column],
    )
    run_rankings.write_answers(connection, run_id, "fusion", None, answers)
    targets = run_rankings.labelled(connection, found.target_ids)
    labels = {label: [values[at] for at in by_hash] for label, values in known.labels.items()}
    own = library.order_of(targets.hashes)
    relevance = _relevance(found.places, own, labels, targets.labels)
    rows = label_rows(None, [Judged("targets", "fusion", relevance)], full=False)
    run_rankings.write(connection, run_id, list(rows))


def _agreement(
    one: run_rankings.Serving, first: Nearest, other: run_rankings.Serving, second: Nearest
) -> run_rankings.AgreementOf | None:
    _, at, there = np.intersect1d(first.target_ids, second.target_ids, return_indices=True)
    answers, others = first.answers[at], second.answers[there]
    both = (answers[:, 0] >= 0) & (others[:, 0] >= 0)
    if not both.any():
        return None
    answers, others = answers[both], others[both]
    return run_rankings.AgreementOf(
        one.encoder_id,
        other.encoder_id,
        float(rbo(answers, others).mean()),
        float((answers[:, 0] == others[:, 0]).mean()),
        len(answers),
    )


def _fused(nearest: Collection[Nearest], by_hash: Int64) -> Fused:
    """Of all targets; ties fall by content hash, the order of the references `by_hash`."""
    target_ids = np.unique(np.concatenate([one.target_ids for one in nearest]))
    order = np.argsort(by_hash)
    places = np.full((len(target_ids), neighbour_lists.SERVED), -1)
    scores = np.full(places.shape, np.nan)
    rows = [dict(zip(one.target_ids.tolist(), one.answers, strict=True)) for one in nearest]
    for at, target in enumerate(target_ids.tolist()):
        lists = [of_each[target] for of_each in rows if target in of_each]
        found, worth = fused(
            [order[np.searchsorted(by_hash, row[row >= 0], sorter=order)] for row in lists]
        )
        first = min(len(found), neighbour_lists.SERVED)
        places[at, :first], scores[at, :first] = found[:first], worth[:first]
    return Fused(target_ids, places, scores)


def _relevance(
    places: Int64,
    own: Int64,
    labels: Mapping[str, Sequence[str | None]],
    target_labels: Mapping[str, Sequence[str | None]],
) -> dict[str, Relevance]:
    """Of the first answers; what a target shares with its own content does not count."""
    relevance = {}
    for label, values in labels.items():
        codes = codes_of([*values, *target_labels[label]])
        there, wanted = codes[: len(values)], codes[len(values) :]
        if (there == UNLABELLED).all():
            continue
        meets = (there[places] == wanted[:, None]) & (places >= 0)
        itself = (own >= 0) & (there[own] == wanted)
        total = (there == wanted[:, None]).sum(axis=1) - itself
        labelled = wanted != UNLABELLED
        nothing = np.zeros(len(wanted))
        relevance[label] = Relevance(
            meets & labelled[:, None], nothing, nothing + np.inf, np.where(labelled, total, 0)
        )
    return relevance
