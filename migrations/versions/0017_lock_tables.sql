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

-- Only this statement of the function is replaced; everything else in it stays as it is.
DO $$
DECLARE
    v_old text := 'PERFORM pg_advisory_xact_lock(hashtextextended(''mirpipe.register_encoder'', 0))';
    v_new text := 'EXECUTE format(''LOCK TABLE %s IN EXCLUSIVE MODE'', lock_table(''register_encoder''))';
    v_definition text := pg_get_functiondef('register_encoder'::regproc);
BEGIN
    ASSERT strpos(v_definition, v_old) > 0;
    EXECUTE replace(v_definition, v_old, v_new);
END $$;
