SET LOCAL search_path = mirpipe, public;

COMMENT ON COLUMN metric.spec IS 'what identifies the metric; "axis": of a model that scores tracks, the one of its axes that this row is; "compares": of a number of two tracks, what of them is compared: melodies, notes, vectors; caption: of words and a clip';

CREATE OR REPLACE VIEW shown_metric AS
SELECT DISTINCT ON (m.name) m.metric_id, m.name, m.revision, m.spec, m.wanted
FROM metric m
ORDER BY m.name, EXISTS (
    SELECT FROM serving_revision s JOIN encoder e USING (encoder_id)
    WHERE e.name = m.spec ->> 'encoder' AND e.revision = m.spec ->> 'encoder_revision') DESC,
    m.wanted DESC, m.metric_id DESC;
COMMENT ON VIEW shown_metric IS 'The revision of each metric that readers see: of one that compares vectors, that of an encoder revision which answers; then the wanted one, else the newest, so that results stay when a model is switched off';

-- Captions as an encoder's text tower hears them ---------------------------------------------------

CREATE TABLE caption_embedding (
    encoder_id smallint NOT NULL REFERENCES encoder,
    caption_id bigint NOT NULL REFERENCES caption,
    embedding public.vector NOT NULL,
    device text NOT NULL,
    versions jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (encoder_id, caption_id)
);
COMMENT ON TABLE caption_embedding IS 'L2-normalised float32 vectors of captions, in the space of the same encoder''s vectors of audio';
COMMENT ON COLUMN caption_embedding.encoder_id IS 'whose text tower: compare with embedding of the same encoder_id only';
COMMENT ON COLUMN caption_embedding.caption_id IS 'the caption, in its own words and nothing else';
COMMENT ON COLUMN caption_embedding.embedding IS 'length 1';
COMMENT ON COLUMN caption_embedding.device IS 'where it was computed';
COMMENT ON COLUMN caption_embedding.versions IS 'of the libraries that computed it';
COMMENT ON COLUMN caption_embedding.written_at IS 'when it was stored';

-- What is missing ---------------------------------------------------------------------------------

CREATE OR REPLACE VIEW pending_melody AS
SELECT m.metric_id, m.name, m.revision, t.track_id
FROM metric m
CROSS JOIN track t
WHERE m.wanted AND m.name = 'melody' AND t.state = 'ok'
  AND NOT EXISTS (
    SELECT FROM melody s WHERE s.metric_id = m.metric_id AND s.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f JOIN metric a ON a.name = 'features' AND a.wanted AND a.revision = f.revision
    WHERE f.stage = 'analyse' AND f.track_id = t.track_id AND NOT f.retry);

CREATE OR REPLACE VIEW pending_feature AS
SELECT m.metric_id, m.name, m.revision, t.track_id
FROM metric m
CROSS JOIN track t
WHERE m.wanted AND m.name = 'features' AND t.state = 'ok'
  AND NOT EXISTS (
    SELECT FROM track_feature s WHERE s.metric_id = m.metric_id AND s.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'analyse' AND f.revision = m.revision AND f.track_id = t.track_id AND NOT f.retry);
COMMENT ON VIEW pending_feature IS 'Usable tracks without features of the wanted revision, bad input left out';

CREATE VIEW wanted_pair AS
SELECT n.target_id, n.reference_id
FROM top_neighbour n
JOIN encoder e ON e.encoder_id = n.encoder_id
    AND (e.wanted OR e.encoder_id IN (SELECT s.encoder_id FROM serving_revision s))
UNION
SELECT g.target_id, g.track_id FROM generation g;
COMMENT ON VIEW wanted_pair IS 'Two tracks that are compared: a target and an answer of any encoder, or a target and a clip made of it';
COMMENT ON COLUMN wanted_pair.target_id IS 'the target';
COMMENT ON COLUMN wanted_pair.reference_id IS 'the answer or the clip, a track too';

