CREATE SCHEMA mirpipe;
SET LOCAL search_path = mirpipe, public;
COMMENT ON SCHEMA mirpipe IS 'Evaluation of music retrieval and generation. Views whose names begin with v_ are for readers and keep their columns; tables may change.';

-- Library ---------------------------------------------------------------------------------------

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
COMMENT ON TABLE track IS 'Tracks: one row per distinct audio in a collection.';
COMMENT ON COLUMN track.title IS 'Title, taken from the manifest, the tags or the file name. Not unique.';
COMMENT ON COLUMN track.reason IS 'Code of the reason why the track was rejected. NULL if it was not rejected.';
COMMENT ON COLUMN track.changed_at IS 'Time at which the state, title or labels last changed.';

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
COMMENT ON TABLE track_file IS 'Every path at which a track was found. A track that was moved or copied has several rows.';
COMMENT ON COLUMN track_file.path IS 'Absolute path, stored as the bytes that the file system returned, or the address s3://BUCKET/KEY.';
COMMENT ON COLUMN track_file.path_text IS 'Path as text. Bytes that cannot be decoded are escaped.';
COMMENT ON COLUMN track_file.track_id IS 'Track that the file belongs to; key in the table track. NULL if the file was rejected.';
COMMENT ON COLUMN track_file.bytes IS 'File size, in bytes.';
COMMENT ON COLUMN track_file.mtime_ns IS 'Modification time of the file, in nanoseconds since 1970.';
COMMENT ON COLUMN track_file.reason IS 'Code of the reason why the file was rejected. NULL if the file was accepted.';
COMMENT ON COLUMN track_file.seen_at IS 'Time at which the file was last read.';
COMMENT ON COLUMN track_file.gone_at IS 'Time at which the file was first found missing. NULL if the file exists.';

-- Plug-in revisions -----------------------------------------------------------------------------

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
COMMENT ON TABLE encoder IS 'Encoders: one row per revision of a plug-in that turns tracks into vectors.';
COMMENT ON COLUMN encoder.wanted IS 'true for the configured revision, which is the one requested by the settings. Missing vectors of this revision are pending work.';

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
COMMENT ON TABLE metric IS 'Metrics: one row per revision. A metric is a number about a track or a pair of tracks.';
COMMENT ON COLUMN metric.spec IS 'Everything that identifies the metric. "axis" is the name of a score axis of a model that scores tracks. "compares" is what a pair metric compares: melodies, notes or vectors, or caption if it compares a caption with a clip.';

CREATE TABLE captioner (
    captioner_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    revision text NOT NULL,
    spec jsonb NOT NULL,
    wanted boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, revision)
);
CREATE UNIQUE INDEX captioner_one_wanted ON captioner (wanted) WHERE wanted;
COMMENT ON TABLE captioner IS 'Captioners: one row per revision of a plug-in that describes tracks in words.';
COMMENT ON COLUMN captioner.wanted IS 'true for the configured captioner. Generators use its captions.';

CREATE TABLE generator (
    generator_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    revision text NOT NULL,
    spec jsonb NOT NULL,
    wanted boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, revision)
);
CREATE UNIQUE INDEX generator_one_wanted ON generator (name) WHERE wanted;
COMMENT ON TABLE generator IS 'Generators: one row per revision of a plug-in that generates music.';

-- Vectors ---------------------------------------------------------------------------------------

CREATE TABLE embedding_batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    encoder_id smallint NOT NULL REFERENCES encoder,
    device text NOT NULL,
    versions jsonb NOT NULL,
    tracks integer NOT NULL,
    seconds double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE embedding_batch IS 'Batches of vectors: the device and the library versions used for each batch.';

CREATE TABLE embedding (
    encoder_id smallint NOT NULL REFERENCES encoder,
    track_id bigint NOT NULL REFERENCES track,
    collection text NOT NULL,
    batch_id bigint NOT NULL REFERENCES embedding_batch,
    embedding public.vector NOT NULL,
    PRIMARY KEY (encoder_id, track_id)
) PARTITION BY LIST (encoder_id);
ALTER TABLE embedding ALTER embedding SET STORAGE PLAIN;
COMMENT ON TABLE embedding IS 'Track vectors: float32, of length 1, with one partition per encoder revision. Compare only vectors with the same encoder_id.';
COMMENT ON COLUMN embedding.collection IS 'Collection of the track, copied from track so that filters need no join. The value never changes.';
COMMENT ON COLUMN embedding.batch_id IS 'Batch in which the vector was computed; key in the table embedding_batch.';
COMMENT ON COLUMN embedding.embedding IS 'Vector of the track: float32, of length 1, with the encoder''s dimension.';

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

CREATE FUNCTION describe_encoder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mirpipe, public, pg_temp AS $$
DECLARE
    v_table text := format('embedding_%s', NEW.encoder_id);
    v_whose text := format('%s, revision %s', NEW.name, NEW.revision);
    f record;
BEGIN
    IF to_regclass(v_table) IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('COMMENT ON TABLE %I IS %L', v_table, 'Vectors of ' || v_whose);
    EXECUTE format('COMMENT ON VIEW %I IS %L', 'v_' || v_table,
        format('Vectors of %s: search here, where an HNSW index can serve and spaces cannot be mixed', v_whose));
    FOR f IN
        SELECT c.relname, a.attname, col_description(b.attrelid, b.attnum) AS meaning
        FROM pg_attribute b
        JOIN pg_attribute a ON a.attname = b.attname
        JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'mirpipe'::regnamespace
        WHERE b.attrelid = 'embedding'::regclass AND b.attnum > 0 AND c.relname IN (v_table, 'v_' || v_table)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', f.relname, f.attname, f.meaning);
    END LOOP;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION describe_encoder FROM PUBLIC;

