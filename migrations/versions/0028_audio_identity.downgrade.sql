SET LOCAL search_path = mirpipe, public;

ALTER TABLE track_file DROP ctime_ns;
COMMENT ON COLUMN track_file.mtime_ns IS 'Modification time of the file, in nanoseconds since 1970. A file whose size and modification time are unchanged is not read again.';