-- Pairs that have every number are left out by one hash join, so that readers who ask what is
-- pending when nothing is need not look up every number of every pair.
CREATE OR REPLACE VIEW pending_pair AS
WITH pair AS MATERIALIZED (
    SELECT n.target_id, n.reference_id
    FROM wanted_pair n
    LEFT JOIN (
        SELECT s.target_id, s.reference_id, count(*) AS n
        FROM pair_score s JOIN metric k USING (metric_id)
        WHERE k.wanted AND k.spec ->> 'compares' IN ('melodies', 'notes', 'vectors')
        GROUP BY s.target_id, s.reference_id) scored USING (target_id, reference_id)
    WHERE coalesce(scored.n, 0) < (
        SELECT count(*) FROM metric k
        WHERE k.wanted AND k.spec ->> 'compares' IN ('melodies', 'notes', 'vectors'))
)
SELECT p.metric_id, p.name, m.metric_id AS melody_id, n.target_id, n.reference_id
FROM pair n
JOIN metric m ON m.name = 'melody' AND m.wanted
JOIN melody t ON t.metric_id = m.metric_id AND t.track_id = n.target_id
JOIN melody r ON r.metric_id = m.metric_id AND r.track_id = n.reference_id
LEFT JOIN metric f ON f.name = 'features' AND f.wanted
LEFT JOIN track_feature tf ON tf.metric_id = f.metric_id AND tf.track_id = n.target_id
LEFT JOIN track_feature rf ON rf.metric_id = f.metric_id AND rf.track_id = n.reference_id
JOIN metric p ON p.wanted AND (p.spec ->> 'compares' = 'melodies'
    OR p.spec ->> 'compares' = 'notes' AND tf.track_id IS NOT NULL AND rf.track_id IS NOT NULL)
WHERE NOT EXISTS (
    SELECT FROM pair_score s
    WHERE s.metric_id = p.metric_id AND s.target_id = n.target_id AND s.reference_id = n.reference_id)
UNION ALL
SELECT p.metric_id, p.name, NULL, n.target_id, n.reference_id
FROM pair n
JOIN metric p ON p.wanted AND p.spec ->> 'compares' = 'vectors'
JOIN encoder e ON e.name = p.spec ->> 'encoder' AND e.revision = p.spec ->> 'encoder_revision'
WHERE NOT EXISTS (
    SELECT FROM pair_score s
    WHERE s.metric_id = p.metric_id AND s.target_id = n.target_id AND s.reference_id = n.reference_id)
  AND NOT EXISTS (
    SELECT FROM (VALUES (n.target_id), (n.reference_id)) side (track_id)
    WHERE NOT EXISTS (
        SELECT FROM embedding v WHERE v.encoder_id = e.encoder_id AND v.track_id = side.track_id)
      AND NOT EXISTS (
        SELECT FROM failure f
        WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = side.track_id AND NOT f.retry));
COMMENT ON VIEW pending_pair IS 'Numbers of wanted pairs that are not there though what they compare is: melodies, notes, or vectors (or the certainty that there will be none)';
COMMENT ON COLUMN pending_pair.melody_id IS 'the metric whose melodies are compared; NULL where vectors are';

CREATE VIEW pending_caption_embedding AS
SELECT e.encoder_id, e.name, e.revision, c.caption_id
FROM metric p
JOIN encoder e ON e.name = p.spec ->> 'encoder' AND e.revision = p.spec ->> 'encoder_revision' AND e.wanted
CROSS JOIN caption c
JOIN captioner k ON k.captioner_id = c.captioner_id AND k.wanted
JOIN track t ON t.track_id = c.track_id AND t.state = 'ok'
WHERE p.wanted AND p.spec ->> 'compares' = 'caption'
  AND NOT EXISTS (
    SELECT FROM caption_embedding v WHERE v.encoder_id = e.encoder_id AND v.caption_id = c.caption_id);