-- The trigger is deferred to the end of the transaction, because register_encoder creates the
-- partition after the row.
CREATE CONSTRAINT TRIGGER encoder_described AFTER INSERT OR UPDATE OF name ON encoder
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION describe_encoder();

CREATE TABLE serving_revision (
    name text PRIMARY KEY,
    encoder_id smallint NOT NULL REFERENCES encoder
);
COMMENT ON TABLE serving_revision IS 'The active revision for each encoder name. A new revision becomes active when it is complete.';
COMMENT ON COLUMN serving_revision.encoder_id IS 'Active revision, whose matches are shown; key in the table encoder.';

-- Neighbours ------------------------------------------------------------------------------------

CREATE TABLE embedding_change (
    encoder_id smallint NOT NULL REFERENCES encoder,
    track_id bigint NOT NULL REFERENCES track,
    previous public.vector,
    PRIMARY KEY (encoder_id, track_id)
);
COMMENT ON TABLE embedding_change IS 'Vectors that were added, removed or changed, or whose track became usable or unusable or got another content hash, since retrieve last ran.';
COMMENT ON COLUMN embedding_change.previous IS 'First vector that was overwritten or deleted since retrieve last ran. The sums in background_moment still include this vector.';

-- If a row is already queued, it is locked by an update that changes nothing. retrieve takes only
-- unlocked rows, and therefore cannot take the row before it can see this transaction's change.
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

-- The track is queued for every encoder, because an encoder that is embedding the track at this
-- moment has a row that this transaction cannot see yet.
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
COMMENT ON TABLE neighbour IS 'Neighbour lists: the 50 most similar references per target and encoder. retrieve keeps them up to date.';

CREATE TABLE neighbour_state (
    encoder_id smallint NOT NULL REFERENCES encoder,
    target_id bigint NOT NULL REFERENCES track,
    horizon_cosine double precision,
    horizon_sha256 bytea,
    PRIMARY KEY (encoder_id, target_id),
    CHECK ((horizon_cosine IS NULL) = (horizon_sha256 IS NULL))
);
COMMENT ON TABLE neighbour_state IS 'Horizon of each neighbour list: the cosine and content hash down to which the list is known to be complete.';
COMMENT ON COLUMN neighbour_state.horizon_cosine IS 'Cosine down to which the list is complete. NULL if the list contains every reference.';
COMMENT ON COLUMN neighbour_state.horizon_sha256 IS 'Content hash that breaks ties between equal cosines at the horizon.';

CREATE TABLE background_member (
    encoder_id smallint NOT NULL REFERENCES encoder,
    track_id bigint NOT NULL REFERENCES track,
    PRIMARY KEY (encoder_id, track_id)
);
COMMENT ON TABLE background_member IS 'References that are included in the sums of background_moment.';

CREATE TABLE background_moment (
    encoder_id smallint PRIMARY KEY REFERENCES encoder,
    n bigint NOT NULL,
    vector_sum bytea NOT NULL,
    outer_sum bytea NOT NULL
);
ALTER TABLE background_moment ALTER outer_sum SET STORAGE EXTERNAL;  -- The bytes do not compress.
COMMENT ON TABLE background_moment IS 'Sums over the reference vectors r, per encoder. The mean and the standard deviation of a target''s cosines follow exactly from these sums.';
COMMENT ON COLUMN background_moment.n IS 'Number of references in the sums.';
COMMENT ON COLUMN background_moment.vector_sum IS 'Sum of r, as little-endian float64.';
COMMENT ON COLUMN background_moment.outer_sum IS 'Sum of the outer products r r^T, as little-endian float64, row by row.';

-- Features and scores ---------------------------------------------------------------------------

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
COMMENT ON TABLE melody IS 'Melodies: the pitch class in each frame of a track, and the share of the track that is pitched.';
COMMENT ON COLUMN melody.frames IS 'Number of frames. Each frame has one pitch class.';
COMMENT ON COLUMN melody.pitch_classes IS 'Pitch classes, where 0 is C. Each byte contains two frames; the first frame is in the upper four bits.';
COMMENT ON COLUMN melody.reason IS 'Code of the reason why the melody is missing. NULL if there is a melody.';

CREATE TABLE track_feature (
    metric_id smallint NOT NULL REFERENCES metric,
    track_id bigint NOT NULL REFERENCES track,
    tempo_bpm double precision CHECK (tempo_bpm > 0),
    beat_seconds double precision[] NOT NULL,
    meter integer CHECK (meter > 0),
    key text,
    key_clarity double precision CHECK (key_clarity BETWEEN 0 AND 1),
    voiced_fraction double precision NOT NULL CHECK (voiced_fraction BETWEEN 0 AND 1),
    notes bytea NOT NULL,
    onsets_per_second double precision NOT NULL,
    brightness_hz double precision NOT NULL,
    reasons jsonb NOT NULL CHECK (jsonb_typeof(reasons) = 'object'),
    PRIMARY KEY (metric_id, track_id)
);
COMMENT ON TABLE track_feature IS 'Features: tempo, beats, meter, key, notes and brightness of a track. Each revision measures a track only once.';
COMMENT ON COLUMN track_feature.beat_seconds IS 'Beat times in seconds, in ascending order. Empty if there is no tempo.';
COMMENT ON COLUMN track_feature.notes IS 'Transcribed notes, in a packed format.';
COMMENT ON COLUMN track_feature.onsets_per_second IS 'Number of note or drum onsets per second.';
COMMENT ON COLUMN track_feature.brightness_hz IS 'Mean spectral centroid, in Hz.';

