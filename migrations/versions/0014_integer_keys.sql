SET LOCAL search_path = mirpipe, public;

-- Earlier versions took a value of these sequences at every registration, although nothing was new.
-- After 32,767 registrations, smallint keys would have been used up.

-- Postgres cannot change the type of a partition key, so the partitioned table is created again.
CREATE TEMPORARY TABLE partition ON COMMIT DROP AS
SELECT c.relname::text AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'embedding'::regclass;

DO $$
DECLARE
    p record;
BEGIN
    FOR p IN TABLE pg_temp.partition LOOP
        EXECUTE format('ALTER TABLE embedding DETACH PARTITION %I', p.name);
    END LOOP;
END $$;
DROP TABLE embedding;

-- Other smallint columns, such as ranks, keep their type. An identity column's sequence changes with
-- the column.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT c.oid::regclass AS name,
            string_agg(format('ALTER %I TYPE :new', a.attname), ', ' ORDER BY a.attnum) AS changes
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
            AND a.atttypid = ':old'::regtype
            AND a.attname IN ('encoder_id', 'than_encoder_id', 'other_id', 'metric_id',
                'features_id', 'captioner_id', 'generator_id')
        GROUP BY c.oid ORDER BY c.oid
    LOOP
        EXECUTE format('ALTER TABLE %s %s', t.name, t.changes);
    END LOOP;
END $$;

-- The detached partitions have constraints with the names that Postgres would choose here.
CREATE TABLE embedding (
    encoder_id :new CONSTRAINT embedding_encoder_id_not_null NOT NULL,
    track_id bigint CONSTRAINT embedding_track_id_not_null NOT NULL,
    collection text CONSTRAINT embedding_collection_not_null NOT NULL,
    batch_id bigint CONSTRAINT embedding_batch_id_not_null NOT NULL,
    embedding public.vector CONSTRAINT embedding_embedding_not_null NOT NULL,
    CONSTRAINT embedding_pkey PRIMARY KEY (encoder_id, track_id),
    CONSTRAINT embedding_encoder_id_fkey FOREIGN KEY (encoder_id) REFERENCES encoder,
    CONSTRAINT embedding_track_id_fkey FOREIGN KEY (track_id) REFERENCES track,
    CONSTRAINT embedding_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES embedding_batch
) PARTITION BY LIST (encoder_id);
ALTER TABLE embedding ALTER embedding SET STORAGE PLAIN;
CREATE TRIGGER embedding_inserted AFTER INSERT ON embedding REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_embedding_change();
CREATE TRIGGER embedding_updated AFTER UPDATE ON embedding REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_embedding_change();
CREATE TRIGGER embedding_deleted AFTER DELETE ON embedding REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_embedding_change();
GRANT SELECT, INSERT, UPDATE, DELETE ON embedding TO mirpipe_app;
GRANT SELECT ON embedding TO mirpipe_read;

DO $$
DECLARE
    p record;
BEGIN
    FOR p IN TABLE pg_temp.partition LOOP
        EXECUTE format('ALTER TABLE embedding ATTACH PARTITION %I %s', p.name, p.bound);
    END LOOP;
END $$;

DO $$
DECLARE
    v_definition text := replace(replace(
        pg_get_functiondef('register_encoder(text,text,integer,jsonb)'::regprocedure),
        'RETURNS :old', 'RETURNS :new'), 'v_id :old', 'v_id :new');
BEGIN
    DROP FUNCTION register_encoder(text, text, integer, jsonb);
    EXECUTE v_definition;
END $$;
REVOKE EXECUTE ON FUNCTION register_encoder FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register_encoder TO mirpipe_app;
