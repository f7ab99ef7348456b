SET LOCAL search_path = mirpipe, public;

CREATE TABLE schema_file (
    path text PRIMARY KEY,
    sha256 text NOT NULL
);
COMMENT ON TABLE schema_file IS 'Files that contained the views and descriptions when `mirpipe db migrate` last wrote them to this database.';
COMMENT ON COLUMN schema_file.path IS 'Path of the file, relative to the migrations folder.';
COMMENT ON COLUMN schema_file.sha256 IS 'SHA-256 of the file, in hexadecimal.';
GRANT SELECT ON schema_file TO mirpipe_app, mirpipe_read;

-- An encoder's partition and its view receive their descriptions when the encoder is registered.
CREATE OR REPLACE FUNCTION describe_encoder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mirpipe, public, pg_temp AS $$
DECLARE
    v_table text := format('embedding_%s', NEW.encoder_id);
    v_encoder text := format('%s, revision %s', NEW.name, NEW.revision);
    f record;
BEGIN
    IF to_regclass(v_table) IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('COMMENT ON TABLE %I IS %L', v_table, format('Vectors of %s.', v_encoder));
    EXECUTE format('COMMENT ON VIEW %I IS %L', 'v_' || v_table, format(
        'Vectors of %s. Search in this view: it holds one space only, and the search can use an HNSW index.',
        v_encoder));
    FOR f IN
        SELECT c.relname, a.attname, col_description(b.attrelid, b.attnum) AS description
        FROM pg_attribute b
        JOIN pg_attribute a ON a.attname = b.attname
        JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'mirpipe'::regnamespace
        WHERE b.attrelid = 'embedding'::regclass AND b.attnum > 0 AND c.relname IN (v_table, 'v_' || v_table)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', f.relname, f.attname, f.description);
    END LOOP;
    RETURN NULL;
END $$;