CREATE TABLE score_batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device text NOT NULL,
    versions jsonb NOT NULL,
    tracks integer NOT NULL,
    seconds double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE score_batch IS 'Batches of track scores: the device and the library versions used for each batch.';

CREATE TABLE track_score (
    metric_id smallint NOT NULL REFERENCES metric,
    track_id bigint NOT NULL REFERENCES track,
    value double precision,
    reason text,
    batch_id bigint REFERENCES score_batch,
    PRIMARY KEY (metric_id, track_id),
    CHECK ((value IS NULL) = (reason IS NOT NULL))
);
COMMENT ON TABLE track_score IS 'Scores of single tracks, one row per track and axis of a model.';
COMMENT ON COLUMN track_score.batch_id IS 'Batch in which the score was computed; key in the table score_batch.';

CREATE TABLE pair_score (
    metric_id smallint NOT NULL REFERENCES metric,
    target_id bigint NOT NULL REFERENCES track,
    reference_id bigint NOT NULL REFERENCES track,
    value double precision,
    reason text,
    PRIMARY KEY (metric_id, target_id, reference_id),
    CHECK ((value IS NULL) = (reason IS NOT NULL))
);
COMMENT ON TABLE pair_score IS 'Scores of pairs: a target and one of its matches or clips. A score depends only on these two tracks and, for a clip, on the excerpt of the target.';
COMMENT ON COLUMN pair_score.reference_id IS 'Match or clip of the target; key in the table track.';

-- Captions --------------------------------------------------------------------------------------

CREATE TABLE caption (
    caption_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    captioner_id smallint NOT NULL REFERENCES captioner,
    track_id bigint NOT NULL REFERENCES track,
    features_id smallint NOT NULL REFERENCES metric,
    caption text NOT NULL CHECK (caption <> ''),
    window_start_seconds double precision NOT NULL CHECK (window_start_seconds >= 0),
    window_seconds double precision NOT NULL CHECK (window_seconds > 0),
    contradictions text[] NOT NULL,
    device text NOT NULL,
    versions jsonb NOT NULL,
    took_seconds double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (captioner_id, track_id, features_id),
    FOREIGN KEY (features_id, track_id) REFERENCES track_feature (metric_id, track_id)
);
COMMENT ON TABLE caption IS 'Captions: what a captioner wrote about a window of a track. The measured features are in track_feature.';

CREATE TABLE caption_embedding (
    encoder_id smallint NOT NULL REFERENCES encoder,
    caption_id bigint NOT NULL REFERENCES caption,
    embedding public.vector NOT NULL,
    device text NOT NULL,
    versions jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (encoder_id, caption_id)
);
COMMENT ON TABLE caption_embedding IS 'Caption vectors: float32, of length 1, in the same space as the audio vectors of the encoder.';
COMMENT ON COLUMN caption_embedding.encoder_id IS 'Encoder that computed the vector from the text; key in the table encoder. Compare only with vectors that have the same encoder_id.';
COMMENT ON COLUMN caption_embedding.caption_id IS 'Caption; key in the table caption. Only the words of the caption are embedded.';
COMMENT ON COLUMN caption_embedding.embedding IS 'Vector of the caption: float32, of length 1.';

-- Generation ------------------------------------------------------------------------------------

CREATE TABLE generation_wish (
    generator_id smallint NOT NULL REFERENCES generator,
    mode text NOT NULL,
    is_conditioned boolean NOT NULL,
    guidance double precision,
    seed bigint NOT NULL CHECK (seed >= 0),
    template text NOT NULL,
    longest_seconds double precision NOT NULL CHECK (longest_seconds > 0),
    UNIQUE NULLS NOT DISTINCT (generator_id, mode, guidance, seed)
);
COMMENT ON TABLE generation_wish IS 'Clips that the settings request for every target.';
COMMENT ON COLUMN generation_wish.longest_seconds IS 'Maximum length of a clip, in seconds. A clip for a shorter target is as long as the target.';

CREATE TABLE generation (
    generation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_id bigint NOT NULL REFERENCES track,
    generator_id smallint NOT NULL REFERENCES generator,
    caption_id bigint NOT NULL REFERENCES caption,
    mode text NOT NULL,
    is_conditioned boolean NOT NULL,
    guidance double precision,
    seed bigint NOT NULL,
    seconds double precision NOT NULL CHECK (seconds > 0),
    template text NOT NULL,
    prompt text NOT NULL,
    prompt_parts jsonb NOT NULL,
    sampling jsonb NOT NULL,
    device text NOT NULL,
    versions jsonb NOT NULL,
    track_id bigint NOT NULL REFERENCES track,
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    took_seconds double precision NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT
        (target_id, generator_id, caption_id, mode, is_conditioned, guidance, seed, seconds, template, device, versions)
);
CREATE INDEX ON generation (track_id);
COMMENT ON TABLE generation IS 'Generated clips, with everything that determines each clip. If two generations have the same content, they share a track.';
COMMENT ON COLUMN generation.track_id IS 'The clip, which is a track in the collection generated; key in the table track.';

-- Runs ------------------------------------------------------------------------------------------

