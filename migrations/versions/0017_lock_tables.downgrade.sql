SET LOCAL search_path = mirpipe, public;

-- Only this statement of the function is replaced; everything else in it stays as it is.
DO $$
DECLARE
    v_old text := 'EXECUTE format(''LOCK TABLE %s IN EXCLUSIVE MODE'', lock_table(''register_encoder''))';
    v_new text := 'PERFORM pg_advisory_xact_lock(hashtextextended(''mirpipe.register_encoder'', 0))';
    v_definition text := pg_get_functiondef('register_encoder'::regproc);
BEGIN
    ASSERT strpos(v_definition, v_old) > 0;
    EXECUTE replace(v_definition, v_old, v_new);
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
