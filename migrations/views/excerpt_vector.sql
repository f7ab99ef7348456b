CREATE OR REPLACE VIEW excerpt_vector AS
SELECT v.encoder_id, x.excerpt_id, v.embedding
FROM excerpt x JOIN embedding v ON v.track_id = x.track_id
WHERE x.is_whole
UNION ALL
SELECT encoder_id, excerpt_id, embedding FROM excerpt_embedding;

COMMENT ON VIEW excerpt_vector IS 'Vectors of excerpts. If the excerpt is the complete target, its vector is that of the target.';
COMMENT ON COLUMN excerpt_vector.encoder_id IS 'Encoder revision; key in the table encoder. Compare only vectors with the same encoder_id.';
COMMENT ON COLUMN excerpt_vector.embedding IS 'Vector of the excerpt: float32, of length 1, with the encoder''s dimension.';