COMMENT ON VIEW pending_caption_embedding IS 'Captions of the wanted captioner without a vector by the text tower that text scores are of';

CREATE OR REPLACE VIEW v_pending AS
SELECT 'embed' AS stage, name AS plugin, revision, count(*) AS items
FROM pending_embedding GROUP BY name, revision
UNION ALL
SELECT 'retrieve', e.name, e.revision, count(*)
FROM embedding_change c JOIN encoder e ON e.encoder_id = c.encoder_id
    AND (e.wanted OR e.encoder_id IN (SELECT s.encoder_id FROM serving_revision s))
GROUP BY e.name, e.revision
UNION ALL
SELECT 'analyse', name, revision, count(*) FROM pending_melody GROUP BY name, revision
UNION ALL
SELECT 'evaluate', name, '', count(*) FROM pending_pair GROUP BY name
UNION ALL
SELECT 'score', plugin, revision, count(DISTINCT track_id)
FROM pending_track_score GROUP BY plugin, revision
UNION ALL
SELECT 'analyse', name, revision, count(*) FROM pending_feature GROUP BY name, revision
UNION ALL
SELECT 'caption', name, revision, count(*) FROM pending_caption GROUP BY name, revision
UNION ALL
SELECT 'embed captions', name, revision, count(*) FROM pending_caption_embedding GROUP BY name, revision
UNION ALL
SELECT 'generate', name, revision, count(*) FROM pending_generation GROUP BY name, revision;

-- What readers see --------------------------------------------------------------------------------

CREATE VIEW v_pair_score AS
SELECT t.title AS target, r.title AS reference, r.collection, m.name AS metric, p.value, p.reason,
    m.spec ->> 'unit' AS unit, m.revision,
    m.spec ->> 'licence_weights' AS licence_weights,
    coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    nullif(m.spec ->> 'checkpoint', '') AS checkpoint,
    p.target_id, p.reference_id, m.metric_id
FROM pair_score p
JOIN shown_metric m ON m.metric_id = p.metric_id
JOIN track t ON t.track_id = p.target_id
JOIN track r ON r.track_id = p.reference_id;
COMMENT ON VIEW v_pair_score IS 'Every number that depends on two tracks alone, a row a pair and metric: a target with an answer, or with a clip made of it';
COMMENT ON COLUMN v_pair_score.target IS 'the target''s title; not unique, join by target_id';
COMMENT ON COLUMN v_pair_score.reference IS 'the other track''s title; not unique, join by reference_id';
COMMENT ON COLUMN v_pair_score.collection IS 'of the other track: reference, or generated';
COMMENT ON COLUMN v_pair_score.metric IS 'melody_accuracy, melody_accuracy_corrected, melody_accuracy_null95, melody_oti, melody_oti_corrected, melody_oti_null95, aligned_melody or clap_similarity';
COMMENT ON COLUMN v_pair_score.value IS 'higher is more alike; a _null95 is what 95 % of the same pair''s time shifts do not exceed; NULL where it is undefined';
COMMENT ON COLUMN v_pair_score.reason IS 'why there is no value, such as unpitched';
COMMENT ON COLUMN v_pair_score.unit IS 'of value';
COMMENT ON COLUMN v_pair_score.revision IS 'identity of the metric and of what it compares: compare within one alone';
COMMENT ON COLUMN v_pair_score.licence_weights IS 'licence of the weights behind the number, which may bind what it is used for; empty where there are none';
COMMENT ON COLUMN v_pair_score.random IS 'true: random weights, the number says nothing about music';
COMMENT ON COLUMN v_pair_score.checkpoint IS 'the weights, as their publisher calls them; NULL where there are none';
COMMENT ON COLUMN v_pair_score.target_id IS 'track_id of the target';
COMMENT ON COLUMN v_pair_score.reference_id IS 'track_id of the answer or the clip';
COMMENT ON COLUMN v_pair_score.metric_id IS 'key of metric';

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
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    pc.value AS melody_corrected, pn.value AS melody_null95, p.value > pn.value AS melody_beats_chance,
    CASE WHEN pc.value IS NULL THEN coalesce(pc.reason, 'not_measured') END AS melody_chance_reason,
    po.value AS melody_oti, poc.value AS melody_oti_corrected, pon.value AS melody_oti_null95,
    po.value > pon.value AS melody_oti_beats_chance,
    CASE WHEN poc.value IS NULL THEN coalesce(poc.reason, 'not_measured') END AS melody_oti_reason,
    pa.value AS aligned_melody,
    CASE WHEN pa.value IS NULL THEN coalesce(pa.reason, 'not_measured') END AS aligned_reason,
    pv.value AS clap_similarity,
    CASE WHEN pv.value IS NULL THEN coalesce(pv.reason, 'not_measured') END AS clap_reason,
    CASE WHEN cm.metric_id IS NOT NULL THEN coalesce(cm.spec ->> 'checkpoint' LIKE '%random%', false) END AS clap_similarity_random,
    cm.spec ->> 'licence_weights' AS clap_licence_weights, cm.spec ->> 'checkpoint' AS clap_checkpoint