CREATE TABLE run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finished_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    trigger text NOT NULL,
    state_digest text NOT NULL,
    library jsonb NOT NULL
);
COMMENT ON TABLE run IS 'Runs: one row per published state of all results. A report adds a row only if something changed.';
COMMENT ON COLUMN run.run_id IS 'Run number.';
COMMENT ON COLUMN run.confirmed_at IS 'Time at which a later report last found no change.';
COMMENT ON COLUMN run.trigger IS 'What started the report: a DAG run id, or "command line".';
COMMENT ON COLUMN run.state_digest IS 'Hash of everything that the run reports on. If the hash equals that of the previous run, nothing has changed.';
COMMENT ON COLUMN run.library IS 'Number of tracks per collection and state.';

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
COMMENT ON TABLE served_neighbour IS 'Published matches. A row is valid from from_run up to, but not including, to_run.';
COMMENT ON COLUMN served_neighbour.from_run IS 'First run in which the match was valid; key in the table run.';
COMMENT ON COLUMN served_neighbour.to_run IS 'First run in which the match was no longer valid; key in the table run. NULL if it is still valid.';

CREATE TABLE run_encoder (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    references_n integer NOT NULL,
    targets_n integer NOT NULL,
    background_pairs bigint NOT NULL,
    background_cosines double precision[] NOT NULL,
    PRIMARY KEY (run_id, encoder_id)
);
COMMENT ON TABLE run_encoder IS 'Active encoders of a run: how many tracks were compared, and how similar references are to each other.';
COMMENT ON COLUMN run_encoder.references_n IS 'Number of references with a vector.';
COMMENT ON COLUMN run_encoder.targets_n IS 'Number of targets with a vector.';
COMMENT ON COLUMN run_encoder.background_pairs IS 'Number of reference pairs whose cosines were counted.';
COMMENT ON COLUMN run_encoder.background_cosines IS 'Quantiles of the reference pairs'' cosines, in ascending order. The percentile column in views is computed from these quantiles.';

CREATE TABLE run_target (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    target_id bigint NOT NULL REFERENCES track,
    background_n integer NOT NULL,
    background_mean double precision NOT NULL,
    background_sd double precision NOT NULL,
    PRIMARY KEY (run_id, encoder_id, target_id)
);
COMMENT ON TABLE run_target IS 'Mean and standard deviation of a target''s cosines to all references. The z column in views is computed from these values.';
COMMENT ON COLUMN run_target.background_n IS 'Number of references over which the mean was computed.';
COMMENT ON COLUMN run_target.background_mean IS 'Mean of the target''s cosines to all references.';
COMMENT ON COLUMN run_target.background_sd IS 'Population standard deviation of the target''s cosines to all references.';

CREATE TABLE neighbour_change (
    run_id bigint NOT NULL REFERENCES run,
    encoder_name text NOT NULL,
    target_id bigint NOT NULL REFERENCES track,
    previous_reference_id bigint REFERENCES track,
    reference_id bigint REFERENCES track,
    cause text NOT NULL CHECK (cause IN ('first answer', 'new reference', 'removed reference', 're-embedding', 'removed target')),
    PRIMARY KEY (run_id, encoder_name, target_id)
);
COMMENT ON TABLE neighbour_change IS 'Best matches that changed in a run, or whose title or labels changed, and why.';
COMMENT ON COLUMN neighbour_change.encoder_name IS 'Name of the encoder.';
COMMENT ON COLUMN neighbour_change.previous_reference_id IS 'Best match before the run; key in the table track. NULL if there was none.';
COMMENT ON COLUMN neighbour_change.reference_id IS 'Best match from the run onwards; key in the table track. NULL if there is none.';

CREATE TABLE run_summary (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    metric text NOT NULL,
    n integer NOT NULL,
    undefined_n integer NOT NULL,
    mean double precision,
    sd double precision,
    metric_id smallint REFERENCES metric,
    low double precision,
    high double precision,
    interval_reason text DEFAULT 'not_computed',
    PRIMARY KEY (run_id, encoder_id, metric),
    CHECK ((n = 0) = (mean IS NULL) AND (n = 0) = (sd IS NULL)),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL))
);
COMMENT ON TABLE run_summary IS 'Match summaries: the mean and standard deviation of each metric over the best matches of all targets, per run and encoder.';
COMMENT ON COLUMN run_summary.metric_id IS 'Revision of the metric; key in the table metric. NULL if the number comes from the encoder itself.';

CREATE TABLE run_generation_summary (
    run_id bigint NOT NULL REFERENCES run,
    generator_id smallint NOT NULL REFERENCES generator,
    mode text NOT NULL,
    guidance double precision,
    metric text NOT NULL,
    n integer NOT NULL,
    undefined_n integer NOT NULL,
    mean double precision,
    sd double precision,
    low double precision,
    high double precision,
    targets_n integer,
    interval_reason text DEFAULT 'not_computed',
    metric_revision text,
    metric_licence_weights text,
    metric_random boolean,
    UNIQUE NULLS NOT DISTINCT (run_id, generator_id, mode, guidance, metric),
    CHECK ((n = 0) = (mean IS NULL) AND (n = 0) = (sd IS NULL)),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL))
);
COMMENT ON TABLE run_generation_summary IS 'Clip summaries: each metric of the clips with the same mode and guidance, summarised over targets, per run and generator. The values of a target''s clips are averaged first.';

