"""Fills all tables that pages read with the rows of a large library with a long history."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.engine import engine


@dataclass(frozen=True)
class LibrarySize:
    """Numbers of rows of a synthetic library."""

    references: int = 100_000
    targets: int = 1_000
    encoders: int = 3
    runs: int = 100
    dimension: int = 16
    """Number of values of each vector."""


TITLE_END = " of a synthetic library"
"""End of all titles, so that they are as long as those of real tracks."""
MODES = 3
"""Number of clips of each target."""
_AXES = ("aesthetics_ce", "aesthetics_cu", "aesthetics_pc", "aesthetics_pq")
_PAIRS = (
    *("melody_accuracy", "melody_accuracy_corrected", "melody_accuracy_null95", "melody_oti"),
    *("melody_oti_corrected", "melody_oti_null95", "melody_accuracy_shifted", "melody_offset"),
    *("aligned_melody", "clap_similarity"),
)


def statements(size: LibrarySize) -> tuple[str, ...]:
    """Return the statements that insert all rows, in order."""
    vector = f"""(SELECT array_agg(random() - 0.5) FROM generate_series(1, {size.dimension}) d
        WHERE t.track_id IS NOT NULL)::public.vector"""
    return (
        f"""
        INSERT INTO track (collection, content_sha256, title, labels, seconds, sample_rate,
            channels, rms_dbfs, state)
        SELECT c, sha256(convert_to(c || i, 'UTF8')), c || ' ' || i || '{TITLE_END}',
            jsonb_build_object('genre', 'g' || i % 20, 'instrument', 'i' || i % 7,
                'work', 'w' || i), 30, 44100, 2, -20, 'ok'
        FROM (VALUES ('reference', {size.references}), ('target', {size.targets}),
            ('generated', {size.targets * MODES})) k (c, n)
        CROSS JOIN LATERAL generate_series(1, n) i
        """,
        """
        INSERT INTO track_file (collection, path, path_text, track_id, bytes, mtime_ns,
            format)
        SELECT collection, convert_to('/music/' || track_id, 'UTF8'), '/music/' || track_id,
            track_id, 1, 1, 'OGG' FROM track
        """,
        "INSERT INTO waveform SELECT track_id, decode(repeat('10', 800), 'hex') FROM track",
        *(
            f"""SELECT register_encoder('encoder{e}', 'r1', {size.dimension},
            '{{"checkpoint": "w"}}')"""
            for e in range(size.encoders)
        ),
        "INSERT INTO serving_revision SELECT name, encoder_id FROM encoder",
        """
        INSERT INTO embedding_batch (encoder_id, device, versions, tracks, seconds)
        SELECT encoder_id, 'none', '{}', 1, 0 FROM encoder
        """,
        f"""
        INSERT INTO embedding (encoder_id, track_id, collection, batch_id, embedding)
        SELECT b.encoder_id, t.track_id, t.collection, b.batch_id, {vector}
        FROM embedding_batch b CROSS JOIN track t
        """,
        "DELETE FROM embedding_change",
        """
        INSERT INTO metric (name, revision, spec)
        VALUES ('melody', '1', '{}'), ('features', '1', '{}')
        """,
        *(
            f"""INSERT INTO metric (name, revision, spec)
            VALUES ('{axis}', '1', '{{"axis": "{axis}", "name": "aes"}}')"""
            for axis in _AXES
        ),
        *(
            f"""INSERT INTO metric (name, revision, spec)
            VALUES ('{name}', '1', '{{"compares": "melodies"}}')"""
            for name in _PAIRS
        ),
        """
        INSERT INTO melody (metric_id, track_id, frames, pitch_classes, voiced_fraction, voiced)
        SELECT metric_id, track_id, 5000, decode(repeat('1a', 2500), 'hex'), 0.8, true
        FROM metric CROSS JOIN track WHERE name = 'melody'
        """,
        """
        INSERT INTO track_feature (metric_id, track_id, tempo_bpm, beat_seconds, meter, key,
            key_clarity, voiced_fraction, notes, onsets_per_second, brightness_hz, reasons)
        SELECT metric_id, track_id, 120, '{}', 4, 'C major', 0.5, 0.8, '', 2, 2000, '{}'
        FROM metric CROSS JOIN track WHERE name = 'features'
        """,
        """
        INSERT INTO track_score (metric_id, track_id, value)
        SELECT metric_id, track_id, 1 + 9 * random() FROM metric CROSS JOIN track
        WHERE spec ->> 'axis' IS NOT NULL
        """,
        f"""
        INSERT INTO neighbour (encoder_id, target_id, reference_id, cosine)
        SELECT e.encoder_id, t.track_id,
            1 + (t.track_id * 997 + e.encoder_id * 31 + n * 13) % {size.references}, 1 - 0.01 * n
        FROM encoder e CROSS JOIN track t CROSS JOIN generate_series(1, 50) n
        WHERE t.collection = 'target' ON CONFLICT DO NOTHING
        """,
        f"""
        INSERT INTO run (finished_at, trigger, state_digest, library)
        SELECT now() - i * interval '1 day', 'benchmark', i, jsonb_build_object(
            'reference ok', {size.references} - i * 900, 'target ok', {size.targets},
            'generated ok', {size.targets * MODES}) FROM generate_series({size.runs - 1}, 0, -1) i
        """,
        """
        INSERT INTO run_encoder (run_id, encoder_id, references_n, targets_n, background_pairs,
            background_cosines)
        SELECT run_id, encoder_id, 1, 1, 1, (SELECT array_agg(i / 1001.0 ORDER BY i)
            FROM generate_series(1, 1001) i) FROM run CROSS JOIN encoder
        """,
        """
        INSERT INTO run_target SELECT run_id, encoder_id, track_id, 1, 0.2, 0.1
        FROM run CROSS JOIN encoder CROSS JOIN track WHERE collection = 'target'
        """,
        # The last run changes the matches of every tenth target.
        f"""
        INSERT INTO served_neighbour
            (encoder_id, target_id, rank, counted_rank, reference_id, cosine, from_run)
        SELECT encoder_id, target_id, rank, rank, reference_id, cosine,
            CASE target_id % 10 WHEN 0 THEN {size.runs} ELSE 1 + target_id % {size.runs} END
        FROM top_neighbour
        """,
        """
        INSERT INTO served_neighbour
            (encoder_id, target_id, rank, counted_rank, reference_id, cosine, from_run, to_run)
        SELECT s.encoder_id, s.target_id, s.rank, s.rank, s.reference_id % 1000 + 1,
            s.cosine - 0.05, f, f + 1
        FROM served_neighbour s CROSS JOIN LATERAL generate_series(1, s.from_run - 1, 20) f
        """,
        """
        INSERT INTO neighbour_change (run_id, encoder_name, target_id, reference_id, cause)
        SELECT s.from_run, e.name, s.target_id, s.reference_id, 'new reference'
        FROM served_neighbour s JOIN encoder e USING (encoder_id)
        WHERE s.rank = 1 ON CONFLICT DO NOTHING
        """,
        """
        INSERT INTO captioner (name, revision, spec) VALUES ('teller', '1', '{"checkpoint": "w"}')
        """,
        """
        INSERT INTO excerpt (track_id, start_seconds, seconds, is_whole)
        SELECT track_id, 0, 30, true FROM track WHERE collection = 'target'
        """,
        """
        INSERT INTO caption (captioner_id, track_id, excerpt_id, features_id, caption,
            window_start_seconds, window_seconds, contradictions, device, versions, took_seconds)
        SELECT captioner_id, track_id, excerpt_id, metric_id, 'A slow piece.', 0, 10, '{}', 'cpu',
            '{}', 1
        FROM captioner, excerpt, metric m WHERE m.name = 'features'
        """,
        """
        INSERT INTO generator (name, revision, spec) VALUES ('maker', '1', '{"checkpoint": "w"}')
        """,
        """
        INSERT INTO generation_wish SELECT generator_id, mode, true, guidance, 0, 't1', 30
        FROM generator, (VALUES ('simple', 2), ('medium', 3), ('strong', 5)) m (mode, guidance)
        """,
        f"""
        INSERT INTO generation (target_id, excerpt_id, generator_id, caption_id, mode,
            is_conditioned, guidance, seed, seconds, template, prompt, prompt_parts, sampling,
            device, versions, track_id, content_sha256, took_seconds)
        SELECT c.track_id, c.excerpt_id, w.generator_id, c.caption_id, w.mode, true, w.guidance, 0,
            30, 't1', 'p', '{{}}', '{{}}', 'cpu', '{{}}', t.track_id, t.content_sha256, 1
        FROM (SELECT *, row_number() OVER (ORDER BY caption_id) AS n FROM caption) c
        CROSS JOIN (SELECT *, row_number() OVER (ORDER BY guidance) AS m FROM generation_wish) w
        JOIN (SELECT *, row_number() OVER (ORDER BY track_id) AS g FROM track
            WHERE collection = 'generated') t ON t.g = (c.n - 1) * {MODES} + w.m
        """,
        """
        INSERT INTO pair_score (metric_id, target_id, reference_id, excerpt_id, value)
        SELECT m.metric_id, p.target_id, p.reference_id, p.excerpt_id, random()
        FROM metric m CROSS JOIN wanted_pair p WHERE m.spec ->> 'compares' IS NOT NULL
        """,
        """
        INSERT INTO run_summary (run_id, encoder_id, metric, n, undefined_n, mean, sd, low, high,
            interval_reason)
        SELECT run_id, encoder_id, m, 1000, 0, random(), 0.1, 0.1, 0.2, NULL
        FROM run CROSS JOIN encoder CROSS JOIN (
            SELECT name AS m FROM metric WHERE spec <> '{}'
            UNION VALUES ('cosine'), ('z'), ('percentile'), ('melody_accuracy_melodic')) k
        """,
        """
        INSERT INTO run_generation_summary (run_id, generator_id, mode, guidance, metric, n,
            undefined_n, mean, sd, low, high, targets_n, interval_reason)
        SELECT run_id, generator_id, mode, guidance, m, 1000, 0, random(), 0.1, 0.1, 0.2, 1000, NULL
        FROM run CROSS JOIN generation_wish CROSS JOIN (
            SELECT name AS m FROM metric WHERE spec <> '{}'
            UNION SELECT 'cosine ' || name FROM encoder) k
        """,
        """
        INSERT INTO failure (stage, subject, reason, message, retry)
        SELECT 'ingest', '/music/' || i, 'silent', '/music/' || i || ' is silent', false
        FROM generate_series(1, 1000) i
        """,
        """
        INSERT INTO map SELECT max(run_id), encoder_id, 104000, 0.4, 0.2 FROM run_encoder
        GROUP BY encoder_id
        """,
        """
        INSERT INTO map_point SELECT m.run_id, m.encoder_id, t.track_id, random(), random()
        FROM map m CROSS JOIN (SELECT track_id, row_number() OVER (PARTITION BY collection
            ORDER BY content_sha256) AS n, collection FROM track) t
        WHERE t.n <= CASE collection WHEN 'reference' THEN 2000 ELSE 1000 END
        """,
    )


def insert_rows(size: LibrarySize) -> None:
    """Insert all rows of a library of this size. This takes minutes."""
    with engine("owner").begin() as connection:
        connection.execute(text("SET LOCAL search_path = mirpipe, public"))
        for statement in statements(size):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    with engine("owner").connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        owner.execute(text("VACUUM ANALYZE"))
