CREATE OR REPLACE FUNCTION run_at(moment timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT max(n.run_id) FROM mirpipe.run n WHERE n.finished_at <= moment
$$;

COMMENT ON FUNCTION run_at IS 'Returns the run that readers saw at a given time, for use with top_neighbour_at and the _history views. Returns NULL for a time before the first run.';