CREATE TABLE run_group_summary (
    run_id bigint NOT NULL REFERENCES run,
    label text NOT NULL,
    value text NOT NULL,
    encoder_id smallint REFERENCES encoder,
    generator_id smallint REFERENCES generator,
    mode text,
    guidance double precision,
    metric text NOT NULL,
    metric_id smallint REFERENCES metric,
    metric_revision text,
    metric_licence_weights text,
    metric_random boolean,
    n integer NOT NULL,
    undefined_n integer NOT NULL,
    targets_n integer NOT NULL,
    unlabelled_n integer NOT NULL,
    mean double precision,
    sd double precision,
    low double precision,
    high double precision,
    interval_reason text,
    UNIQUE NULLS NOT DISTINCT (run_id, encoder_id, generator_id, mode, guidance, metric, label, value),
    CHECK ((encoder_id IS NULL) <> (generator_id IS NULL)),
    CHECK ((generator_id IS NULL) = (mode IS NULL)),
    CHECK ((n = 0) = (mean IS NULL) AND (n = 0) = (sd IS NULL)),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL))
);
COMMENT ON TABLE run_group_summary IS 'Group summaries: the mean and standard deviation of a metric over the targets with the same genre or instrument, for an encoder''s matches or a generator''s clips.';
COMMENT ON COLUMN run_group_summary.encoder_id IS 'Encoder that found the matches; key in the table encoder. NULL for clips.';
COMMENT ON COLUMN run_group_summary.generator_id IS 'Generator that made the clips; key in the table generator. NULL for matches.';
COMMENT ON COLUMN run_group_summary.mode IS 'Generation mode of the clips. NULL for matches.';
COMMENT ON COLUMN run_group_summary.guidance IS 'Classifier-free guidance scale. NULL for matches, and for generators without a guidance scale.';
COMMENT ON COLUMN run_group_summary.metric_id IS 'Revision of the metric for matches; key in the table metric. NULL for clips, and if the number comes from the encoder itself.';
COMMENT ON COLUMN run_group_summary.n IS 'Number of targets with a value, over which mean and sd are computed. Number of clips in rows with averaged_over = clips.';
COMMENT ON COLUMN run_group_summary.undefined_n IS 'Number of matches or clips without a value.';

CREATE TABLE run_comparison (
    run_id bigint NOT NULL REFERENCES run,
    kind text NOT NULL CHECK (kind IN ('retrieval', 'generation')),
    encoder_id smallint REFERENCES encoder,
    than_encoder_id smallint REFERENCES encoder,
    generator_id smallint REFERENCES generator,
    mode text,
    guidance double precision,
    than_mode text,
    than_guidance double precision,
    metric text NOT NULL,
    n integer NOT NULL,
    mean_difference double precision,
    sd double precision,
    low double precision,
    high double precision,
    interval_reason text,
    higher_n integer NOT NULL,
    p double precision CHECK (p > 0 AND p <= 1),
    p_holm double precision CHECK (p_holm >= p AND p_holm <= 1),
    method text CHECK (method IN ('exact', 'permutation')),
    reason text,
    family_n integer NOT NULL,
    licence_weights text NOT NULL,
    random boolean NOT NULL,
    UNIQUE NULLS NOT DISTINCT
        (run_id, encoder_id, than_encoder_id, generator_id, mode, guidance, than_mode, than_guidance, metric),
    CHECK ((kind = 'retrieval') = (encoder_id IS NOT NULL) AND (kind = 'retrieval') = (than_encoder_id IS NOT NULL)),
    CHECK ((kind = 'generation') = (generator_id IS NOT NULL)
        AND (kind = 'generation') = (mode IS NOT NULL) AND (kind = 'generation') = (than_mode IS NOT NULL)),
    CHECK ((n = 0) = (mean_difference IS NULL) AND (n = 0) = (sd IS NULL)),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL)),
    CHECK ((p IS NULL) = (p_holm IS NULL) AND (p IS NULL) = (method IS NULL) AND (p IS NULL) = (reason IS NOT NULL))
);
COMMENT ON TABLE run_comparison IS 'Comparisons of two encoders, or of two modes of a generator, by one metric. The values are paired by target; only targets with both values are compared.';
COMMENT ON COLUMN run_comparison.kind IS 'retrieval: the best matches of two encoders. generation: the clips of two modes.';
COMMENT ON COLUMN run_comparison.encoder_id IS 'First encoder: the one whose name comes later in alphabetical order; key in the table encoder. NULL for clips.';
COMMENT ON COLUMN run_comparison.than_encoder_id IS 'Second encoder; key in the table encoder. NULL for clips.';
COMMENT ON COLUMN run_comparison.generator_id IS 'Generator of both modes; key in the table generator. NULL for matches.';
COMMENT ON COLUMN run_comparison.metric IS 'Name of the metric, as in run_summary and run_generation_summary. Cosines of different encoders are left out, because they are not comparable.';
COMMENT ON COLUMN run_comparison.p_holm IS 'p-value after Holm''s correction for all encoder comparisons in the run, or for all mode comparisons of the generator.';

CREATE TABLE run_ranking (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint REFERENCES encoder,
    queries text NOT NULL CHECK (queries IN ('targets', 'references')),
    label text NOT NULL,
    metric text NOT NULL CHECK (metric IN ('p_at_1', 'p_at_5', 'p_at_10', 'mrr', 'map')),
    rerank text NOT NULL CHECK (rerank IN ('cosine', 'csls', 'fusion')),
    n integer NOT NULL CHECK (n >= 0),
    left_out_n integer NOT NULL CHECK (left_out_n >= 0),
    mean double precision CHECK (mean BETWEEN 0 AND 1),
    low double precision,
    high double precision,
    UNIQUE NULLS NOT DISTINCT (run_id, encoder_id, queries, label, metric, rerank),
    CHECK ((encoder_id IS NULL) = (rerank = 'fusion')),
    CHECK ((n = 0) = (mean IS NULL)),
    CHECK ((n < 2) = (low IS NULL) AND (low IS NULL) = (high IS NULL))
);
COMMENT ON TABLE run_ranking IS 'Ranking quality: how highly an encoder ranks references that share a label with the query.';
COMMENT ON COLUMN run_ranking.encoder_id IS 'Encoder revision; key in the table encoder. NULL for the fusion of all encoders.';

