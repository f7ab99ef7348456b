SET LOCAL search_path = mirpipe, public;

-- What is missing: one anti-join a stage --------------------------------------------------------

CREATE VIEW top_neighbour AS
SELECT encoder_id, target_id, rank, reference_id, cosine
FROM (
    SELECT n.encoder_id, n.target_id, n.reference_id, n.cosine,
        row_number() OVER (
            PARTITION BY n.encoder_id, n.target_id ORDER BY n.cosine DESC, r.content_sha256
        )::smallint AS rank
    FROM neighbour n
    JOIN track r ON r.track_id = n.reference_id
) ranked
WHERE rank <= 10;
COMMENT ON VIEW top_neighbour IS 'The 10 best references a target in the working set; ties fall by content hash';

CREATE VIEW pending_embedding AS
SELECT e.encoder_id, e.name, e.revision, t.track_id
FROM encoder e
CROSS JOIN track t
WHERE e.wanted AND t.state = 'ok'
  AND NOT EXISTS (
    SELECT FROM embedding v WHERE v.encoder_id = e.encoder_id AND v.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = t.track_id AND NOT f.retry);
COMMENT ON VIEW pending_embedding IS 'Usable tracks without a vector in a wanted revision, bad input left out';

CREATE VIEW pending_melody AS
SELECT m.metric_id, m.name, m.revision, t.track_id
FROM metric m
CROSS JOIN track t
WHERE m.wanted AND m.name = 'melody' AND t.state = 'ok'
  AND NOT EXISTS (
    SELECT FROM melody s WHERE s.metric_id = m.metric_id AND s.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'melody' AND f.revision = m.revision AND f.track_id = t.track_id AND NOT f.retry);
COMMENT ON VIEW pending_melody IS 'Usable tracks without a melody of the wanted revision, bad input left out';

CREATE VIEW pending_pair AS
SELECT DISTINCT p.metric_id, p.name, m.metric_id AS melody_id, n.target_id, n.reference_id
FROM metric p
CROSS JOIN metric m
CROSS JOIN top_neighbour n
JOIN encoder e ON e.encoder_id = n.encoder_id
    AND (e.wanted OR e.encoder_id IN (SELECT s.encoder_id FROM serving_revision s))
JOIN melody t ON t.metric_id = m.metric_id AND t.track_id = n.target_id
JOIN melody r ON r.metric_id = m.metric_id AND r.track_id = n.reference_id
WHERE p.wanted AND p.name = 'melody_accuracy' AND m.wanted AND m.name = 'melody'
  AND NOT EXISTS (
    SELECT FROM pair_score s
    WHERE s.metric_id = p.metric_id AND s.target_id = n.target_id AND s.reference_id = n.reference_id);
COMMENT ON VIEW pending_pair IS 'Answers whose two melodies are there and whose melody accuracy is not';

-- What readers see ------------------------------------------------------------------------------

CREATE VIEW v_encoder AS
SELECT e.name AS encoder, e.revision, e.dimension, e.wanted,
    s.encoder_id IS NOT NULL AS serving,
    e.spec ->> 'checkpoint' AS checkpoint,
    e.spec ->> 'licence_code' AS licence_code,
    e.spec ->> 'licence_weights' AS licence_weights,
    e.spec ->> 'citation' AS citation,
    e.spec ->> 'checkpoint' LIKE '%random%' AS random,
    e.created_at
FROM encoder e
LEFT JOIN serving_revision s ON s.encoder_id = e.encoder_id;
COMMENT ON VIEW v_encoder IS 'Encoder revisions: which one is wanted, which one answers, under what licence';
COMMENT ON COLUMN v_encoder.random IS 'true: a stand-in with random weights, its numbers say nothing about music';

CREATE VIEW v_library AS
SELECT t.track_id, t.collection, t.title, t.state, t.reason, t.labels,
    t.labels ->> 'genre' AS genre, t.labels ->> 'instrument' AS instrument,
    t.seconds, t.sample_rate, t.channels, t.format, t.rms_dbfs,
    m.voiced_fraction, m.voiced,
    f.path_text AS path, f.files, encode(t.content_sha256, 'hex') AS content_sha256, t.first_seen
FROM track t
LEFT JOIN metric mm ON mm.name = 'melody' AND mm.wanted
LEFT JOIN melody m ON m.metric_id = mm.metric_id AND m.track_id = t.track_id
LEFT JOIN LATERAL (
    SELECT min(path_text) AS path_text, count(*) AS files
    FROM track_file f WHERE f.track_id = t.track_id AND f.gone_at IS NULL
) f ON true;
COMMENT ON VIEW v_library IS 'Every track ever seen, its labels and where it lies now';
COMMENT ON COLUMN v_library.voiced IS 'false: unpitched (a drum loop), so no melody number has a meaning; NULL: not measured';

