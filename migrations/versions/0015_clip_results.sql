SET LOCAL search_path = mirpipe, public;

ALTER TABLE run_generation_summary
    ADD clips_n integer,
    ADD averaged_over text NOT NULL DEFAULT 'targets' CHECK (averaged_over IN ('targets', 'clips'));
ALTER TABLE run_group_summary
    ADD clips_n integer,
    ADD averaged_over text NOT NULL DEFAULT 'targets' CHECK (averaged_over IN ('targets', 'clips'));
-- If every target has one value, the mean over clips is the mean over targets.
UPDATE run_generation_summary SET clips_n = n,
    averaged_over = CASE WHEN n = targets_n THEN 'targets' ELSE 'clips' END;
UPDATE run_group_summary SET clips_n = n,
    averaged_over = CASE WHEN n = targets_n THEN 'targets' ELSE 'clips' END
WHERE generator_id IS NOT NULL;

ALTER TABLE run_comparison ADD than_mean double precision;
-- If all targets of the second mode are compared, their mean is stored already.
UPDATE run_comparison c SET than_mean = s.mean FROM run_generation_summary s
WHERE (s.run_id, s.generator_id, s.mode, s.metric) = (c.run_id, c.generator_id, c.than_mode, c.metric)
  AND s.guidance IS NOT DISTINCT FROM c.than_guidance
  AND s.averaged_over = 'targets' AND s.n = c.n;
COMMENT ON COLUMN run_comparison.than_mean IS 'Mean of the second encoder or mode over the n targets that have both values. NULL if n is 0, and in runs made before this column was introduced.';

CREATE TABLE excerpt (
    excerpt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    track_id bigint NOT NULL REFERENCES track,
    start_seconds double precision NOT NULL CHECK (start_seconds >= 0),
    seconds double precision NOT NULL CHECK (seconds > 0),
    is_whole boolean NOT NULL,
    wanted boolean NOT NULL DEFAULT true,
    UNIQUE (track_id, start_seconds, seconds),
    CHECK (NOT is_whole OR start_seconds = 0)
);
CREATE UNIQUE INDEX excerpt_one_wanted ON excerpt (track_id) WHERE wanted;
COMMENT ON TABLE excerpt IS 'Excerpts of targets: the middle part that is captioned, that conditions the clips, and that the clips are compared with.';
COMMENT ON COLUMN excerpt.track_id IS 'Target; key in the table track.';
COMMENT ON COLUMN excerpt.start_seconds IS 'Start of the excerpt in the target, in seconds.';
COMMENT ON COLUMN excerpt.is_whole IS 'true if the target is not longer than a clip, so that the excerpt is the complete target.';
COMMENT ON COLUMN excerpt.wanted IS 'true for the excerpt that the settings request. Each target has one such excerpt.';

ALTER TABLE caption ADD excerpt_id bigint REFERENCES excerpt,
    DROP CONSTRAINT caption_captioner_id_track_id_features_id_key,
    ADD UNIQUE NULLS NOT DISTINCT (captioner_id, track_id, features_id, excerpt_id);
COMMENT ON COLUMN caption.excerpt_id IS 'Excerpt whose middle the captioner received; key in the table excerpt. NULL if the caption describes another part of the track, as in earlier versions.';

ALTER TABLE generation ADD excerpt_id bigint REFERENCES excerpt,
    DROP CONSTRAINT generation_target_id_generator_id_caption_id_mode_is_condit_key,
    ADD UNIQUE NULLS NOT DISTINCT (target_id, generator_id, caption_id, mode, is_conditioned,
        guidance, seed, seconds, template, device, versions, excerpt_id);
COMMENT ON COLUMN generation.excerpt_id IS 'Excerpt of the target from which the clip was generated; key in the table excerpt. NULL if the clip was generated from another part, as in earlier versions.';

ALTER TABLE pair_score ADD excerpt_id bigint REFERENCES excerpt,
    DROP CONSTRAINT pair_score_pkey,
    ADD UNIQUE NULLS NOT DISTINCT (metric_id, target_id, reference_id, excerpt_id);

-- A centred excerpt has the same middle as its track. A caption therefore stays valid if its window
-- is not longer than the excerpt, and a conditioned clip stays valid if the excerpt is the track.
INSERT INTO excerpt (track_id, start_seconds, seconds, is_whole)
SELECT track_id, round(greatest(0, (t.seconds - l.seconds) / 2)::numeric, 3),
    round(least(t.seconds, l.seconds)::numeric, 3), t.seconds <= l.seconds
FROM track t, (SELECT coalesce(max(longest_seconds), 30) AS seconds FROM generation_wish) l
WHERE t.collection = 'target' AND t.seconds >= 0.001;
UPDATE caption c SET excerpt_id = x.excerpt_id FROM excerpt x
WHERE x.track_id = c.track_id AND c.window_seconds <= x.seconds + 0.001
  AND abs(c.window_start_seconds + c.window_seconds / 2 - x.start_seconds - x.seconds / 2) < 0.01;
UPDATE generation g SET excerpt_id = x.excerpt_id
FROM caption c JOIN excerpt x USING (excerpt_id)
WHERE c.caption_id = g.caption_id AND (x.is_whole OR NOT g.is_conditioned);
UPDATE pair_score s SET excerpt_id = x.excerpt_id
FROM excerpt x, track r
WHERE x.track_id = s.target_id AND x.is_whole AND r.track_id = s.reference_id
  AND r.collection = 'generated';

CREATE TABLE excerpt_embedding (
    encoder_id integer NOT NULL REFERENCES encoder,
    excerpt_id bigint NOT NULL REFERENCES excerpt,
    batch_id bigint NOT NULL REFERENCES embedding_batch,
    embedding public.vector NOT NULL,
    PRIMARY KEY (encoder_id, excerpt_id)
);
COMMENT ON TABLE excerpt_embedding IS 'Excerpt vectors: float32, of length 1, in the same space as the vectors of the tracks. The vector of a complete track is in the table embedding.';
COMMENT ON COLUMN excerpt_embedding.encoder_id IS 'Encoder revision; key in the table encoder. Compare only with vectors that have the same encoder_id.';
COMMENT ON COLUMN excerpt_embedding.batch_id IS 'Batch in which the vector was computed; key in the table embedding_batch.';
COMMENT ON COLUMN excerpt_embedding.embedding IS 'Vector of the excerpt: float32, of length 1, with the encoder''s dimension.';

GRANT SELECT ON excerpt, excerpt_embedding TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON excerpt, excerpt_embedding TO mirpipe_app;