CREATE TABLE run_hubness (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    queries text NOT NULL CHECK (queries IN ('targets', 'references')),
    rerank text NOT NULL CHECK (rerank IN ('cosine', 'csls')),
    k smallint NOT NULL CHECK (k > 0),
    skewness double precision,
    largest integer NOT NULL,
    largest_reference_id bigint NOT NULL REFERENCES track,
    never_retrieved_share double precision NOT NULL CHECK (never_retrieved_share BETWEEN 0 AND 1),
    n integer NOT NULL CHECK (n > 0),
    references_n integer NOT NULL CHECK (references_n > 0),
    PRIMARY KEY (run_id, encoder_id, queries, rerank, k)
);
COMMENT ON TABLE run_hubness IS 'Hubness: how unevenly references occur in the matches. A few references may occur in most match lists, and many in none.';

CREATE TABLE run_hub (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    queries text NOT NULL CHECK (queries IN ('targets', 'references')),
    rerank text NOT NULL CHECK (rerank IN ('cosine', 'csls')),
    k smallint NOT NULL CHECK (k > 0),
    rank smallint NOT NULL CHECK (rank > 0),
    reference_id bigint NOT NULL REFERENCES track,
    retrieved_n integer NOT NULL CHECK (retrieved_n > 0),
    PRIMARY KEY (run_id, encoder_id, queries, rerank, k, rank)
);
COMMENT ON TABLE run_hub IS 'Hubs: the 20 references that occur in the most match lists.';

CREATE TABLE run_agreement (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    other_id smallint NOT NULL REFERENCES encoder,
    rbo double precision NOT NULL CHECK (rbo BETWEEN 0 AND 1.000001),
    top1 double precision NOT NULL CHECK (top1 BETWEEN 0 AND 1),
    n integer NOT NULL CHECK (n > 0),
    PRIMARY KEY (run_id, encoder_id, other_id)
);
COMMENT ON TABLE run_agreement IS 'Agreement: how similar two encoders'' matches are when ranked by cosine. Each pair of encoders has two rows, one for each order.';
COMMENT ON COLUMN run_agreement.encoder_id IS 'Revision of the first encoder; key in the table encoder.';
COMMENT ON COLUMN run_agreement.other_id IS 'Revision of the second encoder; key in the table encoder.';

CREATE TABLE run_csls (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    kept integer NOT NULL,
    neighbourhood integer NOT NULL,
    base_n integer NOT NULL,
    targets_n integer NOT NULL CHECK (targets_n > 0),
    references_n integer NOT NULL CHECK (references_n > 0),
    is_sample boolean NOT NULL,
    top1_equal double precision NOT NULL CHECK (top1_equal BETWEEN 0 AND 1),
    top10_overlap double precision NOT NULL CHECK (top10_overlap BETWEEN 0 AND 1),
    base_targets_n integer CHECK (base_targets_n > 0),
    base_top1_equal double precision CHECK (base_top1_equal BETWEEN 0 AND 1),
    base_top10_overlap double precision CHECK (base_top10_overlap BETWEEN 0 AND 1),
    PRIMARY KEY (run_id, encoder_id),
    CHECK ((base_targets_n IS NULL) = (base_top1_equal IS NULL)),
    CHECK ((base_targets_n IS NULL) = (base_top10_overlap IS NULL))
);
COMMENT ON TABLE run_csls IS 'Re-ranking by CSLS: how it was computed, and how well it agrees with a CSLS ranking of all references.';

CREATE TABLE run_answer (
    run_id bigint NOT NULL REFERENCES run,
    method text NOT NULL CHECK (method IN ('csls', 'fusion')),
    encoder_id smallint REFERENCES encoder,
    target_id bigint NOT NULL REFERENCES track,
    rank smallint NOT NULL CHECK (rank BETWEEN 1 AND 10),
    reference_id bigint NOT NULL REFERENCES track,
    score double precision NOT NULL,
    cosine double precision,
    cosine_rank smallint,
    UNIQUE NULLS NOT DISTINCT (run_id, method, encoder_id, target_id, rank),
    CHECK ((encoder_id IS NULL) = (method = 'fusion')),
    CHECK ((cosine IS NULL) = (method = 'fusion') AND (cosine_rank IS NULL) = (method = 'fusion'))
);
COMMENT ON TABLE run_answer IS 'The 10 best matches in rankings by CSLS and by fusion. Only the matches of the latest run are kept.';
COMMENT ON COLUMN run_answer.method IS 'csls: the 50 most similar references, re-ranked by CSLS. fusion: reciprocal rank fusion of all encoders (k = 60).';
COMMENT ON COLUMN run_answer.encoder_id IS 'Encoder revision; key in the table encoder. NULL for fusion.';
COMMENT ON COLUMN run_answer.rank IS 'Rank of the match. Rank 1 is the best match. Ties are broken by content hash.';
COMMENT ON COLUMN run_answer.score IS 'csls: 2 * cosine - r of the target - r of the reference. fusion: sum of 1 / (60 + rank) over the encoders.';
COMMENT ON COLUMN run_answer.cosine IS 'Cosine similarity in the encoder''s own space, -1 to 1. NULL for fusion.';
COMMENT ON COLUMN run_answer.cosine_rank IS 'Rank by cosine, 1 to 50. NULL for fusion.';

