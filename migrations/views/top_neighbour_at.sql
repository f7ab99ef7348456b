-- The stored cosines are compressed. Appending nothing makes a copy, so that they are decompressed once
-- for each encoder, and not for each match.
CREATE OR REPLACE FUNCTION top_neighbour_at(run_id bigint)
RETURNS TABLE (encoder text, rank smallint, target text, reference text, cosine double precision,
    z double precision, percentile double precision, target_id bigint, reference_id bigint,
    revision text, licence_weights text, random boolean, from_run bigint, to_run bigint,
    relation text, counted_rank smallint)
LANGUAGE sql STABLE AS $$
    SELECT e.name, s.rank, t.title, r.title, s.cosine,
        (s.cosine - b.background_mean) / nullif(b.background_sd, 0),
        100.0::double precision * width_bucket(s.cosine, g.background_cosines)
            / nullif(cardinality(g.background_cosines), 0),
        s.target_id, s.reference_id, e.revision, e.spec ->> 'licence_weights',
        e.is_random, s.from_run, s.to_run, s.relation, s.counted_rank
    FROM mirpipe.served_neighbour s
    JOIN mirpipe.encoder e ON e.encoder_id = s.encoder_id
    JOIN mirpipe.track t ON t.track_id = s.target_id
    JOIN mirpipe.track r ON r.track_id = s.reference_id
    JOIN mirpipe.run n ON n.run_id = top_neighbour_at.run_id
    LEFT JOIN mirpipe.run_target b
        ON b.run_id = n.run_id AND b.encoder_id = s.encoder_id AND b.target_id = s.target_id
    LEFT JOIN (
        SELECT o.encoder_id, o.background_cosines || '{}' AS background_cosines
        FROM mirpipe.run_encoder o WHERE o.run_id = top_neighbour_at.run_id OFFSET 0) g
        ON g.encoder_id = s.encoder_id
    WHERE int8range(s.from_run, s.to_run) @> top_neighbour_at.run_id
    ORDER BY e.name, s.target_id, s.rank
$$;

COMMENT ON FUNCTION top_neighbour_at IS 'Returns the matches that readers saw in a run, up to 10 per target and encoder. z and percentile refer to the library at the time of the run; titles are the current titles. z is NULL if all cosines of the target were equal, or if MIRPIPE_KEEP_HISTORY_DAYS is set and over for the run. Returns no rows if there is no such run.';