FROM served_neighbour s
JOIN encoder e ON e.encoder_id = s.encoder_id
JOIN track t ON t.track_id = s.target_id
JOIN track r ON r.track_id = s.reference_id
CROSS JOIN (SELECT max(run_id) AS run_id FROM run) latest
CROSS JOIN (
    SELECT max(metric_id) FILTER (WHERE name = 'melody_accuracy') AS accuracy,
        max(metric_id) FILTER (WHERE name = 'melody_accuracy_corrected') AS corrected,
        max(metric_id) FILTER (WHERE name = 'melody_accuracy_null95') AS null95,
        max(metric_id) FILTER (WHERE name = 'melody_oti') AS oti,
        max(metric_id) FILTER (WHERE name = 'melody_oti_corrected') AS oti_corrected,
        max(metric_id) FILTER (WHERE name = 'melody_oti_null95') AS oti_null95,
        max(metric_id) FILTER (WHERE name = 'aligned_melody') AS aligned,
        max(metric_id) FILTER (WHERE name = 'clap_similarity') AS clap
    FROM shown_metric) k
LEFT JOIN run_target b
    ON b.run_id = latest.run_id AND b.encoder_id = s.encoder_id AND b.target_id = s.target_id
LEFT JOIN run_encoder g ON g.run_id = latest.run_id AND g.encoder_id = s.encoder_id
LEFT JOIN pair_score p
    ON p.metric_id = k.accuracy AND p.target_id = s.target_id AND p.reference_id = s.reference_id
LEFT JOIN pair_score pc
    ON pc.metric_id = k.corrected AND pc.target_id = s.target_id AND pc.reference_id = s.reference_id
LEFT JOIN pair_score pn
    ON pn.metric_id = k.null95 AND pn.target_id = s.target_id AND pn.reference_id = s.reference_id
LEFT JOIN pair_score po
    ON po.metric_id = k.oti AND po.target_id = s.target_id AND po.reference_id = s.reference_id
LEFT JOIN pair_score poc
    ON poc.metric_id = k.oti_corrected AND poc.target_id = s.target_id AND poc.reference_id = s.reference_id
LEFT JOIN pair_score pon
    ON pon.metric_id = k.oti_null95 AND pon.target_id = s.target_id AND pon.reference_id = s.reference_id
LEFT JOIN pair_score pa
    ON pa.metric_id = k.aligned AND pa.target_id = s.target_id AND pa.reference_id = s.reference_id
LEFT JOIN pair_score pv
    ON pv.metric_id = k.clap AND pv.target_id = s.target_id AND pv.reference_id = s.reference_id
