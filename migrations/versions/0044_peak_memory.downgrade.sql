SET LOCAL search_path = mirpipe, public;

ALTER TABLE generation DROP COLUMN peak_memory_bytes;
ALTER TABLE caption DROP COLUMN peak_memory_bytes;
