SET LOCAL search_path = mirpipe, public;

ALTER TABLE track_file ADD etag text;
COMMENT ON COLUMN track_file.etag IS 'ETag of an object in S3, when it was last read. An object whose size and ETag are unchanged is not read again. NULL for a local file and for a clip.';
COMMENT ON COLUMN track_file.path IS 'Absolute path, stored as the bytes that the file system returned, or the address s3://BUCKET/KEY.';