CREATE TABLE run_set_distance (
    run_id bigint NOT NULL REFERENCES run,
    generator_id smallint NOT NULL REFERENCES generator,
    mode text NOT NULL,
    guidance double precision,
    encoder_id smallint NOT NULL REFERENCES encoder,
    metric text NOT NULL CHECK (metric IN ('kad', 'fad_inf')),
    value double precision,
    reason text,
    n integer NOT NULL CHECK (n >= 0),
    references_n integer NOT NULL CHECK (references_n >= 0),
    seconds double precision NOT NULL CHECK (seconds >= 0),
    bandwidth double precision CHECK (bandwidth > 0),
    is_finding boolean NOT NULL,
    UNIQUE NULLS NOT DISTINCT (run_id, generator_id, mode, guidance, encoder_id, metric),
    CHECK ((value IS NULL) = (reason IS NOT NULL)),
    CHECK (NOT is_finding OR (value IS NOT NULL AND n >= 50))
);
COMMENT ON TABLE run_set_distance IS 'Distances between the clips generated in each mode and the reference library.';
COMMENT ON COLUMN run_set_distance.encoder_id IS 'Encoder whose vectors are used to measure the distance; key in the table encoder.';

-- Failures --------------------------------------------------------------------------------------

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
COMMENT ON TABLE failure IS 'The failure ledger: inputs and plug-ins that could not be used, with the reason and the remedy.';
COMMENT ON COLUMN failure.track_id IS 'Track; key in the table track. NULL if the failure does not concern a track.';

-- Waveforms and maps ----------------------------------------------------------------------------

CREATE TABLE waveform (
    track_id bigint PRIMARY KEY REFERENCES track ON DELETE CASCADE,
    peaks bytea NOT NULL CHECK (octet_length(peaks) = 800)
);
ALTER TABLE waveform ALTER peaks SET STORAGE EXTERNAL;  -- The bytes do not compress.
COMMENT ON TABLE waveform IS 'Waveforms for the player: the outline of a track in 400 columns, computed while ingest decodes the track.';
COMMENT ON COLUMN waveform.peaks IS '400 pairs of signed bytes: the lowest and the highest sample of the mono mix in each 400th of the track. 127 is full scale.';

CREATE TABLE map (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    tracks_n integer NOT NULL,
    spread_x double precision NOT NULL CHECK (spread_x BETWEEN 0 AND 1),
    spread_y double precision NOT NULL CHECK (spread_y BETWEEN 0 AND 1),
    PRIMARY KEY (run_id, encoder_id)
);
COMMENT ON TABLE map IS 'Maps of encoder spaces: projections onto the first two principal components of the references. Only the maps of the latest run are kept.';

CREATE TABLE map_point (
    run_id bigint NOT NULL,
    encoder_id smallint NOT NULL,
    track_id bigint NOT NULL REFERENCES track ON DELETE CASCADE,
    x real NOT NULL,
    y real NOT NULL,
    PRIMARY KEY (run_id, encoder_id, track_id),
    FOREIGN KEY (run_id, encoder_id) REFERENCES map ON DELETE CASCADE
);
COMMENT ON TABLE map_point IS 'Track positions on a map: up to 2,000 references, and up to 1,000 tracks from each of the other collections, chosen by content hash.';

-- Published tables: one row per printed line ----------------------------------------------------

CREATE TABLE published_retrieval (
    line integer PRIMARY KEY,
    encoder text NOT NULL,
    target text NOT NULL,
    retrieved text NOT NULL,
    cosine double precision NOT NULL CHECK (cosine BETWEEN -1 AND 1),
    clap double precision NOT NULL CHECK (clap BETWEEN -1 AND 1),
    melody double precision NOT NULL CHECK (melody BETWEEN 0 AND 1),
    ce double precision NOT NULL CHECK (ce BETWEEN 1 AND 10),
    cu double precision NOT NULL CHECK (cu BETWEEN 1 AND 10),
    pc double precision NOT NULL CHECK (pc BETWEEN 1 AND 10),
    pq double precision NOT NULL CHECK (pq BETWEEN 1 AND 10),
    UNIQUE (encoder, target)
);
COMMENT ON TABLE published_retrieval IS 'Published best matches, one row per printed line. Names are given as printed and do not identify tracks.';
COMMENT ON COLUMN published_retrieval.line IS 'Line in retrieval.csv. The header is line 1.';
COMMENT ON COLUMN published_retrieval.encoder IS 'Encoder, as printed.';
COMMENT ON COLUMN published_retrieval.retrieved IS 'Name of the match, as printed. Several files can have this name.';
COMMENT ON COLUMN published_retrieval.clap IS 'CLAP similarity between target and match, -1 to 1.';
COMMENT ON COLUMN published_retrieval.melody IS 'Melody accuracy between target and match, 0 to 1.';
COMMENT ON COLUMN published_retrieval.ce IS 'Content enjoyment of the match, 1 to 10.';
COMMENT ON COLUMN published_retrieval.cu IS 'Content usefulness of the match, 1 to 10.';
COMMENT ON COLUMN published_retrieval.pc IS 'Production complexity of the match, 1 to 10.';
COMMENT ON COLUMN published_retrieval.pq IS 'Production quality of the match, 1 to 10.';

