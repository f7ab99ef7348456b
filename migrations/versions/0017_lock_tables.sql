SET LOCAL search_path = mirpipe, public;

CREATE FUNCTION lock_table(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mirpipe, pg_temp AS $$
DECLARE
    v_table text := 'lock_' || left(encode(sha256(convert_to(p_name, 'UTF8')), 'hex'), 16);
BEGIN
    IF to_regclass('mirpipe.' || v_table) IS NULL THEN
        EXECUTE format('CREATE TABLE mirpipe.%I ()', v_table);
        EXECUTE format('COMMENT ON TABLE mirpipe.%I IS %L', v_table,
            format('Lock %I: a process holds it with LOCK TABLE. The table has no columns.', p_name));
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON mirpipe.%I TO mirpipe_app', v_table);
    END IF;
    RETURN 'mirpipe.' || v_table;
EXCEPTION
    -- Another process has created the table at the same time.
    WHEN duplicate_table OR unique_violation THEN
        RETURN 'mirpipe.' || v_table;
END $$;
COMMENT ON FUNCTION lock_table IS 'Returns the table that belongs to the lock with this name, and creates it if it is missing. Readers cannot lock this table against the pipeline.';
REVOKE EXECUTE ON FUNCTION lock_table FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_table TO mirpipe_app;

CREATE OR REPLACE FUNCTION register_encoder(p_name text, p_revision text, p_dimension integer, p_spec jsonb)
RETURNS smallint LANGUAGE plpgsql SECURITY DEFINER SET search_path = mirpipe, public, pg_temp AS $$
DECLARE
    v_id smallint;
    v_partition text;
BEGIN
    EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', lock_table('register_encoder'));
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
