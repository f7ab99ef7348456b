CREATE SCHEMA mirpipe;
SET LOCAL search_path = mirpipe, public;

-- The library ---------------------------------------------------------------------------------

CREATE TABLE track (
    track_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection text NOT NULL CHECK (collection IN ('reference', 'target', 'generated')),
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    title text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    format text,
    seconds double precision CHECK (seconds > 0),
    sample_rate integer CHECK (sample_rate > 0),
    channels integer CHECK (channels > 0),
    rms_dbfs double precision,
    state text NOT NULL CHECK (state IN ('ok', 'rejected', 'gone')),
    reason text CHECK ((reason IS NOT NULL) OR state <> 'rejected'),
    first_seen timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (collection, content_sha256),
    CHECK (state <> 'ok' OR (seconds IS NOT NULL AND rms_dbfs IS NOT NULL AND reason IS NULL))
);
COMMENT ON TABLE track IS 'One row a distinct content within a collection; identity is the SHA-256 of the file''s bytes';
COMMENT ON COLUMN track.rms_dbfs IS 'level of the mono mix without its constant part, dB relative to full scale';
COMMENT ON COLUMN track.reason IS 'why a rejected track cannot be used; NULL otherwise';

CREATE TABLE track_file (
    collection text NOT NULL,
    path bytea NOT NULL,
    path_text text NOT NULL,
    track_id bigint REFERENCES track,
    bytes bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    reason text,
    seen_at timestamptz NOT NULL DEFAULT now(),
    gone_at timestamptz,
    PRIMARY KEY (collection, path)
);
CREATE INDEX ON track_file (track_id);
COMMENT ON TABLE track_file IS 'Every path a track was seen at; moved and duplicate files are further rows of one track';
COMMENT ON COLUMN track_file.path IS 'absolute path, the bytes the file system gave';
COMMENT ON COLUMN track_file.path_text IS 'the same for reading, undecodable bytes escaped';
COMMENT ON COLUMN track_file.track_id IS 'NULL where the file was rejected';

-- Plug-in revisions ---------------------------------------------------------------------------

CREATE TABLE encoder (
    encoder_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    revision text NOT NULL,
    dimension integer NOT NULL CHECK (dimension BETWEEN 1 AND 16000),
    spec jsonb NOT NULL,
    wanted boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, revision)
);
CREATE UNIQUE INDEX encoder_one_wanted ON encoder (name) WHERE wanted;
COMMENT ON COLUMN encoder.wanted IS 'the revision that the configuration asks for; its missing vectors are pending work';

CREATE TABLE metric (
    metric_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    revision text NOT NULL,
    spec jsonb NOT NULL,
    wanted boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, revision)
);
CREATE UNIQUE INDEX metric_one_wanted ON metric (name) WHERE wanted;

-- Vectors -------------------------------------------------------------------------------------

CREATE TABLE embedding_batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    encoder_id smallint NOT NULL REFERENCES encoder,
    device text NOT NULL,
    versions jsonb NOT NULL,
    tracks integer NOT NULL,
    seconds double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE embedding_batch IS 'On what device and with which library versions a batch of vectors was made';

CREATE TABLE embedding (
    encoder_id smallint NOT NULL REFERENCES encoder,
    track_id bigint NOT NULL REFERENCES track,
    collection text NOT NULL,
    batch_id bigint NOT NULL REFERENCES embedding_batch,
    embedding public.vector NOT NULL,
    PRIMARY KEY (encoder_id, track_id)
) PARTITION BY LIST (encoder_id);
ALTER TABLE embedding ALTER embedding SET STORAGE PLAIN;
COMMENT ON TABLE embedding IS 'L2-normalised float32 vectors, one partition an encoder revision; compare within one encoder_id only';
COMMENT ON COLUMN embedding.collection IS 'copied from track, where it never changes: filters without a join';

