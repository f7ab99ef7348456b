SET LOCAL search_path = mirpipe, public;

CREATE OR REPLACE FUNCTION listener_withdraw(p_token text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    WITH withdrawn AS (
        DELETE FROM listener WHERE token_sha256 = sha256(convert_to(p_token, 'UTF8')) RETURNING 1)
    SELECT EXISTS (SELECT FROM withdrawn)
$$;
ALTER TABLE embedding_batch DROP COLUMN peak_memory_bytes;
DROP TABLE shown_clip, revision_comparison, listening_result;
GRANT SELECT ON listener, vote TO mirpipe_read;
