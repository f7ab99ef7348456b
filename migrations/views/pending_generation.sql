CREATE OR REPLACE VIEW pending_generation AS
SELECT w.generator_id, w.name, w.revision, w.target_id, w.caption_id,
    w.mode, w.is_conditioned, w.guidance, w.seed, w.template, w.seconds, s.subject, w.excerpt_id,
    w.captioner_id, w.is_generator_active, w.is_captioner_active
FROM wanted_clip w
JOIN track t ON t.track_id = w.target_id
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', t.collection || ':' || encode(t.content_sha256, 'hex'), w.mode,
        'guidance ' || w.guidance, 'seed ' || w.seed) AS subject) s
WHERE w.generation_id IS NULL AND w.is_requested
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'generate' AND f.revision = w.revision AND NOT f.retry
      AND f.subject IN (s.subject, t.collection || ':' || encode(t.content_sha256, 'hex')));

COMMENT ON VIEW pending_generation IS 'Clips that are requested by the settings and do not exist yet. A clip counts as existing regardless of the device that computed it. Clips that failed because of bad input are left out.';
COMMENT ON COLUMN pending_generation.subject IS 'Name of the clip in the failure ledger. The name consists of the target, mode, guidance and seed.';
COMMENT ON COLUMN pending_generation.is_generator_active IS 'true for the active revision of the generator, or for the configured one if none is active.';
COMMENT ON COLUMN pending_generation.is_captioner_active IS 'true for the active revision of the captioner, or for the configured one if none is active.';