CREATE FUNCTION register_encoder(p_name text, p_revision text, p_dimension integer, p_spec jsonb)
RETURNS smallint LANGUAGE plpgsql SECURITY DEFINER SET search_path = mirpipe, public, pg_temp AS $$
DECLARE
    v_id smallint;
    v_partition text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('mirpipe.register_encoder', 0));
    SELECT encoder_id INTO v_id FROM encoder WHERE name = p_name AND revision = p_revision;
    UPDATE encoder SET wanted = false WHERE name = p_name AND wanted AND encoder_id IS DISTINCT FROM v_id;
    IF v_id IS NULL THEN
        INSERT INTO encoder (name, revision, dimension, spec)
        VALUES (p_name, p_revision, p_dimension, p_spec) RETURNING encoder_id INTO v_id;
        v_partition := format('embedding_%s', v_id);
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF embedding (CONSTRAINT %I CHECK (vector_dims(embedding) = %s)) FOR VALUES IN (%s)',
            v_partition, v_partition || '_dimension', p_dimension, v_id);
        EXECUTE format('ALTER TABLE %I ALTER embedding SET STORAGE PLAIN', v_partition);
        -- carries the cast, so that a query on it can use an HNSW index and cannot mix spaces
        EXECUTE format(
            'CREATE VIEW %I AS SELECT track_id, collection, embedding::public.vector(%s) AS embedding FROM %I',
            'v_' || v_partition, p_dimension, v_partition);
        EXECUTE format('GRANT SELECT ON %I TO mirpipe_app, mirpipe_read', v_partition);
        EXECUTE format('GRANT SELECT ON %I TO mirpipe_app, mirpipe_read', 'v_' || v_partition);
    ELSE
        UPDATE encoder SET wanted = true, spec = p_spec
        WHERE encoder_id = v_id AND (NOT wanted OR spec IS DISTINCT FROM p_spec);
    END IF;
    RETURN v_id;
END $$;
REVOKE EXECUTE ON FUNCTION register_encoder FROM PUBLIC;

CREATE TABLE serving_revision (
    name text PRIMARY KEY,
    encoder_id smallint NOT NULL REFERENCES encoder
);
COMMENT ON TABLE serving_revision IS 'Which revision of an encoder answers; switches when every eligible track is done in the new one';

-- Neighbours ----------------------------------------------------------------------------------

CREATE TABLE embedding_change (
    encoder_id smallint NOT NULL REFERENCES encoder,
    track_id bigint NOT NULL REFERENCES track,
    previous public.vector,
    PRIMARY KEY (encoder_id, track_id)
);
COMMENT ON TABLE embedding_change IS 'Vectors that came, went or changed eligibility since retrieve last looked';
COMMENT ON COLUMN embedding_change.previous IS 'the first vector that was overwritten or deleted since then: the one background_moment counts';

-- A row that is queued already is locked by a no-op update: retrieve, which takes rows that nobody
-- has locked, must not take it before this transaction's change can be seen.
CREATE FUNCTION queue_embedding_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    INSERT INTO embedding_change AS c (encoder_id, track_id, previous)
    SELECT encoder_id, track_id, CASE WHEN TG_OP <> 'INSERT' THEN embedding END FROM changed
    ORDER BY encoder_id, track_id
    ON CONFLICT (encoder_id, track_id) DO UPDATE SET previous = coalesce(c.previous, excluded.previous);
    RETURN NULL;
END $$;
CREATE TRIGGER embedding_inserted AFTER INSERT ON embedding REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_embedding_change();
CREATE TRIGGER embedding_updated AFTER UPDATE ON embedding REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_embedding_change();
CREATE TRIGGER embedding_deleted AFTER DELETE ON embedding REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_embedding_change();

-- For every encoder: one that embeds a track at this moment has a row that cannot be seen yet.
CREATE FUNCTION queue_state_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    INSERT INTO embedding_change AS c (encoder_id, track_id)
    SELECT e.encoder_id, a.track_id
    FROM encoder e CROSS JOIN before b JOIN after a USING (track_id)
    WHERE (a.state = 'ok') <> (b.state = 'ok')
    ORDER BY e.encoder_id, a.track_id
    ON CONFLICT (encoder_id, track_id) DO UPDATE SET previous = c.previous;
    RETURN NULL;
