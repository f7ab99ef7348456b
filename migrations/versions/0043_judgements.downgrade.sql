SET LOCAL search_path = mirpipe, public;

GRANT SELECT ON listener, vote TO mirpipe_read;
DROP TABLE listening_result;
