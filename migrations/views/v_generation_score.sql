-- The target is that of wanted_clip: a condition on it lets Postgres leave out all other targets.
-- The scores are looked up for each clip. If Postgres expected few clips, a join of all scores with
-- all clips would compute all scores again for each clip.
CREATE OR REPLACE VIEW v_generation_score AS
WITH clip AS (
    SELECT g.*, w.target_id AS wanted_target_id, r.name AS generator, r.revision,
        r.spec ->> 'licence_weights' AS generator_licence,
        r.is_random AS generator_is_random
    FROM wanted_clip w
    JOIN generation g USING (generation_id)
    JOIN generator r ON r.generator_id = g.generator_id
    WHERE w.is_shown
)
SELECT g.generation_id, g.generator_id, g.generator, g.mode, g.is_conditioned, g.guidance, g.seed, g.wanted_target_id AS target_id, g.track_id,
    s.metric, s.value, s.reason, g.revision,
    concat_ws('; ', g.generator_licence, nullif(s.licence_weights, '')) AS licence_weights,
    g.generator_is_random OR s.is_random AS random,
    s.revision AS metric_revision, coalesce(s.licence_weights, '') AS metric_licence_weights,
    s.is_random AS metric_random
FROM clip g
CROSS JOIN LATERAL (
    SELECT 'cosine ' || e.name AS metric,
        -(a.embedding OPERATOR(public.<#>) b.embedding) AS value,
        CASE WHEN a.embedding IS NULL OR b.embedding IS NULL THEN 'not_measured' END AS reason,
        e.spec ->> 'licence_weights' AS licence_weights, e.is_random, e.revision
    FROM serving_revision s
    JOIN encoder e ON e.encoder_id = s.encoder_id
        AND EXISTS (SELECT FROM encoder w WHERE w.name = e.name AND w.wanted)
    LEFT JOIN excerpt_vector a ON a.encoder_id = e.encoder_id AND a.excerpt_id = g.excerpt_id
    LEFT JOIN embedding b ON b.encoder_id = e.encoder_id AND b.track_id = g.track_id
    UNION ALL
    SELECT m.name, p.value,
        CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END,
        m.spec ->> 'licence_weights', m.is_random, m.revision
    FROM shown_metric m
    LEFT JOIN pair_score p
        ON p.metric_id = m.metric_id AND p.target_id = g.target_id AND p.reference_id = g.track_id
        AND p.excerpt_id = g.excerpt_id
    WHERE m.spec ->> 'compares' IN ('melodies', 'notes', 'vectors')
    UNION ALL
    SELECT m.name, -(c.embedding OPERATOR(public.<#>) v.embedding),
        CASE WHEN c.embedding IS NULL OR v.embedding IS NULL THEN 'not_measured' END,
        m.spec ->> 'licence_weights', m.is_random, m.revision
    FROM shown_metric m
    JOIN encoder e ON e.name = m.spec ->> 'encoder' AND e.revision = m.spec ->> 'encoder_revision'
    LEFT JOIN caption_embedding c ON c.encoder_id = e.encoder_id AND c.caption_id = g.caption_id
    LEFT JOIN embedding v ON v.encoder_id = e.encoder_id AND v.track_id = g.track_id
    WHERE m.spec ->> 'compares' = 'caption'
    UNION ALL
    SELECT m.name, p.value,
        CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END,
        m.spec ->> 'licence_weights', m.is_random, m.revision
    FROM shown_metric m
    LEFT JOIN track_score p ON p.metric_id = m.metric_id AND p.track_id = g.track_id
    WHERE m.spec ->> 'axis' IS NOT NULL
) s;

COMMENT ON VIEW v_generation_score IS 'Scores of the clips that enter the results, one row per clip and metric: scores of the clip paired with its target''s excerpt, and scores of the clip alone.';
COMMENT ON COLUMN v_generation_score.track_id IS 'The clip, which is a track in the collection generated; key in the table track.';