CREATE TABLE published_generation (
    line integer PRIMARY KEY,
    mode text NOT NULL,
    cfg double precision NOT NULL CHECK (cfg > 0),
    target text NOT NULL,
    clap double precision NOT NULL CHECK (clap BETWEEN -1 AND 1),
    melody double precision NOT NULL CHECK (melody BETWEEN 0 AND 1),
    ce double precision NOT NULL CHECK (ce BETWEEN 1 AND 10),
    cu double precision NOT NULL CHECK (cu BETWEEN 1 AND 10),
    pc double precision NOT NULL CHECK (pc BETWEEN 1 AND 10),
    pq double precision NOT NULL CHECK (pq BETWEEN 1 AND 10),
    UNIQUE (mode, target)
);
COMMENT ON TABLE published_generation IS 'Published clips, one row per printed line. Names are given as printed and do not identify tracks.';
COMMENT ON COLUMN published_generation.line IS 'Line in generation.csv. The header is line 1.';
COMMENT ON COLUMN published_generation.mode IS 'Mode, as printed.';
COMMENT ON COLUMN published_generation.cfg IS 'Classifier-free guidance scale.';
COMMENT ON COLUMN published_generation.clap IS 'CLAP similarity between target and clip, -1 to 1.';
COMMENT ON COLUMN published_generation.melody IS 'Melody accuracy between target and clip, 0 to 1.';
COMMENT ON COLUMN published_generation.ce IS 'Content enjoyment of the clip, 1 to 10.';
COMMENT ON COLUMN published_generation.cu IS 'Content usefulness of the clip, 1 to 10.';
COMMENT ON COLUMN published_generation.pc IS 'Production complexity of the clip, 1 to 10.';
COMMENT ON COLUMN published_generation.pq IS 'Production quality of the clip, 1 to 10.';

CREATE TABLE published_summary (
    line integer PRIMARY KEY,
    task text NOT NULL CHECK (task IN ('retrieval', 'generation')),
    place text NOT NULL,
    subject text NOT NULL,
    cfg double precision,
    metric text NOT NULL,
    mean numeric NOT NULL,
    sd numeric CHECK (sd >= 0),
    discrepancy text
);
COMMENT ON TABLE published_summary IS 'Published means and standard deviations, for comparison with the values computed from the printed lines.';
COMMENT ON COLUMN published_summary.line IS 'Line in summary.csv. The header is line 1.';
COMMENT ON COLUMN published_summary.place IS 'Place where the number was printed.';
COMMENT ON COLUMN published_summary.cfg IS 'Classifier-free guidance scale. NULL for retrieval.';
COMMENT ON COLUMN published_summary.metric IS 'Metric, as printed.';
COMMENT ON COLUMN published_summary.mean IS 'Mean as printed, with the same number of decimals.';
COMMENT ON COLUMN published_summary.sd IS 'Standard deviation as printed. NULL if no standard deviation was printed.';

CREATE TABLE published_change (
    line integer PRIMARY KEY,
    mode text NOT NULL,
    than_mode text NOT NULL,
    metric text NOT NULL,
    percent numeric NOT NULL,
    discrepancy text
);
COMMENT ON TABLE published_change IS 'Published changes between two modes, for comparison with the values computed from the printed lines.';
COMMENT ON COLUMN published_change.line IS 'Line in changes.csv. The header is line 1.';
COMMENT ON COLUMN published_change.mode IS 'First mode.';
COMMENT ON COLUMN published_change.than_mode IS 'Second mode, which the first one is compared with.';
COMMENT ON COLUMN published_change.metric IS 'Metric, as printed.';
COMMENT ON COLUMN published_change.percent IS 'Change in percent as printed, with the same number of decimals.';

CREATE TABLE published_claim (
    line integer PRIMARY KEY,
    section text NOT NULL,
    claim text NOT NULL,
    numbers text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN
        ('stands', 'arithmetic only', 'not established', 'does not stand', 'not measured')),
    remark text
);
COMMENT ON TABLE published_claim IS 'Published claims about the tables, and what the printed lines show about them.';
COMMENT ON COLUMN published_claim.line IS 'Line in claims.csv. The header is line 1.';
COMMENT ON COLUMN published_claim.section IS 'Topic of the claim.';
COMMENT ON COLUMN published_claim.claim IS 'Claim, in our own words.';
COMMENT ON COLUMN published_claim.numbers IS 'Numbers computed from the printed lines at import. "none" if nothing was measured.';
COMMENT ON COLUMN published_claim.verdict IS 'stands: the printed lines support the claim. arithmetic only: the number is correct, but the conclusion does not follow from it. not established: the result can be explained by chance. does not stand: the printed lines contradict the claim. not measured: no measurement could support the claim.';
COMMENT ON COLUMN published_claim.remark IS 'Further remark on the claim.';

CREATE TABLE published_interval (
    task text NOT NULL,
    subject text NOT NULL,
    metric text NOT NULL,
    low double precision,
    high double precision,
    interval_reason text,
    PRIMARY KEY (task, subject, metric),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL))
);
COMMENT ON TABLE published_interval IS 'Confidence intervals of the means computed from the printed lines.';

CREATE TABLE published_comparison (
    task text NOT NULL,
    metric text NOT NULL,
    subject text NOT NULL,
    than_subject text NOT NULL,
    low double precision,
    high double precision,
    interval_reason text,
    p double precision CHECK (p > 0 AND p <= 1),
    p_holm double precision CHECK (p_holm >= p AND p_holm <= 1),
    method text CHECK (method IN ('exact', 'permutation')),
    reason text,
    family_n integer NOT NULL,
    PRIMARY KEY (task, metric, subject, than_subject),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL)),
    CHECK ((p IS NULL) = (p_holm IS NULL) AND (p IS NULL) = (method IS NULL) AND (p IS NULL) = (reason IS NOT NULL))
);
COMMENT ON TABLE published_comparison IS 'Tests and intervals for two encoders, or two modes, on the published targets that have both values.';

-- Grants ----------------------------------------------------------------------------------------

GRANT USAGE ON SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app;
GRANT EXECUTE ON FUNCTION register_encoder TO mirpipe_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA mirpipe GRANT SELECT ON TABLES TO mirpipe_app, mirpipe_read;
