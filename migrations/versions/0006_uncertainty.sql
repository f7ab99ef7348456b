SET LOCAL search_path = mirpipe, public;

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
