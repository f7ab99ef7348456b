CREATE OR REPLACE VIEW pending_generation AS
SELECT g.generator_id, g.name, g.revision, t.track_id AS target_id, c.caption_id,
    w.mode, w.is_conditioned, w.guidance, w.seed, w.template,
    round(least(t.seconds, w.longest_seconds)::numeric, 3)::double precision AS seconds, s.subject
FROM generation_wish w
JOIN generator g ON g.generator_id = w.generator_id AND g.wanted
JOIN track t ON t.state = 'ok' AND t.collection = 'target'
JOIN caption c ON c.track_id = t.track_id
JOIN captioner k ON k.captioner_id = c.captioner_id AND k.wanted
JOIN metric m ON m.metric_id = c.features_id AND m.wanted
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', t.collection || ':' || encode(t.content_sha256, 'hex'), w.mode,
        'guidance ' || w.guidance, 'seed ' || w.seed) AS subject) s
WHERE NOT EXISTS (
    SELECT FROM generation o
    WHERE o.target_id = t.track_id AND o.generator_id = w.generator_id AND o.caption_id = c.caption_id
      AND o.mode = w.mode AND o.is_conditioned = w.is_conditioned
      AND o.guidance IS NOT DISTINCT FROM w.guidance AND o.seed = w.seed AND o.template = w.template
      AND o.seconds = round(least(t.seconds, w.longest_seconds)::numeric, 3)::double precision)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'generate' AND f.revision = g.revision AND NOT f.retry
      AND f.subject IN (s.subject, t.collection || ':' || encode(t.content_sha256, 'hex')));

COMMENT ON VIEW pending_generation IS 'Clips that are requested by the settings and do not exist yet. A clip counts as existing regardless of the device that computed it. Clips that failed because of bad input are left out.';
COMMENT ON COLUMN pending_generation.subject IS 'Name of the clip in the failure ledger. The name consists of the target, mode, guidance and seed.';