CREATE VIEW v_retrieval AS
SELECT e.name AS encoder, s.rank, t.title AS target, r.title AS reference, s.cosine,
    (s.cosine - b.background_mean) / nullif(b.background_sd, 0) AS z,
    100.0::double precision * width_bucket(s.cosine, g.background_cosines)
        / nullif(cardinality(g.background_cosines), 0) AS percentile,
    p.value AS melody_accuracy, CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END AS melody_reason,
    tm.voiced AND rm.voiced AS melodic, tm.voiced AS target_voiced, rm.voiced AS reference_voiced,
    t.labels AS target_labels, r.labels AS reference_labels,
    t.track_id AS target_id, r.track_id AS reference_id,
    e.revision, e.spec ->> 'licence_weights' AS licence_weights, s.from_run
FROM served_neighbour s
JOIN encoder e ON e.encoder_id = s.encoder_id
JOIN track t ON t.track_id = s.target_id
JOIN track r ON r.track_id = s.reference_id
CROSS JOIN (SELECT max(run_id) AS run_id FROM run) latest
LEFT JOIN run_target b
    ON b.run_id = latest.run_id AND b.encoder_id = s.encoder_id AND b.target_id = s.target_id
LEFT JOIN run_encoder g ON g.run_id = latest.run_id AND g.encoder_id = s.encoder_id
LEFT JOIN metric pm ON pm.name = 'melody_accuracy' AND pm.wanted
LEFT JOIN pair_score p
    ON p.metric_id = pm.metric_id AND p.target_id = s.target_id AND p.reference_id = s.reference_id
LEFT JOIN metric mm ON mm.name = 'melody' AND mm.wanted
LEFT JOIN melody tm ON tm.metric_id = mm.metric_id AND tm.track_id = s.target_id
LEFT JOIN melody rm ON rm.metric_id = mm.metric_id AND rm.track_id = s.reference_id
WHERE s.to_run IS NULL;
COMMENT ON VIEW v_retrieval IS 'The answers of the latest run: each target''s nearest references by each encoder';
COMMENT ON COLUMN v_retrieval.cosine IS 'cosine in the encoder''s own space; not comparable between encoders';
COMMENT ON COLUMN v_retrieval.z IS 'cosine in standard deviations above this target''s mean over the reference library';
COMMENT ON COLUMN v_retrieval.percentile IS 'share of reference pairs whose cosine is lower or equal, percent';
COMMENT ON COLUMN v_retrieval.melody_accuracy IS 'frame-wise pitch class agreement, 0 to 1, chance about 0.085';
COMMENT ON COLUMN v_retrieval.melodic IS 'false: a side is unpitched, so melody_accuracy has no musical meaning';

CREATE VIEW v_retrieval_summary AS
SELECT e.name AS encoder, u.metric, u.n, u.mean, u.sd, u.undefined_n,
    e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    e.spec ->> 'checkpoint' LIKE '%random%' AS random, u.run_id, n.finished_at
FROM run_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
WHERE u.run_id = (SELECT max(run_id) FROM run);
COMMENT ON VIEW v_retrieval_summary IS 'The latest run: every metric''s mean and sd (population) over the first answer of every target';

CREATE VIEW v_change AS
SELECT c.run_id, n.finished_at, c.encoder_name AS encoder, t.title AS target,
    p.title AS previous, r.title AS reference, c.cause,
    c.target_id, c.previous_reference_id AS previous_id, c.reference_id
FROM neighbour_change c
JOIN run n ON n.run_id = c.run_id
JOIN track t ON t.track_id = c.target_id
LEFT JOIN track p ON p.track_id = c.previous_reference_id
LEFT JOIN track r ON r.track_id = c.reference_id;
COMMENT ON VIEW v_change IS 'First answers that each run changed, and why';

CREATE VIEW v_pending AS
SELECT 'embed' AS stage, name AS plugin, revision, count(*) AS items
FROM pending_embedding GROUP BY name, revision
UNION ALL
SELECT 'retrieve', e.name, e.revision, count(*)
FROM embedding_change c JOIN encoder e ON e.encoder_id = c.encoder_id
    AND (e.wanted OR e.encoder_id IN (SELECT s.encoder_id FROM serving_revision s))
GROUP BY e.name, e.revision
UNION ALL
SELECT 'melody', name, revision, count(*) FROM pending_melody GROUP BY name, revision
UNION ALL
SELECT 'evaluate', name, '', count(*) FROM pending_pair GROUP BY name;
COMMENT ON VIEW v_pending IS 'Work that the next run will do, by stage and plug-in';

CREATE VIEW v_failure AS
SELECT f.stage, f.subject, f.reason, f.message, f.retry, f.attempts, f.first_seen, f.last_seen,
    f.revision, t.title, t.collection
FROM failure f
LEFT JOIN track t ON t.track_id = f.track_id;
COMMENT ON VIEW v_failure IS 'The ledger of failures';

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
