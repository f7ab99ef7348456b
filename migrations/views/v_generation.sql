CREATE OR REPLACE VIEW v_generation AS
SELECT g.generation_id, r.name AS generator, g.mode, g.guidance, g.seed, t.title AS target,
    c.caption, g.prompt, g.seconds, g.target_id, g.track_id, k.name AS captioner,
    g.is_conditioned, g.template, g.prompt_parts, g.sampling, g.device, g.versions,
    g.took_seconds, g.made_at, f.path_text AS path, encode(g.content_sha256, 'hex') AS content_sha256,
    r.revision, w.generation_id IS NOT NULL AS wanted,
    r.spec ->> 'licence_weights' AS licence_weights,
    r.is_random AS random,
    x.start_seconds AS excerpt_start_seconds, x.seconds AS excerpt_seconds,
    k.revision AS captioner_revision
FROM generation g
JOIN generator r USING (generator_id)
JOIN track t ON t.track_id = g.target_id
JOIN caption c USING (caption_id)
JOIN captioner k USING (captioner_id)
LEFT JOIN excerpt x ON x.excerpt_id = g.excerpt_id
LEFT JOIN wanted_clip w ON (w.generation_id, w.target_id) = (g.generation_id, g.target_id)
    AND w.is_shown
LEFT JOIN LATERAL (
    SELECT min(path_text) AS path_text FROM track_file f
    WHERE f.track_id = g.track_id AND f.gone_at IS NULL) f ON true;

COMMENT ON VIEW v_generation IS 'Generated clips, with all inputs and settings from which each clip was generated.';
COMMENT ON COLUMN v_generation.track_id IS 'The clip, which is a track in the collection generated; key in the table track.';
COMMENT ON COLUMN v_generation.path IS 'Path of the clip. NULL if the file is missing.';
COMMENT ON COLUMN v_generation.wanted IS 'true if the clip enters the results: the settings request it, and the revisions of its generator and its captioner are active.';
COMMENT ON COLUMN v_generation.excerpt_start_seconds IS 'Start of the excerpt of the target from which the clip was generated, in seconds. NULL for clips from earlier versions that used another part.';
COMMENT ON COLUMN v_generation.excerpt_seconds IS 'Length of the excerpt of the target, in seconds. NULL for clips from earlier versions that used another part.';
COMMENT ON COLUMN v_generation.captioner_revision IS 'Revision of the captioner that wrote the caption.';
