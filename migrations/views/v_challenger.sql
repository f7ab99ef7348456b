CREATE OR REPLACE VIEW v_challenger AS
SELECT w.kind, w.name, w.revision, w.active_revision, w.coverage, w.licence_weights, w.random,
    c.verdict, c.sentences, c.compared_at, c.margins
FROM (
    SELECT 'encoder' AS kind, n.encoder AS name, n.revision, a.revision AS active_revision,
        n.coverage, n.licence_weights, n.random::boolean
    FROM v_encoder n JOIN v_encoder a ON a.encoder = n.encoder AND a.serving
    WHERE n.wanted AND NOT n.serving
    UNION ALL
    SELECT 'generator', g.name, g.revision, a.revision,
        (SELECT avg((n.generation_id IS NOT NULL)::integer)::double precision
         FROM wanted_clip n WHERE n.generator_id = g.generator_id AND n.is_captioner_active),
        g.spec ->> 'licence_weights', g.is_random
    FROM generator g
    JOIN serving_generator s ON s.name = g.name AND s.generator_id <> g.generator_id
    JOIN generator a ON a.generator_id = s.generator_id
    WHERE g.wanted
    UNION ALL
    SELECT 'captioner', k.name, k.revision, a.revision,
        (SELECT avg(EXISTS (SELECT FROM caption c
                WHERE (c.captioner_id, c.track_id) = (k.captioner_id, t.track_id))::integer)::double precision
         FROM track t WHERE t.collection = 'target' AND t.state = 'ok' AND t.has_audio)
        * coalesce((SELECT avg((n.generation_id IS NOT NULL)::integer)::double precision
            FROM wanted_clip n WHERE n.captioner_id = k.captioner_id AND n.is_generator_active
              AND EXISTS (SELECT FROM wanted_clip o WHERE o.is_shown AND o.generation_id IS NOT NULL)), 1),
        k.spec ->> 'licence_weights', k.is_random
    FROM captioner k
    JOIN serving_captioner s ON s.name = k.name AND s.captioner_id <> k.captioner_id
    JOIN captioner a ON a.captioner_id = s.captioner_id
    WHERE k.wanted) w
LEFT JOIN revision_comparison c ON (c.kind, c.name, c.old_revision, c.new_revision)
    = (w.kind, w.name, w.active_revision, w.revision);

COMMENT ON VIEW v_challenger IS 'Configured revisions of encoders, captioners and generators that wait while another revision is active, with the verdict of the last comparison.';
COMMENT ON COLUMN v_challenger.kind IS 'encoder, captioner or generator.';
COMMENT ON COLUMN v_challenger.name IS 'Name of the plug-in.';
COMMENT ON COLUMN v_challenger.revision IS 'Configured revision, which waits.';
COMMENT ON COLUMN v_challenger.active_revision IS 'Active revision, whose results are shown.';
COMMENT ON COLUMN v_challenger.coverage IS 'Share, from 0 to 1, of the usable tracks that have a vector, or of the requested clips that exist. For a captioner: the share of targets with a caption, times the share of the clips from these captions that exist, if clips are shown. NULL if there are none.';
COMMENT ON COLUMN v_challenger.verdict IS 'better, not worse, worse or undecided. NULL if these two revisions were not compared yet.';
COMMENT ON COLUMN v_challenger.sentences IS 'What would change, in the words of mirpipe compare.';
COMMENT ON COLUMN v_challenger.compared_at IS 'Time of the last comparison of these two revisions.';
COMMENT ON COLUMN v_challenger.margins IS 'Margins with which the verdict was computed, each as METRIC=MARGIN in the unit of the metric: those of mirpipe compare --margin, or else of the settings. NULL if there is no verdict, or if an older version of mirpipe stored it.';
