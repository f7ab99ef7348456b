"""The best match of every target by each encoder, with its scores and its aesthetics ratings.

Better matches that are left out, because they are the same recording as their target, are listed,
too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.settings import settings


@dataclass(frozen=True)
class BestMatchScores:
    """Scores of one target's best match by one encoder, or of a match that is left out above it.

    A missing score is None.
    """

    target_id: int
    target: str
    """Title of the target."""
    encoder: str
    reference_id: int
    reference: str
    """Title of the match."""
    relation: str | None
    """same_recording or same_file if the match is that of its target, otherwise None."""
    counts: bool
    """Whether this is the best match in all averages. False if it is left out."""
    cosine: float
    """Cosine in the encoder's own space. Cosines from different encoders are not comparable."""
    z: float | None
    """Number of standard deviations above the target's mean cosine to all references."""
    percentile: float | None
    """Percentage of reference pairs whose cosine is not higher."""
    clap_similarity: float | None
    """Cosine similarity between the CLAP vectors of both tracks, −1 to 1."""
    aligned_melody: float | None
    """Share of the shorter track's notes that also occur in the other, in any key and tempo."""
    melody_accuracy: float | None
    """Share of frames with the same pitch class in both tracks, 0 to 1."""
    melody_shifted: float | None
    """Melody accuracy at the best offset in time, 0 to 1."""
    melody_offset: float | None
    """Seconds by which the best match is late at the best offset, −0.15 to 0.15."""
    melodic: bool | None
    """Whether both tracks are pitched. If not, the melody scores are meaningless."""
    melody_corrected: float | None
    """Chance-corrected melody accuracy: 0 is chance level, 1 means identical melodies."""
    ce: float | None
    """Content enjoyment of the best match, about 1 to 10."""
    cu: float | None
    """Content usefulness of the best match, about 1 to 10."""
    pc: float | None
    """Production complexity of the best match, about 1 to 10."""
    pq: float | None
    """Production quality of the best match, about 1 to 10."""


# The condition on counted_rank selects rows before the joins of v_retrieval. Without it, the query
# would join all matches.
_BEST_MATCH_SCORES = """
    WITH axis AS (
        SELECT metric_id, name FROM mirpipe.shown_metric WHERE spec ->> 'axis' IS NOT NULL)
    SELECT r.target_id, r.target, r.encoder, r.reference_id, r.reference, r.relation,
        r.counted_rank IS NOT NULL AS counts, r.cosine, r.z, r.percentile, r.clap_similarity,
        r.aligned_melody, r.melody_accuracy, r.melody_shifted, r.melody_offset, r.melodic,
        r.melody_corrected, a.ce, a.cu, a.pc, a.pq
    FROM {matches} r
    JOIN mirpipe.best_match b ON (b.encoder, b.target_id) = (r.encoder, r.target_id)
        AND r.rank <= b.same_recording_n + 1
    CROSS JOIN LATERAL (
        SELECT max(s.value) FILTER (WHERE x.name = 'aesthetics_ce') AS ce,
            max(s.value) FILTER (WHERE x.name = 'aesthetics_cu') AS cu,
            max(s.value) FILTER (WHERE x.name = 'aesthetics_pc') AS pc,
            max(s.value) FILTER (WHERE x.name = 'aesthetics_pq') AS pq
        FROM axis x JOIN mirpipe.track_score s
            ON s.metric_id = x.metric_id AND s.track_id = r.reference_id) a
    WHERE coalesce(r.counted_rank, 1) = 1 {targets}
    ORDER BY r.target, r.target_id, array_position(CAST(:encoder_order AS text[]), r.encoder),
        r.encoder, r.rank
"""
_OF_ALL = text(_BEST_MATCH_SCORES.format(matches="mirpipe.v_retrieval", targets=""))
# The matches are looked up target by target. Otherwise, Postgres can join all matches of the run.
# best_match groups the matches by target, so it needs a condition of its own.
_OF_TARGETS = text(
    _BEST_MATCH_SCORES.format(
        matches="""(
        SELECT v.* FROM unnest(CAST(:target_ids AS bigint[])) chosen (target_id)
        CROSS JOIN LATERAL (
            SELECT * FROM mirpipe.v_retrieval v WHERE v.target_id = chosen.target_id
                AND coalesce(v.counted_rank, 1) = 1 OFFSET 0) v)""",
        targets="AND b.target_id = ANY(:target_ids)",
    )
)


def best_match_scores(target_ids: Sequence[int] | None = None) -> list[BestMatchScores]:
    """Return the best match of each target by each encoder in the latest run, sorted by target.

    With `target_ids`, only the matches of these targets are read. If matches are left out, they
    come before the best match that counts.
    """
    order = settings().encoders
    if target_ids is None:
        rows = read_rows(BestMatchScores, _OF_ALL, encoder_order=order)
    else:
        rows = read_rows(
            BestMatchScores, _OF_TARGETS, encoder_order=order, target_ids=list(target_ids)
        )
    return with_distinct_titles(rows, reference="reference_id", target="target_id")