END $$;
CREATE TRIGGER track_state_changed AFTER UPDATE ON track
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION queue_state_change();

CREATE TABLE neighbour (
    encoder_id smallint NOT NULL REFERENCES encoder,
    target_id bigint NOT NULL REFERENCES track,
    reference_id bigint NOT NULL REFERENCES track,
    cosine double precision NOT NULL,
    PRIMARY KEY (encoder_id, target_id, reference_id)
);
CREATE INDEX neighbour_by_reference ON neighbour (encoder_id, reference_id);
COMMENT ON TABLE neighbour IS 'Working set of retrieve: the best 50 references a target';

CREATE TABLE neighbour_state (
    encoder_id smallint NOT NULL REFERENCES encoder,
    target_id bigint NOT NULL REFERENCES track,
    horizon_cosine double precision,
    horizon_sha256 bytea,
    PRIMARY KEY (encoder_id, target_id),
    CHECK ((horizon_cosine IS NULL) = (horizon_sha256 IS NULL))
);
COMMENT ON TABLE neighbour_state IS 'The (cosine, content hash) down to which a list is known to be complete; NULL: it holds every reference';

CREATE TABLE background_member (
    encoder_id smallint NOT NULL REFERENCES encoder,
    track_id bigint NOT NULL REFERENCES track,
    PRIMARY KEY (encoder_id, track_id)
);
COMMENT ON TABLE background_member IS 'References that background_moment counts';

CREATE TABLE background_moment (
    encoder_id smallint PRIMARY KEY REFERENCES encoder,
    n bigint NOT NULL,
    vector_sum bytea NOT NULL,
    outer_sum bytea NOT NULL
);
ALTER TABLE background_moment ALTER outer_sum SET STORAGE EXTERNAL;  -- does not compress
COMMENT ON TABLE background_moment IS 'n, sum r and sum r r^T of the reference vectors, little-endian float64: mean and sd of a target''s cosines follow exactly';

-- Scores --------------------------------------------------------------------------------------

CREATE TABLE melody (
    metric_id smallint NOT NULL REFERENCES metric,
    track_id bigint NOT NULL REFERENCES track,
    frames integer CHECK (frames > 0),
    pitch_classes bytea,
    voiced_fraction double precision CHECK (voiced_fraction BETWEEN 0 AND 1),
    voiced boolean,
    reason text,
    PRIMARY KEY (metric_id, track_id),
    CHECK ((pitch_classes IS NULL) = (reason IS NOT NULL))
);
COMMENT ON TABLE melody IS 'Per track: pitch class a frame, two frames a byte (first in the high half), and how much of it is pitched';
COMMENT ON COLUMN melody.voiced IS 'false: unpitched (a drum loop), so no melody number has a meaning';

CREATE TABLE track_score (
    metric_id smallint NOT NULL REFERENCES metric,
    track_id bigint NOT NULL REFERENCES track,
    value double precision,
    reason text,
    PRIMARY KEY (metric_id, track_id),
    CHECK ((value IS NULL) = (reason IS NOT NULL))
);

CREATE TABLE pair_score (
    metric_id smallint NOT NULL REFERENCES metric,
    target_id bigint NOT NULL REFERENCES track,
    reference_id bigint NOT NULL REFERENCES track,
    value double precision,
    reason text,
    PRIMARY KEY (metric_id, target_id, reference_id),
    CHECK ((value IS NULL) = (reason IS NOT NULL))
);
COMMENT ON TABLE pair_score IS 'Numbers that depend on two tracks alone; a missing number has a reason';

-- Runs ----------------------------------------------------------------------------------------

