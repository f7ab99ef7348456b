SET LOCAL search_path = mirpipe, public;

ALTER TABLE track_file DROP etag;
