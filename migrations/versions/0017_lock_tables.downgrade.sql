SET LOCAL search_path = mirpipe, public;

CREATE OR REPLACE FUNCTION register_encoder(p_name text, p_revision text, p_dimension integer, p_spec jsonb)
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

DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'mirpipe'::regnamespace AND relkind = 'r' AND relname ~ '^lock_[0-9a-f]{16}$'
    LOOP
        EXECUTE format('DROP TABLE %s', v_table);
    END LOOP;
END $$;
DROP FUNCTION lock_table;
