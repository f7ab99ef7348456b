"""Computes one hash over the content of the database. Equal content has an equal hash.

Rows are identified by names and content hashes. Ids, times, numbers of attempts and folders are
left out. This gives a run that was killed and resumed the same hash as an undisturbed run. The hash
does not depend on the machine either.
"""

import hashlib
import json

from sqlalchemy import Connection, text

from mirpipe.db.row_hash_sum import row_hash_sum

DIGITS = 9
"""Number of decimals of summary values. Their last bits depend on the order of the additions."""
SET_DIGITS = 6
"""Number of decimals of clip set distances. A matrix root has only half the precision."""

_TRACK = "{0}.collection, encode({0}.content_sha256, 'hex')"
_EXCERPT = "x.start_seconds, x.seconds"
_REVISIONS = "SELECT name, revision, wanted, is_random FROM mirpipe.{0}"
_MATCHES = """
    SELECT e.name, e.revision, encode(t.content_sha256, 'hex'), n.rank,
        encode(r.content_sha256, 'hex'), n.cosine{columns}
    FROM {table} n JOIN mirpipe.encoder e USING (encoder_id)
    JOIN mirpipe.track t ON t.track_id = n.target_id
    JOIN mirpipe.track r ON r.track_id = n.reference_id
"""


def _rounded(*numbers: str) -> str:
    return ", ".join(f"round({number}::numeric, {DIGITS})::text" for number in numbers)


