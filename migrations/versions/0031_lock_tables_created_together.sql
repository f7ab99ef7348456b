SET LOCAL search_path = mirpipe, public;

CREATE OR REPLACE FUNCTION lock_table(p_name text) RETURNS text
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
    -- Another process has created the table at the same time. Which error this gives depends on
    -- how far both were: the table, its row type, or a row of a catalogue exists already.
    WHEN duplicate_table OR duplicate_object OR unique_violation THEN
        RETURN 'mirpipe.' || v_table;
END $$;
