-- Only tracks that may have pending work are looked up, so the cost does not grow with the library.
CREATE OR REPLACE VIEW v_pending AS
SELECT 'embed' AS stage, name AS plugin, revision, count(*) AS items
FROM (
    SELECT name, revision, track_id FROM pending_embedding
    WHERE track_id IN (SELECT u.track_id FROM unsettled_track u)
    UNION ALL SELECT name, revision, track_id FROM pending_excerpt_embedding) p
GROUP BY name, revision
UNION ALL
SELECT 'retrieve', e.name, e.revision, count(*)
FROM embedding_change c JOIN encoder e ON e.encoder_id = c.encoder_id
    AND (e.wanted OR e.encoder_id IN (SELECT s.encoder_id FROM serving_revision s))
GROUP BY e.name, e.revision
UNION ALL
SELECT 'analyse', name, revision, count(*) FROM pending_melody
WHERE track_id IN (SELECT u.track_id FROM unsettled_track u) GROUP BY name, revision
UNION ALL
SELECT 'evaluate', name, '', count(*) FROM pending_pair
WHERE EXISTS (SELECT FROM pair_input_change) GROUP BY name
UNION ALL
SELECT 'evaluate', 'same_recording', '', count(*) FROM fingerprint_change HAVING count(*) > 0
UNION ALL
SELECT 'score', plugin, revision, count(DISTINCT track_id)
FROM pending_track_score
WHERE track_id IN (SELECT u.track_id FROM unsettled_track u) GROUP BY plugin, revision
UNION ALL
SELECT 'analyse', name, revision, count(*) FROM pending_feature
WHERE track_id IN (SELECT u.track_id FROM unsettled_track u) GROUP BY name, revision
UNION ALL
SELECT 'caption', name, revision, count(*) FROM pending_caption GROUP BY name, revision
UNION ALL
SELECT 'embed captions', name, revision, count(*) FROM pending_caption_embedding GROUP BY name, revision
UNION ALL
SELECT 'generate', name, revision, count(*) FROM pending_generation GROUP BY name, revision;

COMMENT ON VIEW v_pending IS 'Pending work: what the next run will do, per stage and plug-in.';
COMMENT ON COLUMN v_pending.stage IS 'Stage: embed, embed captions, score, analyse, retrieve, evaluate, caption or generate.';
COMMENT ON COLUMN v_pending.plugin IS 'Plug-in or metric that will do the work. same_recording: comparison of fingerprints.';
COMMENT ON COLUMN v_pending.revision IS 'Revision of the plug-in. Empty for evaluate.';
COMMENT ON COLUMN v_pending.items IS 'Number of pending tracks, pairs, captions or clips.';