LEFT JOIN metric cm ON cm.metric_id = k.clap
LEFT JOIN metric mm ON mm.name = 'melody' AND mm.wanted
LEFT JOIN melody tm ON tm.metric_id = mm.metric_id AND tm.track_id = s.target_id
LEFT JOIN melody rm ON rm.metric_id = mm.metric_id AND rm.track_id = s.reference_id
WHERE s.to_run IS NULL;
COMMENT ON COLUMN v_retrieval.z IS 'cosine in standard deviations above this target''s mean over the reference library; NULL where all references are equally near, as one alone is';
COMMENT ON COLUMN v_retrieval.percentile IS 'share of reference pairs whose cosine is lower or equal, percent; NULL where there is one reference alone';
COMMENT ON COLUMN v_retrieval.melody_reason IS 'why there is no melody_accuracy';
COMMENT ON COLUMN v_retrieval.melody_corrected IS 'melody_accuracy with chance at 0 and identity at 1: (accuracy - mean) / (1 - mean), the mean of this pair''s circular time shifts of 2 s and more; NULL where a side is unpitched';
COMMENT ON COLUMN v_retrieval.melody_null95 IS 'the melody_accuracy that 95 % of this pair''s time shifts do not exceed, 0 to 1';
COMMENT ON COLUMN v_retrieval.melody_beats_chance IS 'melody_accuracy lies above melody_null95; one answer in twenty does so by chance';
COMMENT ON COLUMN v_retrieval.melody_chance_reason IS 'why there is no melody_corrected';
COMMENT ON COLUMN v_retrieval.melody_oti IS 'melody accuracy after the best of 12 transpositions, 0 to 1; unrelated music about 0.12';
COMMENT ON COLUMN v_retrieval.melody_oti_corrected IS 'the same with chance at 0 and identity at 1, the transposition chosen anew at every time shift';
COMMENT ON COLUMN v_retrieval.melody_oti_null95 IS 'the melody_oti that 95 % of this pair''s time shifts do not exceed, 0 to 1';
COMMENT ON COLUMN v_retrieval.melody_oti_beats_chance IS 'melody_oti lies above melody_oti_null95';
COMMENT ON COLUMN v_retrieval.melody_oti_reason IS 'why there is no melody_oti_corrected';
COMMENT ON COLUMN v_retrieval.aligned_melody IS 'share of the shorter track''s notes that the other plays in any key and tempo, 0 to 1; unrelated music up to 0.3';
COMMENT ON COLUMN v_retrieval.aligned_reason IS 'why there is no aligned_melody';
COMMENT ON COLUMN v_retrieval.clap_similarity IS 'cosine of the two tracks'' stored CLAP vectors, -1 to 1, whichever encoder answered';
COMMENT ON COLUMN v_retrieval.clap_reason IS 'why there is no clap_similarity';
COMMENT ON COLUMN v_retrieval.clap_similarity_random IS 'true: clap_similarity comes of random weights and says nothing about music; NULL: no CLAP is wanted';
COMMENT ON COLUMN v_retrieval.clap_licence_weights IS 'licence of the weights behind clap_similarity';
COMMENT ON COLUMN v_retrieval.clap_checkpoint IS 'the weights behind clap_similarity: values of two checkpoints cannot be compared';