CREATE TABLE run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finished_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    trigger text NOT NULL,
    state_digest text NOT NULL,
    library jsonb NOT NULL
);
COMMENT ON TABLE run IS 'One row a report that found something changed; confirmed_at moves when a later one finds all as it was';
COMMENT ON COLUMN run.state_digest IS 'hash over what the run reports on: equal to the last one means unchanged';

CREATE TABLE served_neighbour (
    encoder_id smallint NOT NULL REFERENCES encoder,
    target_id bigint NOT NULL REFERENCES track,
    rank smallint NOT NULL CHECK (rank >= 1),
    reference_id bigint NOT NULL REFERENCES track,
    cosine double precision NOT NULL,
    from_run bigint NOT NULL REFERENCES run,
    to_run bigint REFERENCES run,
    PRIMARY KEY (encoder_id, target_id, rank, from_run),
    CHECK (to_run > from_run)
);
CREATE UNIQUE INDEX served_neighbour_current ON served_neighbour (encoder_id, target_id, rank) WHERE to_run IS NULL;
CREATE INDEX ON served_neighbour (reference_id);
COMMENT ON TABLE served_neighbour IS 'What readers see; valid from from_run up to, not including, to_run (NULL: still)';

CREATE TABLE run_encoder (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    references_n integer NOT NULL,
    targets_n integer NOT NULL,
    background_pairs bigint NOT NULL,
    background_cosines double precision[] NOT NULL,
    PRIMARY KEY (run_id, encoder_id)
);
COMMENT ON COLUMN run_encoder.background_cosines IS 'ascending quantiles of the cosine of reference pairs: the scale of percentile';

CREATE TABLE run_target (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    target_id bigint NOT NULL REFERENCES track,
    background_n integer NOT NULL,
    background_mean double precision NOT NULL,
    background_sd double precision NOT NULL,
    PRIMARY KEY (run_id, encoder_id, target_id)
);
COMMENT ON TABLE run_target IS 'Mean and sd (population) of a target''s cosines to the whole reference library: the scale of z';

CREATE TABLE run_summary (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    metric text NOT NULL,
    n integer NOT NULL,
    undefined_n integer NOT NULL,
    mean double precision,
    sd double precision,
    PRIMARY KEY (run_id, encoder_id, metric),
    CHECK ((n = 0) = (mean IS NULL) AND (n = 0) = (sd IS NULL))
);
COMMENT ON TABLE run_summary IS 'Over the first answer of every target: mean and sd (population) of a metric';

CREATE TABLE neighbour_change (
    run_id bigint NOT NULL REFERENCES run,
    encoder_name text NOT NULL,
    target_id bigint NOT NULL REFERENCES track,
    previous_reference_id bigint REFERENCES track,
    reference_id bigint REFERENCES track,
    cause text NOT NULL CHECK (cause IN ('first answer', 'new reference', 'removed reference', 're-embedding', 'removed target')),
    PRIMARY KEY (run_id, encoder_name, target_id)
);
COMMENT ON TABLE neighbour_change IS 'First answers that a run changed, and why';

-- Ledger --------------------------------------------------------------------------------------

CREATE TABLE failure (
    stage text NOT NULL,
    revision text NOT NULL DEFAULT '',
    subject text NOT NULL,
    track_id bigint REFERENCES track,
    reason text NOT NULL,
    message text NOT NULL,
    retry boolean NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stage, revision, subject)
);
CREATE INDEX ON failure (track_id, stage);
COMMENT ON TABLE failure IS 'The ledger: what failed, in which stage and revision, and why';
COMMENT ON COLUMN failure.subject IS 'the path for ingest, else collection:content hash';
COMMENT ON COLUMN failure.retry IS 'false: bad input, left alone until it changes';

-- Grants --------------------------------------------------------------------------------------

GRANT USAGE ON SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app;
GRANT EXECUTE ON FUNCTION register_encoder TO mirpipe_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA mirpipe GRANT SELECT ON TABLES TO mirpipe_app, mirpipe_read;
