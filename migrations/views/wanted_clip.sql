CREATE OR REPLACE VIEW wanted_clip AS
SELECT g.generator_id, g.name, g.revision, t.track_id AS target_id, c.caption_id,
    w.mode, w.is_conditioned, w.guidance, w.seed, w.template, l.seconds, o.generation_id, o.track_id,
    x.excerpt_id, g.wanted AS is_requested, s.is_generator_active AND a.is_captioner_active AS is_shown,
    c.captioner_id, s.is_generator_active, a.is_captioner_active
FROM generation_wish w
JOIN generator g ON g.generator_id = w.generator_id
JOIN LATERAL (
    SELECT coalesce(a.generator_id, c.generator_id) = g.generator_id AS is_generator_active
    FROM generator c LEFT JOIN serving_generator a ON a.name = c.name
    WHERE c.name = g.name AND c.wanted LIMIT 1) s ON s.is_generator_active OR g.wanted
JOIN track t ON t.state = 'ok' AND t.has_audio AND t.collection = 'target'
JOIN excerpt x ON x.track_id = t.track_id AND x.wanted
JOIN caption c ON c.track_id = t.track_id AND c.excerpt_id = x.excerpt_id
JOIN captioner k ON k.captioner_id = c.captioner_id
JOIN LATERAL (
    SELECT k.captioner_id IN (SELECT n.captioner_id FROM active_captioner n) AS is_captioner_active
    ) a ON a.is_captioner_active OR k.wanted
JOIN metric m ON m.metric_id = c.features_id AND m.wanted
CROSS JOIN LATERAL (
    SELECT round(least(x.seconds, w.longest_seconds)::numeric, 3)::double precision AS seconds) l
LEFT JOIN LATERAL (
    SELECT o.generation_id, o.track_id FROM generation o
    WHERE o.target_id = t.track_id AND o.generator_id = w.generator_id AND o.caption_id = c.caption_id
      AND o.mode = w.mode AND o.is_conditioned = w.is_conditioned
      AND o.guidance IS NOT DISTINCT FROM w.guidance AND o.seed = w.seed AND o.template = w.template
      AND o.seconds = l.seconds AND o.excerpt_id = x.excerpt_id
    ORDER BY o.generation_id LIMIT 1) o ON true;

COMMENT ON VIEW wanted_clip IS 'Clips of the configured and the active revisions of each configured generator and of the configured captioner, one row per target, two revisions, mode, guidance and seed. Results about clips use only the clips of active revisions. If several machines generated the same clip, the first one is used.';
COMMENT ON COLUMN wanted_clip.name IS 'Name of the generator.';
COMMENT ON COLUMN wanted_clip.generation_id IS 'Generated clip; key in the table generation. NULL if the clip does not exist yet.';
COMMENT ON COLUMN wanted_clip.track_id IS 'The clip, which is a track in the collection generated; key in the table track. NULL if the clip does not exist yet.';
COMMENT ON COLUMN wanted_clip.excerpt_id IS 'Excerpt of the target from which the clip is generated; key in the table excerpt.';
COMMENT ON COLUMN wanted_clip.is_requested IS 'true for the configured revision of the generator: the settings request the clip now.';
COMMENT ON COLUMN wanted_clip.is_shown IS 'true if both revisions are active: the clip enters the results.';
COMMENT ON COLUMN wanted_clip.captioner_id IS 'Captioner whose caption is used; key in the table captioner.';
COMMENT ON COLUMN wanted_clip.is_generator_active IS 'true for the active revision of the generator, or for the configured one if none is active.';
COMMENT ON COLUMN wanted_clip.is_captioner_active IS 'true for the active revision of the captioner, or for the configured one if none is active.';
