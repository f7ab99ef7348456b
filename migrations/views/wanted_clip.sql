CREATE OR REPLACE VIEW wanted_clip AS
SELECT g.generator_id, g.name, g.revision, t.track_id AS target_id, c.caption_id,
    w.mode, w.is_conditioned, w.guidance, w.seed, w.template, l.seconds, o.generation_id, o.track_id,
    x.excerpt_id
FROM generation_wish w
JOIN generator g ON g.generator_id = w.generator_id AND g.wanted
JOIN track t ON t.state = 'ok' AND t.collection = 'target'
JOIN excerpt x ON x.track_id = t.track_id AND x.wanted
JOIN caption c ON c.track_id = t.track_id AND c.excerpt_id = x.excerpt_id
JOIN captioner k ON k.captioner_id = c.captioner_id AND k.wanted
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

COMMENT ON VIEW wanted_clip IS 'Clips that the settings request now, one row per target, generator, mode, guidance and seed. All results about clips use only these clips. If several machines generated the same clip, the first one is used.';
COMMENT ON COLUMN wanted_clip.name IS 'Name of the generator.';
COMMENT ON COLUMN wanted_clip.generation_id IS 'Generated clip; key in the table generation. NULL if the clip does not exist yet.';
COMMENT ON COLUMN wanted_clip.track_id IS 'The clip, which is a track in the collection generated; key in the table track. NULL if the clip does not exist yet.';
COMMENT ON COLUMN wanted_clip.excerpt_id IS 'Excerpt of the target from which the clip is generated; key in the table excerpt.';