CONTENT = {
    "track": f"""
        SELECT {_TRACK.format("t")}, title, labels, seconds, sample_rate, channels, rms_dbfs,
            silent_parts, sounding_rms_dbfs, state, has_audio, reason
        FROM mirpipe.track t
    """,
    "track_file": """
        SELECT f.collection, encode(t.content_sha256, 'hex'), f.format, f.reason, count(*)
        FROM mirpipe.track_file f LEFT JOIN mirpipe.track t ON t.track_id = f.track_id
        WHERE f.gone_at IS NULL
        GROUP BY f.collection, t.content_sha256, f.format, f.reason
    """,
    "encoder": """
        SELECT e.name, e.revision, e.dimension, e.wanted, e.is_random, s.name IS NOT NULL
        FROM mirpipe.encoder e LEFT JOIN mirpipe.serving_revision s USING (encoder_id)
    """,
    "metric": _REVISIONS.format("metric"),
    "captioner": _REVISIONS.format("captioner"),
    "generator": _REVISIONS.format("generator"),
    "serving_metric": """
        SELECT s.name, m.revision FROM mirpipe.serving_metric s
        JOIN mirpipe.metric m USING (metric_id)
    """,
    "serving_captioner": """
        SELECT s.name, k.revision FROM mirpipe.serving_captioner s
        JOIN mirpipe.captioner k USING (captioner_id)
    """,
    "serving_generator": """
        SELECT s.name, g.revision FROM mirpipe.serving_generator s
        JOIN mirpipe.generator g USING (generator_id)
    """,
    "embedding": f"""
        SELECT e.name, e.revision, {_TRACK.format("t")},
            encode(sha256(public.vector_send(v.embedding)), 'hex')
        FROM mirpipe.embedding v JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.track t USING (track_id)
    """,
    "top_neighbour": _MATCHES.format(table="mirpipe.top_neighbour", columns=""),
    "served_neighbour": _MATCHES.format(
        table="mirpipe.served_neighbour", columns=", n.relation, n.counted_rank"
    )
    + "WHERE n.to_run IS NULL",
    "melody": f"""
        SELECT m.name, m.revision, {_TRACK.format("t")}, v.frames,
            encode(sha256(v.pitch_classes), 'hex'), v.voiced_fraction, v.voiced, v.reason
        FROM mirpipe.melody v JOIN mirpipe.metric m USING (metric_id)
        JOIN mirpipe.track t USING (track_id)
    """,
    "track_score": f"""
        SELECT m.name, m.revision, {_TRACK.format("t")}, v.value, v.reason
        FROM mirpipe.track_score v JOIN mirpipe.metric m USING (metric_id)
        JOIN mirpipe.track t USING (track_id)
    """,
    "pair_score": f"""
        SELECT m.name, m.revision, {_TRACK.format("t")}, {_TRACK.format("r")}, {_EXCERPT}, v.value,
            v.reason
        FROM mirpipe.pair_score v JOIN mirpipe.metric m USING (metric_id)
        LEFT JOIN mirpipe.excerpt x USING (excerpt_id)
        JOIN mirpipe.track t ON t.track_id = v.target_id
        JOIN mirpipe.track r ON r.track_id = v.reference_id
    """,
    "track_feature": f"""
        SELECT m.name, m.revision, {_TRACK.format("t")}, f.tempo_bpm, f.tempo_candidates,
            f.tempo_strengths, f.octave_ambiguous, f.beat_seconds, f.meter,
            f.key, f.key_clarity, f.voiced_fraction, encode(sha256(f.notes), 'hex'),
            f.onsets_per_second, f.brightness_hz, f.reasons
        FROM mirpipe.track_feature f JOIN mirpipe.metric m USING (metric_id)
        JOIN mirpipe.track t USING (track_id)
    """,
    "excerpt": f"""
        SELECT {_TRACK.format("t")}, {_EXCERPT}, x.is_whole, x.wanted
        FROM mirpipe.excerpt x JOIN mirpipe.track t USING (track_id)
    """,
    "excerpt_embedding": f"""
        SELECT e.name, e.revision, {_TRACK.format("t")}, {_EXCERPT},
            encode(sha256(public.vector_send(v.embedding)), 'hex')
        FROM mirpipe.excerpt_embedding v JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.excerpt x USING (excerpt_id) JOIN mirpipe.track t USING (track_id)
    """,
    "caption": f"""
        SELECT k.name, k.revision, m.name, m.revision, {_TRACK.format("t")}, {_EXCERPT},
            c.caption, c.window_start_seconds, c.window_seconds, c.contradictions
        FROM mirpipe.caption c JOIN mirpipe.captioner k USING (captioner_id)
        LEFT JOIN mirpipe.metric m ON m.metric_id = c.features_id
        JOIN mirpipe.track t USING (track_id) LEFT JOIN mirpipe.excerpt x USING (excerpt_id)
    """,
    "caption_embedding": f"""
        SELECT e.name, e.revision, k.name, k.revision, {_TRACK.format("t")}, {_EXCERPT}, c.caption,
            encode(sha256(public.vector_send(v.embedding)), 'hex')
        FROM mirpipe.caption_embedding v JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.caption c USING (caption_id) JOIN mirpipe.captioner k USING (captioner_id)
        JOIN mirpipe.track t USING (track_id) LEFT JOIN mirpipe.excerpt x USING (excerpt_id)
    """,
    "generation": f"""
        SELECT r.name, r.revision, {_TRACK.format("t")}, {_EXCERPT}, k.name, k.revision, c.caption,
            g.mode, g.is_conditioned, g.guidance, g.seed, g.seconds, g.template, g.prompt,
            g.prompt_parts, g.sampling, encode(g.content_sha256, 'hex')
        FROM mirpipe.generation g JOIN mirpipe.generator r USING (generator_id)
        JOIN mirpipe.track t ON t.track_id = g.target_id
        LEFT JOIN mirpipe.excerpt x USING (excerpt_id)
        LEFT JOIN mirpipe.caption c USING (caption_id)
        LEFT JOIN mirpipe.captioner k USING (captioner_id)
    """,
    "generation_wish": """
        SELECT r.name, r.revision, w.mode, w.is_conditioned, w.guidance, w.seed, w.template,
            w.longest_seconds
        FROM mirpipe.generation_wish w JOIN mirpipe.generator r USING (generator_id)
    """,
    "run_generation_summary": f"""
        SELECT r.name, r.revision, u.mode, u.guidance, u.metric, u.n, u.undefined_n,
            u.targets_n, u.clips_n, u.averaged_over, u.interval_reason, u.metric_revision,
            u.metric_licence_weights, u.metric_random,
            {_rounded("u.mean", "u.sd", "u.low", "u.high")}
        FROM mirpipe.run_generation_summary u JOIN mirpipe.generator r USING (generator_id)
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_summary": f"""
        SELECT e.name, e.revision, u.metric, m.revision, u.n, u.undefined_n,
            u.same_recording_n, u.interval_reason, {_rounded("u.mean", "u.sd", "u.low", "u.high")}
        FROM mirpipe.run_summary u JOIN mirpipe.encoder e USING (encoder_id)
        LEFT JOIN mirpipe.metric m USING (metric_id)
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "waveform": f"""
        SELECT {_TRACK.format("t")}, encode(sha256(w.peaks), 'hex')
        FROM mirpipe.waveform w JOIN mirpipe.track t USING (track_id)
    """,
    "track_audio": f"""
        SELECT {_TRACK.format("t")}, a.mono_channel, a.dc_offset, a.correlation
        FROM mirpipe.track_audio a JOIN mirpipe.track t USING (track_id)
    """,
    "finding": f"""
        SELECT {_TRACK.format("t")}, f.number, f.kind, f.severity, f.seconds, f.detail
        FROM mirpipe.finding f JOIN mirpipe.track t USING (track_id)
    """,
    "fingerprint": f"""
        SELECT {_TRACK.format("t")}, f.revision, encode(sha256(f.frames), 'hex'), f.reason
        FROM mirpipe.fingerprint f JOIN mirpipe.track t USING (track_id)
    """,
    # Which track of a pair comes first depends on the ids.
    "same_recording": f"""
        SELECT {_TRACK.format("a")}, {_TRACK.format("b")}, s.agreement, s.overlap_seconds,
            s.offset_seconds
        FROM (
            SELECT track_id, other_id, agreement, overlap_seconds, offset_seconds
            FROM mirpipe.same_recording
            UNION ALL SELECT other_id, track_id, agreement, overlap_seconds, 0 - offset_seconds
            FROM mirpipe.same_recording) s
        JOIN mirpipe.track a USING (track_id) JOIN mirpipe.track b ON b.track_id = s.other_id
        WHERE (a.content_sha256, a.collection) < (b.content_sha256, b.collection)
    """,
    # The coordinates are left out, because their last bits depend on the order of the additions.
    "map": f"""
        SELECT e.name, e.revision, m.tracks_n, {_TRACK.format("t")}
        FROM mirpipe.map m JOIN mirpipe.encoder e USING (encoder_id)
        LEFT JOIN mirpipe.map_point p USING (run_id, encoder_id)
        LEFT JOIN mirpipe.track t USING (track_id)
    """,
    "published": """
        SELECT 'retrieval', p::text FROM mirpipe.published_retrieval p
        UNION ALL SELECT 'generation', p::text FROM mirpipe.published_generation p
        UNION ALL SELECT 'summary', p::text FROM mirpipe.published_summary p
        UNION ALL SELECT 'change', p::text FROM mirpipe.published_change p
        UNION ALL SELECT 'claim', p::text FROM mirpipe.published_claim p
    """,
    "published_interval": f"""
        SELECT task, subject, metric, interval_reason, {_rounded("low", "high")}
        FROM mirpipe.published_interval
    """,
    "published_comparison": f"""
        SELECT task, metric, subject, than_subject, interval_reason, method, reason, family_n,
            role, {_rounded("low", "high", "p", "p_adjusted")}
        FROM mirpipe.published_comparison
    """,
    "run_encoder": f"""
        SELECT e.name, e.revision, u.references_n, u.targets_n, u.background_pairs,
            ARRAY(SELECT round(c.cosine::numeric, {DIGITS})::text
                FROM unnest(u.background_cosines) WITH ORDINALITY c (cosine, place) ORDER BY place)
        FROM mirpipe.run_encoder u JOIN mirpipe.encoder e USING (encoder_id)
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_target": f"""
        SELECT e.name, e.revision, {_TRACK.format("t")}, u.background_n,
            {_rounded("u.background_mean", "u.background_sd")}
        FROM mirpipe.run_target u JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.track t ON t.track_id = u.target_id
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_ranking": f"""
        SELECT e.name, e.revision, u.queries, u.label, u.metric, u.rerank, u.n, u.left_out_n,
            round(u.mean::numeric, {DIGITS})::text, round(u.low::numeric, {DIGITS})::text,
            round(u.high::numeric, {DIGITS})::text, u.interval_reason, u.filter, u.filtered_n,
            u.same_recording_n
        FROM mirpipe.run_ranking u LEFT JOIN mirpipe.encoder e USING (encoder_id)
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_hubness": f"""
        SELECT e.name, e.revision, u.queries, u.rerank, u.k, u.largest,
            round(u.skewness::numeric, {DIGITS})::text, encode(r.content_sha256, 'hex'),
            round(u.never_retrieved_share::numeric, {DIGITS})::text, u.n, u.references_n
        FROM mirpipe.run_hubness u JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.track r ON r.track_id = u.largest_reference_id
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_hub": """
        SELECT e.name, e.revision, u.queries, u.rerank, u.k, u.rank,
            encode(r.content_sha256, 'hex'), u.retrieved_n
        FROM mirpipe.run_hub u JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.track r ON r.track_id = u.reference_id
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_agreement": f"""
        SELECT e.name, e.revision, o.name, o.revision, u.n, round(u.rbo::numeric, {DIGITS})::text,
            round(u.top1::numeric, {DIGITS})::text
        FROM mirpipe.run_agreement u JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.encoder o ON o.encoder_id = u.other_id
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_csls": f"""
        SELECT e.name, e.revision, u.kept, u.neighbourhood, u.base_n, u.targets_n, u.references_n,
            u.is_sample, round(u.top1_equal::numeric, {DIGITS})::text,
            round(u.top10_overlap::numeric, {DIGITS})::text, u.base_targets_n,
            round(u.base_top1_equal::numeric, {DIGITS})::text,
            round(u.base_top10_overlap::numeric, {DIGITS})::text
        FROM mirpipe.run_csls u JOIN mirpipe.encoder e USING (encoder_id)
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_answer": f"""
        SELECT u.method, e.name, e.revision, encode(t.content_sha256, 'hex'), u.rank,
            encode(r.content_sha256, 'hex'), round(u.score::numeric, {DIGITS})::text,
            u.cosine_rank, round(u.cosine::numeric, {DIGITS})::text, u.relation
        FROM mirpipe.run_answer u LEFT JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.track t ON t.track_id = u.target_id
        JOIN mirpipe.track r ON r.track_id = u.reference_id
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_set_distance": f"""
        SELECT r.name, r.revision, u.mode, u.guidance, e.name, e.revision, u.metric,
            round(u.value::numeric, {SET_DIGITS})::text, u.reason, u.n, u.references_n,
            u.seconds, u.is_finding,
            round(u.bandwidth::numeric, {SET_DIGITS})::text,
            round(u.bias::numeric, {SET_DIGITS})::text,
            round(u.bias_high::numeric, {SET_DIGITS})::text
        FROM mirpipe.run_set_distance u JOIN mirpipe.generator r USING (generator_id)
        JOIN mirpipe.encoder e USING (encoder_id)
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_group_summary": f"""
        SELECT e.name, e.revision, r.name, r.revision, u.mode, u.guidance, u.label, u.value,
            u.metric, m.revision, u.n, u.undefined_n, u.targets_n, u.unlabelled_n,
            u.interval_reason, u.p_reason, u.clips_n, u.averaged_over, u.metric_revision,
            u.metric_licence_weights, u.metric_random, u.same_recording_n,
            {_rounded("u.mean", "u.sd", "u.low", "u.high", "u.p", "u.p_adjusted")}
        FROM mirpipe.run_group_summary u LEFT JOIN mirpipe.encoder e USING (encoder_id)
        LEFT JOIN mirpipe.generator r USING (generator_id)
        LEFT JOIN mirpipe.metric m USING (metric_id)
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "run_comparison": f"""
        SELECT u.kind, a.name, a.revision, b.name, b.revision, r.name, r.revision, u.mode,
            u.guidance, u.than_mode, u.than_guidance, u.metric, u.n, u.higher_n, u.equal_n,
            u.method, u.reason, u.interval_reason, u.role, u.family_n, u.licence_weights, u.random,
            {_rounded("u.mean_difference", "u.sd", "u.low", "u.high", "u.p", "u.p_adjusted")},
            {_rounded("u.than_mean")}
        FROM mirpipe.run_comparison u
        LEFT JOIN mirpipe.encoder a USING (encoder_id)
        LEFT JOIN mirpipe.encoder b ON b.encoder_id = u.than_encoder_id
        LEFT JOIN mirpipe.generator r USING (generator_id)
        WHERE u.run_id = (SELECT max(run_id) FROM mirpipe.run)
    """,
    "failure": r"""
        SELECT f.stage, f.revision, regexp_replace(f.subject, '^.*/', ''), t.collection,
            encode(t.content_sha256, 'hex'), f.reason, f.retry
        FROM mirpipe.failure f LEFT JOIN mirpipe.track t USING (track_id)
    """,
}
"""For each table, a query that selects its content. The order of the rows does not matter."""


def digests(connection: Connection) -> dict[str, str]:
    """Return the SHA-256 (hex) of each table's content, by table name.

    The transaction must be REPEATABLE READ, so that all tables are read in the same state.
    """
    return {name: _table_digest(connection, query) for name, query in CONTENT.items()}


def combined(tables: dict[str, str]) -> str:
    """Return one SHA-256 (hex) over the result of `digests`."""
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


def _table_digest(connection: Connection, query: str) -> str:
    rows: str = connection.execute(text(f"SELECT {row_hash_sum(query)}")).scalar_one()
    return hashlib.sha256(rows.encode()).hexdigest()
