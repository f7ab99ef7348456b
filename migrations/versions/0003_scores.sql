SET LOCAL search_path = mirpipe, public;

COMMENT ON TABLE track_score IS 'What a model gives a track, a row an axis; a missing number has a reason';
COMMENT ON COLUMN metric.spec IS 'what identifies the metric; of a model that scores tracks also "axis", the one of its axes that this row is';

-- On what they were made ------------------------------------------------------------------------

CREATE TABLE score_batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device text NOT NULL,
    versions jsonb NOT NULL,
    tracks integer NOT NULL,
    seconds double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE score_batch IS 'On what device and with which library versions a batch of track scores was made';
ALTER TABLE track_score ADD batch_id bigint REFERENCES score_batch;

ALTER TABLE run_summary ADD metric_id smallint REFERENCES metric;
COMMENT ON COLUMN run_summary.metric_id IS 'the revision whose numbers these are; NULL where they are the encoder''s own';

-- What is missing -------------------------------------------------------------------------------

CREATE VIEW shown_metric AS
SELECT DISTINCT ON (name) metric_id, name, revision, spec, wanted
FROM metric ORDER BY name, wanted DESC, metric_id DESC;
COMMENT ON VIEW shown_metric IS 'The revision of each metric that readers see: the wanted one, else the newest, so that results stay when a model is switched off';

CREATE VIEW pending_track_score AS
SELECT m.metric_id, m.name, m.revision, m.spec ->> 'name' AS plugin, t.track_id
FROM metric m
CROSS JOIN track t
WHERE m.wanted AND m.spec ->> 'axis' IS NOT NULL AND t.state = 'ok'
  AND NOT EXISTS (
    SELECT FROM track_score s WHERE s.metric_id = m.metric_id AND s.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'score' AND f.revision = m.revision AND f.track_id = t.track_id AND NOT f.retry);
COMMENT ON VIEW pending_track_score IS 'Usable tracks without a score on an axis of a wanted revision, bad input left out';

CREATE OR REPLACE VIEW v_pending AS
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
SELECT 'evaluate', name, '', count(*) FROM pending_pair GROUP BY name
UNION ALL
SELECT 'score', plugin, revision, count(DISTINCT track_id)
FROM pending_track_score GROUP BY plugin, revision;

-- What readers see ------------------------------------------------------------------------------

CREATE VIEW v_track_score AS
SELECT t.title AS track, t.collection, m.name AS metric, s.value, s.reason,
    m.spec ->> 'unit' AS unit, m.revision,
    m.spec ->> 'licence_weights' AS licence_weights,
    m.spec ->> 'checkpoint' AS checkpoint,
    coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    s.track_id, m.metric_id
FROM track_score s
JOIN shown_metric m ON m.metric_id = s.metric_id
JOIN track t ON t.track_id = s.track_id;
COMMENT ON VIEW v_track_score IS 'What models give each track, a row a track and metric';
COMMENT ON COLUMN v_track_score.track IS 'the track''s title; not unique, join by track_id';
COMMENT ON COLUMN v_track_score.collection IS 'reference, target or generated';
COMMENT ON COLUMN v_track_score.metric IS 'an axis of a model, such as aesthetics_ce';
COMMENT ON COLUMN v_track_score.value IS 'mean over the track''s windows, weighted by their length; NULL where it is undefined';
COMMENT ON COLUMN v_track_score.reason IS 'why there is no value';
COMMENT ON COLUMN v_track_score.unit IS 'of value';
COMMENT ON COLUMN v_track_score.revision IS 'identity of model, weights and window: compare within one alone';
COMMENT ON COLUMN v_track_score.licence_weights IS 'licence of the weights that made the value, which may bind what it is used for';
COMMENT ON COLUMN v_track_score.checkpoint IS 'the weights, as their publisher calls them';
COMMENT ON COLUMN v_track_score.random IS 'true: a stand-in with random weights, its numbers say nothing about music';

CREATE VIEW v_aesthetics AS
SELECT track_id, track AS title, collection,
    max(value) FILTER (WHERE metric = 'aesthetics_ce') AS ce,
    max(value) FILTER (WHERE metric = 'aesthetics_cu') AS cu,
    max(value) FILTER (WHERE metric = 'aesthetics_pc') AS pc,
    max(value) FILTER (WHERE metric = 'aesthetics_pq') AS pq,
    max(reason) AS reason,
    string_agg(DISTINCT licence_weights, '; ') AS licence_weights,
    bool_or(random) AS random
