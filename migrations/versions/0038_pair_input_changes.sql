SET LOCAL search_path = mirpipe, public;

CREATE TABLE pair_input_change (changed_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE pair_input_change IS 'Marks of changes that may have made pair scores pending, since the last report that found none: one row per statement that changed a table on which pending_pair depends.';
COMMENT ON COLUMN pair_input_change.changed_at IS 'Start of the transaction that changed the table.';
GRANT SELECT ON pair_input_change TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON pair_input_change TO mirpipe_app;

CREATE FUNCTION note_pair_input_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    INSERT INTO pair_input_change DEFAULT VALUES;
    RETURN NULL;
END $$;

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['track', 'neighbour', 'encoder', 'serving_revision', 'metric', 'melody',
        'track_feature', 'embedding', 'excerpt', 'excerpt_embedding', 'failure', 'caption', 'captioner',
        'generator', 'generation', 'generation_wish']
    LOOP
        EXECUTE format('CREATE TRIGGER pair_input_changed AFTER INSERT OR UPDATE OR DELETE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change()', v_table);
    END LOOP;
END $$;
CREATE TRIGGER pair_input_changed AFTER DELETE ON pair_score
    FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change();

INSERT INTO pair_input_change DEFAULT VALUES;
