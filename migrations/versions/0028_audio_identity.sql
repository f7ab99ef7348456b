SET LOCAL search_path = mirpipe, public;

ALTER TABLE track_file ADD ctime_ns bigint;
COMMENT ON COLUMN track_file.mtime_ns IS 'Modification time of the file, in nanoseconds since 1970.';
COMMENT ON COLUMN track_file.ctime_ns IS 'Time of the last change of the file''s content or properties, in nanoseconds since 1970. A file whose size and both times are unchanged is not read again. NULL if the next ingest has to read the file.';
