"""Sets of a run: how far the clips of each mode lie from the reference library, by encoder."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.store import clip_sets, cosine_moments, neighbour_lists, run_rankings
from mirpipe.db.store.clip_sets import ClipSet, SetDistance
from mirpipe.db.store.reference_vectors import vectors
from mirpipe.statistics.frechet_audio_distance import FEWEST, ReferenceNormal, frechet_infinity
from mirpipe.statistics.kernel_audio_distance import ReferenceKernel, kernel_distance

KERNEL_REFERENCES = 4_000
"""References, the first by content hash, that a kernel distance is taken from: 128 MB of pairs."""
FINDING = 50
"""Clips below which a distance is not shown as a finding."""


@dataclass(frozen=True)
class _Reference:
    """One encoder's reference library, as both distances want it; None where it has no spread."""

    encoder_id: int
    kernel: ReferenceKernel | None
    kernel_n: int
    normal: ReferenceNormal | None
    normal_n: int


def insert_sets(connection: Connection, run_id: int) -> None:
    """Stores both distances of every set of clips in the space of every encoder that answers."""
    sets = clip_sets.clip_sets(connection)
    if not sets:
        return
    for encoder in run_rankings.serving(connection):
        reference = _reference(connection, encoder.encoder_id)
        clip_sets.write(
            connection,
            run_id,
            [row for clips in sets for row in _distances(connection, reference, clips)],
        )


def _reference(connection: Connection, encoder_id: int) -> _Reference:
    ids = neighbour_lists.references(connection, encoder_id).track_ids[:KERNEL_REFERENCES]
    sums = cosine_moments.moments(connection, encoder_id)
    return _Reference(
        encoder_id,
        ReferenceKernel.of(vectors(connection, encoder_id, ids)),
        len(ids),
        ReferenceNormal.of(sums),
        sums.n,
    )


def _distances(
    connection: Connection, reference: _Reference, clips: ClipSet
) -> Iterator[SetDistance]:
    clips = clip_sets.embedded(connection, reference.encoder_id, clips)
    n = len(clips.track_ids)
    rows = vectors(connection, reference.encoder_id, clips.track_ids)
    value: float | None = None
    reason = _reason(n, 2, reference.kernel_n, reference.kernel is not None)
    if reason is None and reference.kernel is not None:
        value = kernel_distance(rows, reference.kernel)
    bandwidth = None if reference.kernel is None else reference.kernel.bandwidth
    yield _row("kad", value, reason, reference, clips, reference.kernel_n, bandwidth)
    value = None
    reason = _reason(n, FEWEST, reference.normal_n, reference.normal is not None)
    if reason is None and reference.normal is not None:
        value = frechet_infinity(rows, reference.normal)
    yield _row("fad_inf", value, reason, reference, clips, reference.normal_n, None)


def _reason(n: int, fewest: int, references_n: int, has_spread: bool) -> str | None:
    if n < fewest:
        return "too_few_clips"
    if references_n < 2:
        return "too_few_references"
    return None if has_spread else "no_spread"


def _row(
    metric: str,
    value: float | None,
    reason: str | None,
    reference: _Reference,
    clips: ClipSet,
    references_n: int,
    bandwidth: float | None,
) -> SetDistance:
    n = len(clips.track_ids)
    return SetDistance(
        clips.generator_id,
        clips.mode,
        clips.guidance,
        reference.encoder_id,
        metric,
        value,
        reason,
        n,
        references_n,
        float(clips.seconds.sum()),
        bandwidth,
        value is not None and n >= FINDING,
    )
