"""Statements that fill the tables of comparisons, groups, rankings, hubs and findings."""

STATEMENTS = (
    # All pairs have their scores.
    "DELETE FROM pair_input_change",
    # A finding for one in fifty tracks.
    """
    INSERT INTO finding (track_id, number, kind, severity, seconds, detail)
    SELECT track_id, 0, (ARRAY['clipping', 'silence', 'level', 'bandwidth',
        'damage'])[1 + track_id / 50 % 5], 'warning', 1.5, 'A finding of a benchmark.'
    FROM track WHERE track_id % 50 = 0
    """,
    """
    INSERT INTO run_group_summary (run_id, label, value, encoder_id, metric, n, undefined_n,
        targets_n, unlabelled_n, mean, sd, low, high, p, p_adjusted, p_reason)
    SELECT r.run_id, g.label, g.value, e.encoder_id, m, 100, 0, 100, 0, random(), 0.1, 0.1, 0.2,
        0.5, 0.5, NULL
    FROM (SELECT max(run_id) AS run_id FROM run) r CROSS JOIN encoder e CROSS JOIN (
        SELECT DISTINCT l.key AS label, l.value FROM track, jsonb_each_text(labels) l
        WHERE collection = 'target' AND l.key IN ('genre', 'instrument')) g
    CROSS JOIN (SELECT name AS m FROM metric WHERE spec <> '{}' UNION VALUES ('cosine'), ('z')) k
    """,
    """
    INSERT INTO run_group_summary (run_id, label, value, generator_id, mode, guidance, metric, n,
        undefined_n, targets_n, unlabelled_n, mean, sd, low, high, p, p_adjusted, p_reason)
    SELECT r.run_id, g.label, g.value, w.generator_id, w.mode, w.guidance, m, 100, 0, 100, 0,
        random(), 0.1, 0.1, 0.2, 0.5, 0.5, NULL
    FROM (SELECT max(run_id) AS run_id FROM run) r CROSS JOIN generation_wish w CROSS JOIN (
        SELECT DISTINCT l.key AS label, l.value FROM track, jsonb_each_text(labels) l
        WHERE collection = 'target' AND l.key IN ('genre', 'instrument')) g
    CROSS JOIN (SELECT name AS m FROM metric WHERE spec <> '{}') k
    """,
    """
    INSERT INTO run_comparison (run_id, kind, encoder_id, than_encoder_id, metric, n,
        mean_difference, sd, low, high, higher_n, p, p_adjusted, method, family_n,
        licence_weights, random, than_mean, role)
    SELECT r.run_id, 'retrieval', a.encoder_id, b.encoder_id, m, 1000, 0.1, 0.2, 0.05, 0.15, 600,
        0.01, 0.02, 'permutation', 10, '', false, 0.5, 'secondary'
    FROM (SELECT max(run_id) AS run_id FROM run) r
    CROSS JOIN encoder a JOIN encoder b ON a.encoder_id < b.encoder_id
    CROSS JOIN (SELECT name AS m FROM metric WHERE spec <> '{}' UNION VALUES ('z')) k
    """,
    """
    INSERT INTO run_comparison (run_id, kind, generator_id, mode, guidance, than_mode,
        than_guidance, metric, n, mean_difference, sd, low, high, higher_n, p, p_adjusted, method,
        family_n, licence_weights, random, than_mean, role)
    SELECT r.run_id, 'generation', a.generator_id, a.mode, a.guidance, b.mode, b.guidance, m, 1000,
        0.1, 0.2, 0.05, 0.15, 600, 0.01, 0.02, 'permutation', 10, '', false, 0.5, 'secondary'
    FROM (SELECT max(run_id) AS run_id FROM run) r
    CROSS JOIN generation_wish a JOIN generation_wish b ON a.mode < b.mode
    CROSS JOIN (SELECT name AS m FROM metric WHERE spec <> '{}') k
    """,
    """
    INSERT INTO run_ranking (run_id, encoder_id, queries, label, metric, rerank, n, left_out_n,
        mean, low, high, filter, filtered_n)
    SELECT r.run_id, e.encoder_id, q, l, m, k, 1000, 0, random(), 0.1, 0.9, f,
        CASE f WHEN 'none' THEN NULL ELSE 10 END
    FROM (SELECT max(run_id) AS run_id FROM run) r CROSS JOIN encoder e
    CROSS JOIN (VALUES ('targets'), ('references')) a (q)
    CROSS JOIN (VALUES ('genre'), ('instrument'), ('work')) b (l)
    CROSS JOIN (VALUES ('p_at_1'), ('p_at_5'), ('p_at_10'), ('mrr'), ('map')) c (m)
    CROSS JOIN (VALUES ('cosine'), ('csls')) d (k)
    CROSS JOIN (VALUES ('none'), ('album'), ('artist')) h (f)
    """,
    """
    INSERT INTO run_hubness (run_id, encoder_id, queries, rerank, k, skewness, largest,
        largest_reference_id, never_retrieved_share, n, references_n)
    SELECT r.run_id, e.encoder_id, q, m, k, 2.5, 90, 1, 0.3, 1000, 1000
    FROM (SELECT max(run_id) AS run_id FROM run) r CROSS JOIN encoder e
    CROSS JOIN (VALUES ('targets'), ('references')) a (q)
    CROSS JOIN (VALUES ('cosine'), ('csls')) b (m) CROSS JOIN (VALUES (5), (10)) c (k)
    """,
    """
    INSERT INTO run_hub (run_id, encoder_id, queries, rerank, k, rank, reference_id, retrieved_n)
    SELECT run_id, encoder_id, queries, rerank, k, i, i * 7 + encoder_id, 100 - i
    FROM run_hubness CROSS JOIN generate_series(1, 20) i
    """,
    """
    INSERT INTO run_agreement (run_id, encoder_id, other_id, rbo, top1, n)
    SELECT r.run_id, a.encoder_id, b.encoder_id, 0.4, 0.2, 1000
    FROM (SELECT max(run_id) AS run_id FROM run) r
    CROSS JOIN encoder a JOIN encoder b ON a.encoder_id < b.encoder_id
    """,
    """
    INSERT INTO run_csls (run_id, encoder_id, kept, neighbourhood, base_n, targets_n, references_n,
        is_sample, top1_equal, top10_overlap)
    SELECT r.run_id, e.encoder_id, 50, 10, 16000, 1000, 4000, true, 0.9, 0.95
    FROM (SELECT max(run_id) AS run_id FROM run) r CROSS JOIN encoder e
    """,
    # The rankings use at most 1,000 targets.
    """
    INSERT INTO run_answer (run_id, method, encoder_id, target_id, rank, reference_id, score)
    SELECT r.run_id, 'fusion', NULL, t.track_id, n, t.track_id % 1000 * 13 % 997 + n, 1.0 / n
    FROM (SELECT max(run_id) AS run_id FROM run) r CROSS JOIN (
        SELECT track_id FROM track WHERE collection = 'target' ORDER BY content_sha256 LIMIT 1000) t
    CROSS JOIN generate_series(1, 10) n
    """,
    """
    INSERT INTO run_answer (run_id, method, encoder_id, target_id, rank, reference_id, score,
        cosine, cosine_rank)
    SELECT r.run_id, 'csls', e.encoder_id, t.track_id, n, t.track_id % 1000 * 7 % 997 + n, 1.0 / n,
        0.9, n
    FROM (SELECT max(run_id) AS run_id FROM run) r CROSS JOIN encoder e CROSS JOIN (
        SELECT track_id FROM track WHERE collection = 'target' ORDER BY content_sha256 LIMIT 1000) t
    CROSS JOIN generate_series(1, 10) n
    """,
    """
    INSERT INTO run_set_distance (run_id, generator_id, mode, guidance, encoder_id, metric, value,
        n, references_n, seconds, is_finding)
    SELECT r.run_id, w.generator_id, w.mode, w.guidance, e.encoder_id, m, 0.5, 3000, 4096, 10, true
    FROM (SELECT max(run_id) AS run_id FROM run) r CROSS JOIN generation_wish w
    CROSS JOIN encoder e CROSS JOIN (VALUES ('kad'), ('fad_inf')) k (m)
    """,
)
