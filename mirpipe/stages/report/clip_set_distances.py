"""Computes KAD and FAD∞, two distances between each mode's clips and the reference library."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection

from mirpipe.db.store import clip_sets
from mirpipe.db.store.active_revisions import active_encoders
from mirpipe.db.store.clip_sets import ClipSet, SetDistance
from mirpipe.db.store.cosine_moments import read_moments
from mirpipe.db.store.searchable_tracks import searchable_references
from mirpipe.db.store.stored_vectors import read_vectors_in_order
from mirpipe.statistics.frechet_audio_distance import (
    MIN_CLIPS,
    ReferenceNormal,
    SimulatedBias,
    frechet_infinity,
    simulate_bias,
)
from mirpipe.statistics.kernel_audio_distance import ReferenceKernel, kernel_distance

KAD_REFERENCES = 4_000
"""Largest number of references for KAD. The pairs of this many references need 128 MB.

In a larger library, the references with the lowest content hashes are used.
"""
MIN_REFERENCES_PER_DIMENSION = 10
"""Smallest number of references per dimension for which FAD∞ can be a finding."""
MIN_FINDING_CLIPS = 50
"""Smallest number of clips whose distance is shown as a finding."""


@dataclass(frozen=True)
class _ReferenceSet:
    """The reference library in one encoder's space, in the forms that KAD and FAD∞ need."""

    encoder_id: int
    kernel: ReferenceKernel | None
    """Input to KAD. None if the references have no spread."""
    kernel_n: int
    """Number of references in `kernel`."""
    normal: ReferenceNormal | None
    """Input to FAD∞. None if there are fewer than two references."""
    normal_n: int
    """Number of references in `normal`."""


def insert_set_distances(connection: Connection, run_id: int) -> None:
    """Store KAD and FAD∞ of every clip set in the space of every active encoder."""
    sets = clip_sets.read_clip_sets(connection)
    if not sets:
        return
    for encoder in active_encoders(connection):
        reference = _read_references(connection, encoder.encoder_id)
        bias_of = _bias_by_size(reference)
        rows = [row for clips in sets for row in _distances(connection, reference, clips, bias_of)]
        clip_sets.insert_distances(connection, run_id, rows)


def _read_references(connection: Connection, encoder_id: int) -> _ReferenceSet:
    ids = searchable_references(connection, encoder_id).track_ids[:KAD_REFERENCES]
    moments = read_moments(connection, encoder_id)
    return _ReferenceSet(
        encoder_id,
        ReferenceKernel.of(read_vectors_in_order(connection, encoder_id, ids)),
        len(ids),
        ReferenceNormal.of(moments),
        moments.n,
    )


def _bias_by_size(reference: _ReferenceSet) -> Callable[[int], SimulatedBias | None]:
    """Return a function that simulates the bias of FAD∞ once for each number of clips.

    It is None for sets that are too small for a finding.
    """

    @cache
    def bias(n: int) -> SimulatedBias | None:
        if reference.normal is None or n < MIN_FINDING_CLIPS:
            return None
        return simulate_bias(n, reference.normal, reference.normal_n)

    return bias


def _distances(
    connection: Connection,
    reference: _ReferenceSet,
    clips: ClipSet,
    bias_of: Callable[[int], SimulatedBias | None],
) -> Iterator[SetDistance]:
    """Yield KAD and FAD∞ of the clips that have a vector by the encoder."""
    clips = clip_sets.clips_with_vector(connection, reference.encoder_id, clips)
    n = len(clips.track_ids)
    vectors = read_vectors_in_order(connection, reference.encoder_id, clips.track_ids)
    value: float | None = None
    reason = _undefined_reason(n, 2, reference.kernel_n, reference.kernel is not None)
    if reason is None and reference.kernel is not None:
        value = kernel_distance(vectors, reference.kernel)
    bandwidth = None if reference.kernel is None else reference.kernel.bandwidth
    yield _row("kad", value, reason, reference, clips, reference.kernel_n, bandwidth, None)
    value = None
    reason = _undefined_reason(n, MIN_CLIPS, reference.normal_n, reference.normal is not None)
    if reason is None and reference.normal is not None:
        value = frechet_infinity(vectors, reference.normal)
    bias = None if value is None else bias_of(n)
    yield _row("fad_inf", value, reason, reference, clips, reference.normal_n, None, bias)


def _undefined_reason(
    clips_n: int, min_clips: int, references_n: int, has_spread: bool
) -> str | None:
    """Return the code of the reason why a distance is undefined, or None if it is defined."""
    if clips_n < min_clips:
        return "too_few_clips"
    if references_n < 2:
        return "too_few_references"
    return None if has_spread else "no_spread"


def _row(
    metric: str,
    value: float | None,
    reason: str | None,
    reference: _ReferenceSet,
    clips: ClipSet,
    references_n: int,
    bandwidth: float | None,
    bias: SimulatedBias | None,
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
        None if bias is None else bias.mean,
        None if bias is None else bias.highest,
        value is not None
        and n >= MIN_FINDING_CLIPS
        and (bias is None or _is_above_bias(value, bias, reference)),
    )


def _is_above_bias(value: float, bias: SimulatedBias, reference: _ReferenceSet) -> bool:
    """Return whether FAD∞ is larger than chance explains.

    With fewer references per dimension, their distribution is not known well enough.
    """
    assert reference.normal is not None
    dimension = len(reference.normal.mean)
    return value > bias.highest and reference.normal_n >= MIN_REFERENCES_PER_DIMENSION * dimension
