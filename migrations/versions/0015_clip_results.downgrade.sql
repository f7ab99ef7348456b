SET LOCAL search_path = mirpipe, public;

-- Earlier versions store one caption, clip and score per key, so only the newest ones are kept.
CREATE TEMPORARY TABLE older_caption ON COMMIT DROP AS
SELECT a.caption_id FROM caption a JOIN caption b USING (captioner_id, track_id, features_id)
WHERE b.caption_id > a.caption_id;
DELETE FROM generation WHERE caption_id IN (SELECT caption_id FROM older_caption);
DELETE FROM caption_embedding WHERE caption_id IN (SELECT caption_id FROM older_caption);
DELETE FROM caption WHERE caption_id IN (SELECT caption_id FROM older_caption);
DELETE FROM generation g USING generation n
WHERE n.generation_id > g.generation_id AND n.guidance IS NOT DISTINCT FROM g.guidance
  AND (n.target_id, n.generator_id, n.caption_id, n.mode, n.is_conditioned, n.seed, n.seconds)
    = (g.target_id, g.generator_id, g.caption_id, g.mode, g.is_conditioned, g.seed, g.seconds)
  AND (n.template, n.device, n.versions) = (g.template, g.device, g.versions);
DELETE FROM pair_score s USING pair_score n
WHERE coalesce(n.excerpt_id, 0) > coalesce(s.excerpt_id, 0)
  AND (n.metric_id, n.target_id, n.reference_id) = (s.metric_id, s.target_id, s.reference_id);

ALTER TABLE pair_score DROP excerpt_id, ADD PRIMARY KEY (metric_id, target_id, reference_id);
ALTER TABLE generation DROP excerpt_id, ADD UNIQUE NULLS NOT DISTINCT
    (target_id, generator_id, caption_id, mode, is_conditioned, guidance, seed, seconds, template, device, versions);
ALTER TABLE caption DROP excerpt_id, ADD UNIQUE (captioner_id, track_id, features_id);
DROP TABLE excerpt_embedding, excerpt;

ALTER TABLE run_generation_summary DROP clips_n, DROP averaged_over;
ALTER TABLE run_group_summary DROP clips_n, DROP averaged_over;
ALTER TABLE run_comparison DROP than_mean;
