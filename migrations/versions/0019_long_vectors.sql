SET LOCAL search_path = mirpipe, public;

-- A row with a vector of at most 2,000 numbers fits into a page, so the vector is stored in the row
-- (PLAIN). A longer vector is stored outside the row, and is not compressed, because vectors do not
-- compress (EXTERNAL). pgvector's HNSW index has the same limit of 2,000 dimensions.
--
-- Only these parts of the two functions are replaced; everything else in them stays as it is.
DO $$
DECLARE
    v_functions regproc[] := ARRAY['register_encoder', 'describe_encoder'];
    v_old text[] := ARRAY[
        'SET STORAGE PLAIN'', v_partition)',
        'only, and the search can use an HNSW index.'',
        v_encoder)'];
    v_new text[] := ARRAY[
        'SET STORAGE %s'', v_partition,
            CASE WHEN p_dimension <= 2000 THEN ''PLAIN'' ELSE ''EXTERNAL'' END)',
        'only%s.'',
        v_encoder, CASE WHEN NEW.dimension <= 2000 THEN '', and the search can use an HNSW index'' END)'];
    v_definition text;
BEGIN
    FOR n IN 1..2 LOOP
        v_definition := pg_get_functiondef(v_functions[n]);
        ASSERT strpos(v_definition, v_old[n]) > 0, v_functions[n];
        EXECUTE replace(v_definition, v_old[n], v_new[n]);
    END LOOP;
END $$;

DO $$
DECLARE
    v_id integer;
BEGIN
    FOR v_id IN SELECT encoder_id FROM encoder WHERE dimension > 2000 LOOP
        EXECUTE format('ALTER TABLE %I ALTER embedding SET STORAGE EXTERNAL', format('embedding_%s', v_id));
        EXECUTE format('COMMENT ON VIEW %I IS %L', format('v_embedding_%s', v_id), replace(
            obj_description(format('v_embedding_%s', v_id)::regclass), ', and the search can use an HNSW index', ''));
    END LOOP;
END $$;
