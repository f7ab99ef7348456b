SET LOCAL search_path = mirpipe, public;

CREATE TABLE pair_input_change (changed_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE pair_input_change IS 'Marks of changes that may have made pair scores pending, since the last report that found none: one row per statement that changed a table on which pending_pair depends.';
COMMENT ON COLUMN pair_input_change.changed_at IS 'Start of the transaction that changed the table.';
GRANT SELECT ON pair_input_change TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON pair_input_change TO mirpipe_app;

CREATE FUNCTION note_pair_input_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        INSERT INTO pair_input_change DEFAULT VALUES;
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    v_table text;
    v_event text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['track', 'neighbour', 'encoder', 'serving_revision', 'metric', 'melody',
        'track_feature', 'embedding', 'excerpt', 'excerpt_embedding', 'failure', 'caption', 'captioner',
        'generator', 'generation', 'generation_wish']
    LOOP
        FOREACH v_event IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
            EXECUTE format('CREATE TRIGGER pair_input_%1$s AFTER %1$s ON %2$I REFERENCING %3$s TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change()',
                v_event, v_table, CASE v_event WHEN 'delete' THEN 'OLD' ELSE 'NEW' END);
        END LOOP;
    END LOOP;
END $$;
CREATE TRIGGER pair_input_delete AFTER DELETE ON pair_score REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change();

INSERT INTO pair_input_change DEFAULT VALUES;
