SET LOCAL search_path = mirpipe, public;

-- Long vectors stay where they are, because every version can read them.
DO $$
DECLARE
    v_functions regproc[] := ARRAY['register_encoder', 'describe_encoder'];
    v_old text[] := ARRAY[
        'SET STORAGE %s'', v_partition,
            CASE WHEN p_dimension <= 2000 THEN ''PLAIN'' ELSE ''EXTERNAL'' END)',
        'only%s.'',
        v_encoder, CASE WHEN NEW.dimension <= 2000 THEN '', and the search can use an HNSW index'' END)'];
    v_new text[] := ARRAY[
        'SET STORAGE PLAIN'', v_partition)',
        'only, and the search can use an HNSW index.'',
        v_encoder)'];
    v_definition text;
BEGIN
    FOR n IN 1..2 LOOP
        v_definition := pg_get_functiondef(v_functions[n]);
        ASSERT strpos(v_definition, v_old[n]) > 0, v_functions[n];
        EXECUTE replace(v_definition, v_old[n], v_new[n]);
    END LOOP;
END $$;