FROM v_track_score
WHERE metric IN ('aesthetics_ce', 'aesthetics_cu', 'aesthetics_pc', 'aesthetics_pq')
GROUP BY track_id, track, collection;
COMMENT ON VIEW v_aesthetics IS 'Audiobox Aesthetics, a row a scored track: what listeners would give it, about 1 to 10 points';
COMMENT ON COLUMN v_aesthetics.title IS 'not unique, join by track_id';
COMMENT ON COLUMN v_aesthetics.collection IS 'reference, target or generated';
COMMENT ON COLUMN v_aesthetics.ce IS 'content enjoyment';
COMMENT ON COLUMN v_aesthetics.cu IS 'content usefulness';
COMMENT ON COLUMN v_aesthetics.pc IS 'production complexity';
COMMENT ON COLUMN v_aesthetics.pq IS 'production quality';
COMMENT ON COLUMN v_aesthetics.reason IS 'why a number is missing';
COMMENT ON COLUMN v_aesthetics.licence_weights IS 'licence of the weights that made the numbers, which may bind what they are used for';
COMMENT ON COLUMN v_aesthetics.random IS 'true: a stand-in with random weights, its numbers say nothing about music';

-- Columns are only added, and at the end: what others built upon these views goes on working.

CREATE OR REPLACE VIEW v_encoder AS
SELECT e.name AS encoder, e.revision, e.dimension, e.wanted,
    s.encoder_id IS NOT NULL AS serving,
    e.spec ->> 'checkpoint' AS checkpoint,
    e.spec ->> 'licence_code' AS licence_code,
    e.spec ->> 'licence_weights' AS licence_weights,
    e.spec ->> 'citation' AS citation,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    e.created_at
FROM encoder e
LEFT JOIN serving_revision s ON s.encoder_id = e.encoder_id;
COMMENT ON COLUMN v_encoder.licence_weights IS 'licence of the weights, which may bind what their vectors are used for';

CREATE OR REPLACE VIEW v_retrieval AS
SELECT e.name AS encoder, s.rank, t.title AS target, r.title AS reference, s.cosine,
    (s.cosine - b.background_mean) / nullif(b.background_sd, 0) AS z,
    100.0::double precision * width_bucket(s.cosine, g.background_cosines)
        / nullif(cardinality(g.background_cosines), 0) AS percentile,
    p.value AS melody_accuracy, CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END AS melody_reason,
    tm.voiced AND rm.voiced AS melodic, tm.voiced AS target_voiced, rm.voiced AS reference_voiced,
    t.labels AS target_labels, r.labels AS reference_labels,
    t.track_id AS target_id, r.track_id AS reference_id,
    e.revision, e.spec ->> 'licence_weights' AS licence_weights, s.from_run,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random
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
COMMENT ON COLUMN v_retrieval.licence_weights IS 'licence of the encoder''s weights, which may bind what the answer is used for';
COMMENT ON COLUMN v_retrieval.random IS 'true: the encoder has random weights, its answers say nothing about music';

CREATE OR REPLACE VIEW v_retrieval_summary AS
SELECT e.name AS encoder, u.metric, u.n, u.mean, u.sd, u.undefined_n,
    e.revision,
    concat_ws('; ', e.spec ->> 'licence_weights', nullif(m.spec ->> 'licence_weights', '')) AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false)
        OR coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    u.run_id, n.finished_at, m.revision AS metric_revision,
    coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS metric_random
FROM run_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
LEFT JOIN metric m ON m.metric_id = u.metric_id
WHERE u.run_id = (SELECT max(run_id) FROM run);
COMMENT ON COLUMN v_retrieval_summary.metric IS 'cosine, z, percentile, melody_accuracy, melody_accuracy_melodic (pitched pairs alone), or an axis of a model, such as aesthetics_ce, of the answers';
COMMENT ON COLUMN v_retrieval_summary.licence_weights IS 'licences of the weights behind the numbers: the encoder''s, then the metric''s where it has weights';
COMMENT ON COLUMN v_retrieval_summary.random IS 'true: encoder or metric has random weights, the numbers say nothing about music';
COMMENT ON COLUMN v_retrieval_summary.metric_revision IS 'of the metric; NULL where the number is the encoder''s own';
COMMENT ON COLUMN v_retrieval_summary.metric_random IS 'true: it is the metric that has random weights';

CREATE OR REPLACE VIEW v_change AS
SELECT c.run_id, n.finished_at, c.encoder_name AS encoder, t.title AS target,
    p.title AS previous, r.title AS reference, c.cause,
    c.target_id, c.previous_reference_id AS previous_id, c.reference_id,
    e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random
FROM neighbour_change c
JOIN run n ON n.run_id = c.run_id
JOIN track t ON t.track_id = c.target_id
LEFT JOIN track p ON p.track_id = c.previous_reference_id
LEFT JOIN track r ON r.track_id = c.reference_id
LEFT JOIN (run_encoder g JOIN encoder e ON e.encoder_id = g.encoder_id)
    ON g.run_id = c.run_id AND e.name = c.encoder_name;
COMMENT ON COLUMN v_change.revision IS 'of the encoder that answered in this run';
COMMENT ON COLUMN v_change.licence_weights IS 'licence of its weights, which may bind what the answer is used for';
COMMENT ON COLUMN v_change.random IS 'true: the encoder has random weights, its answers say nothing about music';

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON score_batch TO mirpipe_app;
