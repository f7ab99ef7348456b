"""The matches of targets in the latest run."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.settings import settings


@dataclass(frozen=True)
class Match:
    """One match of a target by one encoder, with the scores of the pair."""

    encoder: str
    rank: int
    """Rank in the match list. Rank 1 is the best match."""
    target_id: int
    target: str
    """Title of the target."""
    reference_id: int
    reference: str
    """Title of the reference."""
    reference_labels: dict[str, str]
    """Labels of the reference, such as genre and instrument."""
    relation: str | None
    """same_recording or same_file if the reference is that of its target, otherwise None."""
    counted_rank: int | None
    """Rank among the matches that count in all averages. None if the match is left out."""
    cosine: float
    """Cosine in the encoder's own space. Cosines from different encoders are not comparable."""
    z: float | None
    """Number of standard deviations above the target's mean cosine to all references."""
    percentile: float | None
    """Percentage of reference pairs whose cosine is not higher."""
    aligned_melody: float | None
    """Share of the shorter track's notes that also occur in the other, in any key and tempo."""
    melody_accuracy: float | None
    """Share of frames with the same pitch class in both tracks, 0 to 1."""
    melody_reason: str | None
    """Code of the reason why the melody accuracy is missing."""
    melodic: bool | None
    """Whether both tracks are pitched. If not, the melody scores are meaningless."""
    target_voiced: bool | None
    """Whether the target is pitched. None if this has not been measured yet."""
    reference_voiced: bool | None
    """Whether the reference is pitched. None if this has not been measured yet."""
    melody_corrected: float | None
    """Chance-corrected melody accuracy: 0 is chance level, 1 means identical melodies."""
    melody_null95: float | None
    """Melody accuracy that is not exceeded in 95% of this pair's time shifts."""
    melody_oti: float | None
    """Melody accuracy after the best of 12 transpositions, 0 to 1."""
    melody_oti_null95: float | None
    """Value of `melody_oti` that is not exceeded in 95% of this pair's time shifts."""
    melody_shifted: float | None
    """Melody accuracy at the best offset in time, 0 to 1."""
    melody_offset: float | None
    """Seconds by which the reference is late at the best offset, −0.15 to 0.15."""
    clap_similarity: float | None
    """Cosine similarity between the CLAP vectors of both tracks, −1 to 1."""
    clap_similarity_random: bool | None
    """Whether CLAP has random weights. None if CLAP is not configured."""


@dataclass(frozen=True)
class _Target:
    target_id: int


_MATCHES = """
    SELECT r.encoder, r.rank, r.target_id, r.target, r.reference_id, r.reference,
        r.reference_labels, r.relation, r.counted_rank, r.cosine, r.z, r.percentile,
        r.aligned_melody, r.melody_accuracy, r.melody_reason, r.melodic, r.target_voiced,
        r.reference_voiced, r.melody_corrected, r.melody_null95, r.melody_oti, r.melody_oti_null95,
        r.melody_shifted, r.melody_offset, r.clap_similarity, r.clap_similarity_random
    FROM mirpipe.v_retrieval r
"""
_MATCHES_OF_TARGET = text(f"""{_MATCHES} WHERE target_id = :target_id AND rank <= :k
    ORDER BY array_position(CAST(:encoder_order AS text[]), encoder), encoder, rank""")
# As in best_match_scores, the condition on counted_rank selects rows before the joins.
_JOIN_BEST = """JOIN mirpipe.best_match b
    ON (b.encoder, b.target_id) = (r.encoder, r.target_id) AND r.rank <= b.same_recording_n + 1"""
# This query does not use v_retrieval, which would read the scores of all targets.
_LOWEST_Z = text("""
    SELECT s.target_id
    FROM mirpipe.served_neighbour s
    LEFT JOIN mirpipe.run_target b ON (b.encoder_id, b.target_id) = (s.encoder_id, s.target_id)
        AND b.run_id = (SELECT max(run_id) FROM mirpipe.run)
    WHERE s.to_run IS NULL AND s.counted_rank = 1
    GROUP BY s.target_id
    ORDER BY min((s.cosine - b.background_mean) / nullif(b.background_sd, 0)) NULLS FIRST,
        s.target_id
    LIMIT :most_targets
""")
_BEST_MATCHES = text(f"""
    {_MATCHES} {_JOIN_BEST}
    WHERE coalesce(r.counted_rank, 1) = 1 AND r.target_id = ANY(:target_ids)
    ORDER BY r.target, r.target_id, array_position(CAST(:encoder_order AS text[]), r.encoder),
        r.encoder, r.rank
""")


def matches(target_id: int, *, k: int = 10) -> list[Match]:
    """Return the first k matches of a target by each encoder, sorted by encoder and rank.

    A run has at most 10 matches per target and encoder. The list is empty if the latest run does
    not include the target.
    """
    rows = read_rows(
        Match, _MATCHES_OF_TARGET, target_id=target_id, k=k, encoder_order=settings().encoders
    )
    return with_distinct_titles(rows, reference="reference_id", target="target_id")


def best_matches(*, most_targets: int | None = None) -> list[Match]:
    """Return the best match of every target by each encoder, sorted by target.

    If there are more than `most_targets` targets, only those are returned whose best match has the
    lowest z by any encoder, so that it stands out least from the library.
    If matches are left out, because they are the same recording as their target, they come before
    the best match that counts.
    """
    shown = read_rows(_Target, _LOWEST_Z, most_targets=most_targets)
    rows = read_rows(
        Match,
        _BEST_MATCHES,
        encoder_order=settings().encoders,
        target_ids=[target.target_id for target in shown],
    )
    return with_distinct_titles(rows, reference="reference_id", target="target_id")
