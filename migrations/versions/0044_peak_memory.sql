SET LOCAL search_path = mirpipe, public;

ALTER TABLE caption ADD COLUMN peak_memory_bytes bigint CHECK (peak_memory_bytes > 0);
COMMENT ON COLUMN caption.peak_memory_bytes IS 'Largest memory of the process, or of the GPU if the captioner computed on one, from the loading of the captioner to the end of the caption, in bytes. NULL if it was not measured.';
ALTER TABLE generation ADD COLUMN peak_memory_bytes bigint CHECK (peak_memory_bytes > 0);
COMMENT ON COLUMN generation.peak_memory_bytes IS 'Largest memory of the process, or of the GPU if the generator computed on one, from the loading of the generator to the end of the clip''s batch, in bytes. NULL if it was not measured.';