CREATE OR REPLACE VIEW v_generation_score AS
WITH made AS (
    SELECT g.*, r.name AS generator, r.revision,
        r.spec ->> 'licence_weights' AS licence_generator,
        r.spec ->> 'checkpoint' LIKE '%random%' AS random_generator
    FROM generation g
    JOIN generator r ON r.generator_id = g.generator_id AND r.wanted
    JOIN caption c USING (caption_id)
    JOIN captioner k ON k.captioner_id = c.captioner_id AND k.wanted
    JOIN track t ON t.track_id = g.target_id AND t.state = 'ok'
    WHERE EXISTS (
        SELECT FROM generation_wish w
        WHERE w.generator_id = g.generator_id AND w.template = g.template AND w.is_conditioned = g.is_conditioned)
), scored AS (
    SELECT m.generation_id, 'cosine ' || e.name AS metric,
        -(a.embedding OPERATOR(public.<#>) b.embedding) AS value,
        CASE WHEN a.embedding IS NULL OR b.embedding IS NULL THEN 'not_measured' END AS reason,
        e.spec ->> 'licence_weights' AS licence_weights,
        e.spec ->> 'checkpoint' LIKE '%random%' AS random, e.revision
    FROM made m
    CROSS JOIN serving_revision s
    JOIN encoder e ON e.encoder_id = s.encoder_id
        AND EXISTS (SELECT FROM encoder w WHERE w.name = e.name AND w.wanted)
    LEFT JOIN embedding a ON a.encoder_id = e.encoder_id AND a.track_id = m.target_id
    LEFT JOIN embedding b ON b.encoder_id = e.encoder_id AND b.track_id = m.track_id
    UNION ALL
    SELECT m.generation_id, q.name, p.value,
        CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END,
        q.spec ->> 'licence_weights', q.spec ->> 'checkpoint' LIKE '%random%', q.revision
    FROM made m
    JOIN shown_metric q ON q.spec ->> 'compares' IN ('melodies', 'notes', 'vectors')
    LEFT JOIN pair_score p
        ON p.metric_id = q.metric_id AND p.target_id = m.target_id AND p.reference_id = m.track_id
    UNION ALL
    SELECT m.generation_id, q.name, -(c.embedding OPERATOR(public.<#>) v.embedding),
        CASE WHEN c.embedding IS NULL OR v.embedding IS NULL THEN 'not_measured' END,
        q.spec ->> 'licence_weights', q.spec ->> 'checkpoint' LIKE '%random%', q.revision
    FROM made m
    JOIN shown_metric q ON q.spec ->> 'compares' = 'caption'
    JOIN encoder e ON e.name = q.spec ->> 'encoder' AND e.revision = q.spec ->> 'encoder_revision'
    LEFT JOIN caption_embedding c ON c.encoder_id = e.encoder_id AND c.caption_id = m.caption_id
    LEFT JOIN embedding v ON v.encoder_id = e.encoder_id AND v.track_id = m.track_id
    UNION ALL
    SELECT m.generation_id, q.name, p.value,
        CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END,
        q.spec ->> 'licence_weights', q.spec ->> 'checkpoint' LIKE '%random%', q.revision
    FROM made m
    JOIN shown_metric q ON q.spec ->> 'axis' IS NOT NULL
    LEFT JOIN track_score p ON p.metric_id = q.metric_id AND p.track_id = m.track_id
)
SELECT m.generation_id, m.generator_id, m.generator, m.mode, m.is_conditioned, m.guidance, m.seed, m.target_id, m.track_id,
    s.metric, s.value, s.reason, m.revision,
    concat_ws('; ', m.licence_generator, nullif(s.licence_weights, '')) AS licence_weights,
    m.random_generator OR coalesce(s.random, false) AS random,
    s.revision AS metric_revision, coalesce(s.licence_weights, '') AS metric_licence_weights,
    coalesce(s.random, false) AS metric_random
FROM made m
JOIN scored s USING (generation_id);
COMMENT ON COLUMN v_generation_score.metric IS '"cosine" and an encoder: similarity of target and clip in that space; clap_text_score: of the caption''s words and the clip; else a metric''s name, as in v_pair_score or v_track_score';
COMMENT ON COLUMN v_generation_score.metric_revision IS 'of the metric, or of the encoder whose cosine it is: compare within one alone';
COMMENT ON COLUMN v_generation_score.metric_licence_weights IS 'licence of the weights that measured; empty where there are none';
COMMENT ON COLUMN v_generation_score.metric_random IS 'true: what measured has random weights';

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON caption_embedding TO mirpipe_app;
